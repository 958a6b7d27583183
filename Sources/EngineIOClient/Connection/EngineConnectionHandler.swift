import EngineIOCore
import NIOCore

/// What is told of a connection, on its event loop, one thing at a time: opened once at most, then messages, then closed once.
///
/// Nothing is told inside a call of the owner: what a call causes at once (an end, room to write) is told in a turn of its own.
package protocol EngineConnectionHandler: AnyObject, Sendable {
    func engineOpened(_ handshake: Handshake)
    /// The buffer shares the storage of a whole read: copy what is kept for longer than the turn.
    func engineReceived(text: ByteBuffer)
    /// As for text.
    func engineReceived(binary: ByteBuffer)
    /// The client may be written to again (after ``EngineConnection/isWritable`` was false).
    func engineBecameWritable()
    /// A ping of the server has come.
    func enginePinged()
    /// The connection has moved from polling to WebSocket.
    func engineUpgraded()
    /// It is over; the connection has let go of the handler. Also told when it never opened.
    func engineClosed(_ end: EngineEnd)
}

/// How a connection ended.
package struct EngineEnd: Sendable {
    /// One of the protocol's own reasons: `transport close`, `transport error`, `ping timeout`, `forced close`, `parse error`.
    package var reason: String
    /// What went wrong, with what can be done about it; nil for an orderly end.
    package var error: EngineClientError?

    package init(reason: String, error: EngineClientError? = nil) {
        self.reason = reason
        self.error = error
    }
}
