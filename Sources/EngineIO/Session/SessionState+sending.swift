import NIOCore

/// What waits for the client, and who takes it away.
extension SessionState {

    enum Appended: Sendable {
        /// Accepted. The endpoint's loop must be told, unless it is nil.
        case queued(wake: SessionEndpoint?)
        /// A volatile packet that could not be sent right now.
        case dropped
        /// The session is closed or closing.
        case refused
        /// The client does not read: the session must end.
        case overflow
        /// It does not read at the moment, and the clients that do not have all too much waiting: the session must end.
        case totalOverflow
    }

    mutating func append(_ packet: OutboundPacket, isVolatile: Bool = false) -> Appended {
        if let refusal = self.refusal(isVolatile, key: packet.key) { return refusal }
        self.outbox.append(packet)
        self.count()
        return .queued(wake: self.endpointToWake())
    }

    /// Appends a copy of a small packet without a completion.
    mutating func append(copying frames: ByteBuffer, isVolatile: Bool, _ here: LoopContext) -> Appended {
        if let refusal = self.refusal(isVolatile) { return refusal }
        self.outbox.append(copying: frames, here)
        self.count()
        return .queued(wake: self.endpointToWake())
    }

    private mutating func refusal(_ isVolatile: Bool, key: String? = nil) -> Appended? {
        guard self.phase == .open else { return .refused }
        if isVolatile, !self.isReady { return .dropped }
        // It makes room for its successor.
        if let key { self.outbox.dropLast(key) }
        if self.outbox.cost + self.bytesInFlight > self.limits.maxOutboxBytes { return .overflow }
        if self.isStuck, self.limits.total.isOver(own: self.counted) { return .totalOverflow }
        return nil
    }

    /// Whether the client does not take what waits.
    private var isStuck: Bool {
        switch self.transport {
        case .polling: self.poll == nil
        case .websocket: !self.isWritable
        }
    }

    /// Tells the server's total what waits while the client is stuck. To be called when something of that changes.
    @inline(__always)
    mutating func count() {
        if self.counted != 0 || self.isStuck { self.recount() }
    }

    private mutating func recount() {
        let now = self.phase != .closed && self.isStuck ? self.outbox.cost + self.bytesInFlight : 0
        guard now != self.counted else { return }
        self.limits.total.change(from: self.counted, to: now)
        self.counted = now
    }

    /// Whether a packet would leave right now.
    private var isReady: Bool {
        guard self.outbox.isEmpty else { return false }
        switch self.transport {
        case .polling: return self.poll != nil
        case .websocket: return self.isWritable
        }
    }

    /// The endpoint that can take what waits, if it has not been told already.
    mutating func endpointToWake() -> SessionEndpoint? {
        guard !self.isScheduled else { return nil }
        switch self.transport {
        case .polling:
            guard let poll = self.poll else { return nil }
            self.isScheduled = true
            return poll
        case .websocket(let endpoint):
            // One that can take no more drains by itself as soon as it can.
            guard self.isWritable else { return nil }
            self.isScheduled = true
            return endpoint
        }
    }

    /// The endpoint to drain now that its loop has come to the session's entry; nil when there is none any more.
    mutating func beginDrain() -> SessionEndpoint? {
        self.isScheduled = false
        switch self.transport {
        case .polling: return self.poll
        case .websocket(let endpoint): return endpoint
        }
    }

    /// Puts the session on a list again: its endpoint has moved to another loop.
    mutating func reschedule() { self.isScheduled = true }

    /// What is left after packets were taken.
    enum Rest: Sendable {
        case none
        case more
        /// Nothing, and the session was waiting for that to close.
        case closing
    }

    /// Moves packets for a WebSocket into `frames`, about `maxBytes` of them but one at least.
    /// Completions are kept apart: they are rare.
    mutating func takeFrames(
        for endpoint: SessionEndpoint,
        maxBytes: Int,
        into frames: inout [ByteBuffer],
        completions: inout [@Sendable (Bool) -> Void]
    ) -> Rest {
        guard case .websocket(let current) = self.transport, current === endpoint, self.phase != .closed else {
            return .none
        }
        var bytes = 0
        let count = self.outbox.count
        while bytes < maxBytes, let packet = self.outbox.popFirst() {
            bytes += packet.byteCount
            frames.append(packet.frames)
            if let completion = packet.completion { completions.append(completion) }
        }
        endpoint.loop.counts.webSocket.sent(packets: count - self.outbox.count, bytes: bytes)
        self.count()
        if !self.outbox.isEmpty { return .more }
        return self.phase == .closing ? .closing : .none
    }

    /// See ``EngineIOSession/takeOnly(for:)``.
    mutating func takeOnly(for endpoint: SessionEndpoint) -> ByteBuffer? {
        guard case .websocket(let current) = self.transport, current === endpoint, self.phase == .open else {
            return nil
        }
        let count = self.outbox.count
        guard let frames = self.outbox.takeOnly() else { return nil }
        endpoint.loop.counts.webSocket.sent(packets: count, bytes: frames.readableBytes)
        self.count()
        return frames
    }

    /// What follows from the end of a drain.
    enum Drained: Sendable {
        case nothing
        /// Something has come while the endpoint was not believed to take it: the endpoint's loop must be told.
        case wake(SessionEndpoint)
        /// The session was waiting for this to close.
        case closing
    }

    /// Notes how a drain ended.
    @discardableResult
    mutating func drained(_ endpoint: SessionEndpoint, isWritable: Bool, bytesInFlight: Int) -> Drained {
        guard case .websocket(let current) = self.transport, current === endpoint else { return .nothing }
        self.isWritable = isWritable
        self.bytesInFlight = isWritable ? 0 : bytesInFlight
        self.count()
        guard isWritable else { return .nothing }
        if self.outbox.isEmpty { return self.phase == .closing ? .closing : .nothing }
        return self.endpointToWake().map { .wake($0) } ?? .nothing
    }
}
