import NIOCore
import SocketIOCore

/// JSON in messages of a cluster.
enum JSONText {
    /// The value of a text from elsewhere.
    ///
    /// - Throws: ``SocketIOError`` if it is not exactly one value, or nested too deep.
    static func read(_ text: ByteBuffer, maxDepth: Int = MessageDepth.limit) throws(SocketIOError) -> SocketIOValue {
        var array = ByteBuffer()
        array.reserveCapacity(text.readableBytes + 2)
        array.writeInteger(UInt8(ascii: "["))
        array.writeImmutableBuffer(text)
        array.writeInteger(UInt8(ascii: "]"))
        var reader = try ArgumentReader(checking: array, maxDepth: maxDepth + 1)
        guard !reader.isAtEnd else { throw SocketIOError(.invalidPayload, "an empty text") }
        let value = try reader.nextValue()
        guard reader.isAtEnd else { throw SocketIOError(.invalidPayload, "more than one value") }
        return value
    }

    /// The text of a value as `JSON.stringify` writes it, binary data as Node.js' `Buffer` writes itself.
    ///
    /// - Throws: ``SocketIOError`` if it is nested too deep.
    static func write(_ value: SocketIOValue) throws(SocketIOError) -> ByteBuffer {
        var writer = JSONWriter(reserving: 128)
        do {
            writer.binaryMode = .forbidden
            try writer.write(value)
        } catch  where error.code == .binaryNotAllowed {
            writer = JSONWriter(reserving: 256)
            try writer.write(value.withoutBinary)
        }
        return writer.bytes
    }
}
