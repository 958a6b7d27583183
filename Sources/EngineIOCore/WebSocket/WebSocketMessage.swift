import NIOCore

/// What a peer sent: a whole message (its fragments joined), or a control frame.
///
/// The buffers are slices that share the storage of a whole read: keep them for the length of a turn only, copy what
/// stays longer.
package enum WebSocketMessage: Sendable, Equatable {
    /// A text message; its bytes are valid UTF-8.
    case text(ByteBuffer)
    case binary(ByteBuffer)
    case ping(ByteBuffer)
    case pong(ByteBuffer)
    /// A close frame; `code` is nil if its payload was empty, `reason` is valid UTF-8.
    case close(code: UInt16?, reason: ByteBuffer)
}
