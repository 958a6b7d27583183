import EngineIOCore
import NIOCore
import Synchronization

/// One client of an Engine.IO server, whatever connections and event loops it uses.
///
/// Sending never blocks and never suspends: what is sent is put into the session's outbox on the calling thread, in call
/// order, and leaves on the event loop of the connection that serves the client at that time. Packets of one sender arrive in
/// the order of its calls, across an upgrade too.
public final class EngineIOSession: Sendable {
    // What each message touches comes first, so that it lies together.

    let state: Mutex<SessionState>
    let gate = Mutex<InboundGate>(InboundGate())
    /// Set once, by the server, before the session is reachable from anywhere else; released by the gate when the session has
    /// ended. Between these it is only read, inside the gate.
    nonisolated(unsafe) var handler: (any EngineIOSessionHandler)?
    /// The loop on which the session was opened: its timers and deferred callbacks run here.
    public let loop: LoopContext
    let server: EngineIOServer
    /// nil unless a rate is set.
    let throttle: InboundThrottle?
    /// nil for clients of protocol 4 that poll in the plain way, or don't.
    let dialect: SessionDialect?
    /// The session's id: 20 characters, unguessable. It is a secret between client and server: who knows it can take over a
    /// polling session.
    public let id: String
    /// The request that opened the session.
    public let request: EngineIORequest

    /// Set as soon as the server closes: messages that come from then on are not handed over. Those that a client has sent
    /// before an end of its own making are.
    private let isEndingFlag = Atomic<Bool>(false)
    /// In the wheel of ``loop``; void once the session has ended.
    private let ticket = WheelTicket()
    /// Of ``ready(below:)``.
    let hasWaiters = Atomic<Bool>(false)
    let nextWaiter = Atomic<UInt64>(0)
    var isEnding: Bool { self.isEndingFlag.load(ordering: .relaxed) }

    init(
        id: String, request: EngineIORequest, dialect: SessionDialect?, loop: LoopContext, server: EngineIOServer,
        state: SessionState
    ) {
        self.id = id
        self.dialect = dialect
        self.request = request
        self.loop = loop
        self.server = server
        self.throttle = server.makeThrottle()
        self.state = Mutex(state)
    }

    /// The transport that serves the client now.
    public var transport: EngineIOTransport {
        self.state.withLock { state in
            switch state.transport {
            case .polling: .polling
            case .websocket: .websocket
            }
        }
    }

    /// Whether messages are accepted.
    public var isOpen: Bool { self.state.withLock { $0.phase == .open } }

    /// Bytes that wait for the client to read them.
    public var bufferedBytes: Int { self.state.withLock { $0.outbox.byteCount + $0.bytesInFlight } }

    // MARK: Sending

    /// Sends a text message. `completion` is called with true when it was handed to the system, false when it was dropped.
    public func send(text: String, completion: (@Sendable (Bool) -> Void)? = nil) {
        self.send(OutboundPacket(frames: Self.frame(text), completion: completion))
    }

    static func frame(_ text: String) -> ByteBuffer {
        var frames = ByteBuffer()
        WebSocketFrame.writeHeader(opcode: .text, payloadLength: 1 + text.utf8.count, to: &frames)
        frames.writeInteger(UInt8(ascii: "4"))
        frames.writeString(text)
        return frames
    }

    /// Sends a binary message. `completion` is called with true when it was handed to the system, false when it was dropped.
    public func send(binary data: ByteBuffer, completion: (@Sendable (Bool) -> Void)? = nil) {
        var frames = ByteBuffer()
        WebSocketFrame.append(opcode: .binary, payload: data, to: &frames)
        self.send(OutboundPacket(frames: frames, completion: completion))
    }

    /// What became of a packet.
    package enum SendResult: Sendable {
        case accepted
        /// Volatile, and the client could not be written to right now.
        case dropped
        /// The session is closed or closing.
        case closed
        /// More waits than the limit allows; the session is being closed.
        case overflow
        /// More waits than is allowed for all clients together; the session is being closed.
        case totalOverflow
    }

    /// Sends messages that were framed before: server frames back to back, shared by all recipients of a broadcast.
    @discardableResult
    package func send(frames: ByteBuffer, isVolatile: Bool = false, key: String? = nil) -> SendResult {
        self.send(OutboundPacket(frames: frames, key: key), isVolatile: isVolatile)
    }

    /// Sends messages that were framed before, by copying them: into storage that the outbox has already, or that
    /// `here` has left over. For small packets; the caller may use their storage again.
    ///
    /// - Parameter here: the context of the loop on whose thread this is called.
    @discardableResult
    package func send(copying frames: ByteBuffer, isVolatile: Bool = false, on here: LoopContext) -> SendResult {
        let appended = self.state.withLock { $0.append(copying: frames, isVolatile: isVolatile, here) }
        if case .queued(let endpoint) = appended {
            endpoint?.loop.schedule(self)
            return .accepted
        }
        return self.complete(appended, OutboundPacket(frames: ByteBuffer()))
    }

    @discardableResult
    func send(_ packet: OutboundPacket, isVolatile: Bool = false) -> SendResult {
        self.complete(self.state.withLock { $0.append(packet, isVolatile: isVolatile) }, packet)
    }

    /// A packet that was put into the outbox, or was not, without consequences yet.
    package struct StagedSend: Sendable {
        let appended: SessionState.Appended
        let packet: OutboundPacket
    }

    /// Puts a packet into the outbox and does nothing else: for callers that hold a lock of their own, and call
    /// ``complete(_:)`` once they have released it.
    package func stage(frames: ByteBuffer, isVolatile: Bool = false) -> StagedSend {
        let packet = OutboundPacket(frames: frames)
        let appended = self.state.withLock { $0.append(packet, isVolatile: isVolatile) }
        return StagedSend(appended: appended, packet: packet)
    }

