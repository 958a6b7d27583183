/// What a payload begins with: which run has sent it, which of its threads, and its number there.
///
/// `bench-` and 20 hexadecimal digits: 4 of the run, 4 of the thread, 12 of the number.
struct BenchMarker: Equatable, Sendable {
    static let length = 26
    private static let prefix = Array("bench-".utf8)
    private static let maxNumber = (1 << 48) - 1

    var run: UInt16
    var thread: UInt16
    var number: Int

    /// A payload of `length` bytes, at least ``length``.
    func text(length: Int) -> String {
        let length = max(length, Self.length)
        return String(unsafeUninitializedCapacity: length) { bytes in
            var index = 0
            func put(_ byte: UInt8) {
                bytes[index] = byte
                index += 1
            }
            for byte in Self.prefix { put(byte) }
            func put(_ value: Int, digits: Int) {
                for position in (0..<digits).reversed() {
                    let digit = UInt8(truncatingIfNeeded: (value >> (4 * position)) & 0xF)
                    put(digit < 10 ? 0x30 + digit : 0x57 + digit)
                }
            }
            put(Int(self.run), digits: 4)
            put(Int(self.thread), digits: 4)
            put(self.number & Self.maxNumber, digits: 12)
            while index < length { put(UInt8(ascii: "x")) }
            return length
        }
    }

    /// The first one in a text.
    static func find(in text: String) -> BenchMarker? {
        var text = text
        return text.withUTF8 { bytes in
            var start = 0
            while start + Self.length <= bytes.count {
                if bytes[start] == Self.prefix[0], let marker = Self.read(bytes, start) { return marker }
                start += 1
            }
            return nil
        }
    }

    private static func read(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int) -> BenchMarker? {
        for (offset, byte) in Self.prefix.enumerated() where bytes[start + offset] != byte { return nil }
        func number(_ offset: Int, digits: Int) -> Int? {
            var value = 0
            for byte in bytes[(start + offset)..<(start + offset + digits)] {
                switch byte {
                case 0x30...0x39: value = value << 4 | Int(byte - 0x30)
                case 0x61...0x66: value = value << 4 | Int(byte - 0x57)
                default: return nil
                }
            }
            return value
        }
        guard let run = number(6, digits: 4), let thread = number(10, digits: 4), let count = number(14, digits: 12)
        else { return nil }
        return BenchMarker(run: UInt16(run), thread: UInt16(thread), number: count)
    }
}
