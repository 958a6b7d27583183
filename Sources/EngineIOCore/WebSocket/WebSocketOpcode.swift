/// The frame types of RFC 6455 §5.2. Everything else is reserved and refused.
package enum WebSocketOpcode: UInt8, Sendable {
    case continuation = 0x0
    case text = 0x1
    case binary = 0x2
    case close = 0x8
    case ping = 0x9
    case pong = 0xA

    /// Whether frames of this type may come between the fragments of a message.
    @inlinable
    package var isControl: Bool {
        self.rawValue & 0x8 != 0
    }
}
