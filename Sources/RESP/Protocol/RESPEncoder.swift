import NIOCore

/// Writes commands, each as an array of bulk strings.
enum RESPEncoder {
    static func write(_ command: RedisCommand, into buffer: inout ByteBuffer) {
        self.writeLength(UInt8(ascii: "*"), command.arguments.count, into: &buffer)
        for argument in command.arguments {
            self.writeLength(UInt8(ascii: "$"), argument.readableBytes, into: &buffer)
            buffer.writeImmutableBuffer(argument)
            buffer.writeInteger(Self.lineEnd)
        }
    }

    /// A command of texts.
    static func write(_ name: String, _ arguments: [String], into buffer: inout ByteBuffer) {
        self.writeLength(UInt8(ascii: "*"), arguments.count + 1, into: &buffer)
        self.write(name, into: &buffer)
        for argument in arguments { self.write(argument, into: &buffer) }
    }

    private static func write(_ text: String, into buffer: inout ByteBuffer) {
        self.writeLength(UInt8(ascii: "$"), text.utf8.count, into: &buffer)
        buffer.writeString(text)
        buffer.writeInteger(Self.lineEnd)
    }

    /// The number of bytes that ``write(_:into:)`` writes.
    static func size(of command: RedisCommand) -> Int {
        var size = 3 + self.digits(command.arguments.count)
        for argument in command.arguments { size += 5 + self.digits(argument.readableBytes) + argument.readableBytes }
        return size
    }

    private static let lineEnd: UInt16 = 0x0D0A

    private static func digits(_ number: Int) -> Int {
        var (count, rest) = (1, number / 10)
        while rest > 0 {
            count += 1
            rest /= 10
        }
        return count
    }

    private static func writeLength(_ type: UInt8, _ number: Int, into buffer: inout ByteBuffer) {
        buffer.writeInteger(type)
        var divisor = 1
        for _ in 1..<self.digits(number) { divisor *= 10 }
        while divisor > 0 {
            buffer.writeInteger(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
        buffer.writeInteger(self.lineEnd)
    }
}
