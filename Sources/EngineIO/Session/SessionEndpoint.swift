import NIOCore

/// A channel's end of a session: the connection on which a GET or a POST waits, or a WebSocket. It belongs to one event loop
/// and is used there only; other threads may compare it and read ``loop``.
///
/// `@unchecked Sendable`: `loop` is immutable; subclasses are confined to `loop.eventLoop`, and the session calls them there.
class SessionEndpoint: @unchecked Sendable {
    let loop: LoopContext
    private var isReading = false

    init(loop: LoopContext) {
        self.loop = loop
    }

    /// A channel read begins: what it has its handlers send leaves with ``endRead()``.
    func beginRead() {
        self.isReading = true
        self.loop.beginRead()
    }

    /// The read is over. To be called when the channel ends too: a channel that is closed by what it read hears of no
    /// completion.
    func endRead() {
        guard self.isReading else { return }
        self.isReading = false
        self.loop.endRead()
    }

    /// Takes what the session has for this endpoint and writes it.
    func drain(_ session: EngineIOSession) {}

    /// Ends what waits here because the session has ended.
    func sessionEnded(_ end: SessionEnd) {}
}

/// How an endpoint ends its part of a session that has ended.
enum SessionEnd: Sendable {
    /// A waiting GET is answered with a close packet, a WebSocket gets a close frame without status, a POST is cut.
    case close
    /// A waiting GET is answered with a noop: the client itself has closed.
    case noop
    /// A WebSocket is closed with this status code.
    case code(UInt16)
    /// The connection is cut without an answer.
    case cut
}
