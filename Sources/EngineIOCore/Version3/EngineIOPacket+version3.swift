import NIOCore

/// Packets of protocol 3. Their types and texts are those of protocol 4; binary ones name their type, in front of the data as a
/// byte with its number, or behind the `b` of base64 as its digit.
extension EngineIOPacket {
    /// Decodes a text frame of a WebSocket, or a text packet of a payload. The text must be known to be UTF-8.
    package static func decodeVersion3(text: consuming ByteBuffer) throws(EngineIOPacketError) -> EngineIOPacket {
        guard text.getInteger(at: text.readerIndex, as: UInt8.self) == UInt8(ascii: "b") else {
            return try self.decode(text: text)
        }
        var rest = text
        rest.moveReaderIndex(forwardBy: 1)
        guard let digit = rest.readInteger(as: UInt8.self) else { throw .empty }
        return try Self.version3(type: digit, Base64.decodeLeniently(rest))
    }

    /// Decodes a binary frame of a WebSocket, or a binary packet of a payload.
    package static func decodeVersion3(binary: consuming ByteBuffer) throws(EngineIOPacketError) -> EngineIOPacket {
        var data = binary
        guard let number = data.readInteger(as: UInt8.self) else { throw .empty }
        guard number < 10 else { throw .unknownType(number) }
        return try Self.version3(type: UInt8(ascii: "0") + number, data)
    }

    /// A packet with binary data. Of all but messages that must be text: a pong brings back what a ping has brought.
    private static func version3(type: UInt8, _ data: ByteBuffer) throws(EngineIOPacketError) -> EngineIOPacket {
        func text() -> ByteBuffer { UTF8Validation.isValid(data) ? data : ByteBuffer() }
        switch type {
        case UInt8(ascii: "0"): return .open(text())
        case UInt8(ascii: "1"): return .close
        case UInt8(ascii: "2"): return .ping(text())
        case UInt8(ascii: "3"): return .pong(text())
        case UInt8(ascii: "4"): return .binary(data)
        case UInt8(ascii: "5"): return .upgrade
        case UInt8(ascii: "6"): return .noop
        default: throw .unknownType(type)
        }
    }
}
