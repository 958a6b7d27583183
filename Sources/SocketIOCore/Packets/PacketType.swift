/// The type digit of a packet, protocol 5.
package enum PacketType: UInt8, Sendable, Hashable {
    case connect = 0
    case disconnect = 1
    case event = 2
    case ack = 3
    case connectError = 4
    /// An event with attachments. Only on the wire: a decoded packet is an ``event`` with `isBinary` set.
    case binaryEvent = 5
    /// An acknowledgement with attachments. Only on the wire: a decoded packet is an ``ack`` with `isBinary` set.
    case binaryAck = 6

    /// The type of the decoded packet.
    @inline(__always)
    var decoded: PacketType {
        switch self {
        case .binaryEvent: .event
        case .binaryAck: .ack
        default: self
        }
    }
}