    @discardableResult
    package func complete(_ staged: StagedSend) -> SendResult { self.complete(staged.appended, staged.packet) }

    private func complete(_ appended: SessionState.Appended, _ packet: OutboundPacket) -> SendResult {
        switch appended {
        case .queued(let endpoint):
            endpoint?.loop.schedule(self)
            return .accepted
        case .dropped:
            packet.completion?(false)
            return .dropped
        case .refused:
            packet.completion?(false)
            return .closed
        case .overflow:
            packet.completion?(false)
            self.server.metrics?.exceeded(.maxOutboxBytes)
            self.server.logger.info(
                "session closed: its client does not read and maxOutboxBytes is reached",
                metadata: self.metadata(["socketio.limit": "maxOutboxBytes"])
            )
            self.end(reason: .transportError, .close)
            return .overflow
        case .totalOverflow:
            packet.completion?(false)
            self.server.metrics?.exceeded(.maxTotalOutboxBytes)
            self.server.logger.info(
                "session closed: its client does not read and maxTotalOutboxBytes is reached",
                metadata: self.metadata(["socketio.limit": "maxTotalOutboxBytes"])
            )
            self.end(reason: .transportError, .close)
            return .totalOverflow
        }
    }

    // MARK: Closing

    /// Closes the session in good order: what was sent before is delivered first, as long as the client takes it within
    /// ``EngineIOConfiguration/closeTimeout``. Nothing sent from now on is accepted.
    ///
    /// Returns whether the session could be closed on the spot. Otherwise it is being closed.
    @discardableResult
    public func close() -> Bool {
        let now = NIODeadline.now().uptimeNanoseconds
        let (close, isWebSocket) = self.state.withLock { state in
            let close = state.beginClose(now: now)
            if case .websocket = state.transport { return (close, true) }
            return (close, false)
        }
        self.isEndingFlag.store(true, ordering: .relaxed)
        switch close {
        case .now:
            self.end(reason: .forcedClose, .close)
            return true
        case .later(let endpoint):
            endpoint?.loop.schedule(self)
            self.updateWheel()
            // A WebSocket is closed behind what waits for it, without a move of the client.
            if isWebSocket { self.submit(.closed(.forcedClose)) }
            return isWebSocket
        case .already:
            return true
        }
    }

    /// Ends the session at once; what waits is discarded.
    func end(reason: EngineIOCloseReason, _ end: SessionEnd) {
        guard let ended = self.state.withLock({ $0.end() }) else { return }
        self.ticket.void()
        self.server.remove(self)
        self.server.metrics?.sessionClosed(
            reason, isWebSocket: ended.websocket != nil, isVersion3: self.isVersion3)
        if ended.probing != nil { self.server.metrics?.upgrade(.failed) }
        self.log("session closed", ended.websocket != nil ? .websocket : .polling, reason: reason)
        self.finish(ended.poll, end)
        self.finish(ended.post, .cut)
        self.finish(ended.websocket, end)
        self.finish(ended.probing, .close)
        for packet in ended.discarded { packet.completion?(false) }
        for waiter in ended.waiters { waiter.continuation.resume(throwing: EngineIOSessionClosedError()) }
        self.submit(.closed(reason))
    }

    private func finish(_ endpoint: SessionEndpoint?, _ end: SessionEnd) {
        guard let endpoint else { return }
        if endpoint.loop.eventLoop.inEventLoop {
            endpoint.sessionEnded(end)
        } else {
            endpoint.loop.eventLoop.execute { endpoint.sessionEnded(end) }
        }
    }

    // MARK: Draining

    /// Called by the loop on whose list the session stands.
    func drain(on loop: LoopContext) {
        guard let endpoint = self.state.withLock({ $0.beginDrain() }) else { return }
        if endpoint.loop === loop {
            endpoint.drain(self)
        } else {
            // The session has moved to another loop since it was put on this list.
            self.state.withLock { $0.reschedule() }
            endpoint.loop.schedule(self)
        }
    }

    // MARK: Time

    /// Has the handler called back at `deadline` (nanoseconds of `NIODeadline`), or never with nil. One deadline a session.
    package func setHandlerDeadline(_ deadline: UInt64?) {
        self.state.withLock { $0.handlerDeadline = deadline }
        if deadline != nil { self.updateWheel() }
    }

    func updateWheel() {
        guard let time = self.state.withLock({ $0.earlierWake() }) else { return }
        self.ticket.hold(self)
        self.loop.wake(self.ticket, at: time)
        if !self.state.withLock({ $0.phase != .closed }) { self.ticket.void() }
    }
}

extension EngineIOSession: WheelClient {
    func wheelFired(now: UInt64) -> UInt64? {
        let due = self.state.withLock { $0.tick(now: now) }
        if due.timedOut {
            self.end(reason: .pingTimeout, .close)
            return nil
        }
        if due.closeTimedOut {
            self.end(reason: .forcedClose, .cut)
            return nil
        }
        if due.sendPing { self.send(OutboundPacket(frames: Self.ping)) }
        if let poll = due.noop { self.finish(poll, .noop) }
        if let probing = due.upgradeTimedOut {
            self.server.metrics?.upgrade(.timedOut)
            self.finish(probing, .close)
        }
        if due.handler { self.submit(.deadline) }
        return due.next
    }

    /// A ping as a WebSocket frame; shared by all sessions.
    private static let ping = ByteBuffer(bytes: [0x81, 0x01, UInt8(ascii: "2")])
}
