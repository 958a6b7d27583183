import NIOCore

/// A packet that was decoded, with its attachments.
package struct Packet: Sendable {
    /// The type; ``PacketType/binaryEvent`` and ``PacketType/binaryAck`` do not occur here.
    package let type: PacketType
    /// True when the packet was announced with attachments, even if with none.
    package let isBinary: Bool
    /// The namespace, `/` if the packet names none.
    package internal(set) var namespace: String
    /// The id that asks for an acknowledgement, or that of the acknowledgement.
    package let id: Int?
    /// The JSON text behind the header, checked: an object, an array or a string, as the type demands.
    package internal(set) var payload: ByteBuffer?
    /// The binary data that placeholders in the payload refer to.
    package internal(set) var attachments: [ByteBuffer]
    /// The name of an event (the text of a number, if that is its name); empty for other types.
    package internal(set) var eventName: String
    /// Where in the payload the arguments begin.
    var argumentsOffset: Int
    /// How often placeholders in the payload refer to attachments.
    var references = 0

    /// The arguments of an event, without its name, or of an acknowledgement. For a packet with an object or a string
    /// (CONNECT, CONNECT_ERROR) that is the only argument.
    package var arguments: ArgumentReader {
        guard let payload = self.payload else { return ArgumentReader() }
        switch self.type {
        case .event, .ack, .binaryEvent, .binaryAck:
            return ArgumentReader(payload: payload, from: self.argumentsOffset, attachments: self.attachments)
        case .connect, .disconnect, .connectError:
            return ArgumentReader(value: payload, attachments: [])
        }
    }
}
