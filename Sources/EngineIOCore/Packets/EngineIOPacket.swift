import NIOCore

/// A packet of Engine.IO protocol 4.
///
/// Payloads are slices of what they were decoded from; base64 is decoded into a buffer of its own.
package enum EngineIOPacket: Sendable, Equatable {
    /// The handshake; the data is the JSON text.
    case open(ByteBuffer)
    case close
    case ping(ByteBuffer)
    case pong(ByteBuffer)
    /// A text message, possibly empty.
    case message(ByteBuffer)
    /// A binary message, possibly empty.
    case binary(ByteBuffer)
    case upgrade
    case noop

    /// Decodes a text frame of a WebSocket, or one piece of a polling payload.
    ///
    /// Data behind a type that has none is ignored. The text must be known to be UTF-8, and `b` stands for a binary
    /// message in base64, read as leniently as the reference does.
    package static func decode(text: consuming ByteBuffer) throws(EngineIOPacketError) -> EngineIOPacket {
        var data = text
        guard let type = data.readInteger(as: UInt8.self) else { throw .empty }
        switch type {
        case UInt8(ascii: "0"): return .open(data)
        case UInt8(ascii: "1"): return .close
        case UInt8(ascii: "2"): return .ping(data)
        case UInt8(ascii: "3"): return .pong(data)
        case UInt8(ascii: "4"): return .message(data)
        case UInt8(ascii: "5"): return .upgrade
        case UInt8(ascii: "6"): return .noop
        case UInt8(ascii: "b"): return .binary(Base64.decodeLeniently(data))
        default: throw .unknownType(type)
        }
    }
}

/// Why a packet could not be decoded. The session ends with the reason `parse error`.
package enum EngineIOPacketError: Error, Equatable, Sendable {
    /// No type: an empty text frame, an empty payload, or nothing between two separators.
    case empty
    /// The first byte is no packet type.
    case unknownType(UInt8)
    /// The text of a payload is not valid UTF-8.
    case invalidUTF8
    /// The payload holds more packets than the limit.
    case tooManyPackets
    /// What stands for the length of a packet of protocol 3 is none, or there is less than it says.
    case invalidLength

    /// For a log line.
    package var message: String {
        switch self {
        case .empty: "packet without a type"
        case .unknownType: "unknown packet type"
        case .invalidUTF8: "packet is not valid UTF-8"
        case .tooManyPackets: "payload of more than maxPackets packets"
        case .invalidLength: "payload with a wrong length"
        }
    }
}
