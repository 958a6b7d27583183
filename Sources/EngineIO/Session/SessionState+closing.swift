/// The end, at once or when the client has got everything.
extension SessionState {

    /// What is to be ended outside the lock when a session ends.
    struct Ended: Sendable {
        var poll: SessionEndpoint?
        var post: SessionEndpoint?
        var websocket: SessionEndpoint?
        var probing: SessionEndpoint?
        var discarded: [OutboundPacket] = []
        var waiters: [RoomWaiter] = []
    }

    /// Ends the session at once. Returns nil if it had ended before.
    mutating func end() -> Ended? {
        guard self.phase != .closed else { return nil }
        self.phase = .closed
        var ended = Ended()
        ended.poll = self.poll
        if !self.postIsReceived { ended.post = self.post }
        if case .websocket(let endpoint) = self.transport {
            ended.websocket = endpoint
            self.transport = .websocket(nil)
        }
        if case .probing(let endpoint, _) = self.upgrade { ended.probing = endpoint }
        ended.discarded = self.outbox.removeAll()
        swap(&ended.waiters, &self.waiters)
        self.poll = nil
        self.post = nil
        self.upgrade = .none
        self.bytesInFlight = 0
        self.count()
        self.upgradeDeadline = nil
        self.noopDeadline = nil
        self.closeDeadline = nil
        self.handlerDeadline = nil
        return ended
    }

    enum Close: Sendable {
        /// Nothing waits for the client: end it now.
        case now
        /// What waits is delivered first. The endpoint's loop must be told, unless it is nil.
        case later(wake: SessionEndpoint?)
        case already
    }

    /// The server closes in good order.
    mutating func beginClose(now: UInt64) -> Close {
        guard self.phase == .open else { return .already }
        let idle: Bool
        switch self.transport {
        case .polling: idle = self.outbox.isEmpty && self.poll != nil
        case .websocket: idle = self.outbox.isEmpty && self.isWritable
        }
        if idle { return .now }
        self.phase = .closing
        self.closeDeadline = now &+ self.limits.closeTimeout
        return .later(wake: self.endpointToWake())
    }
}
