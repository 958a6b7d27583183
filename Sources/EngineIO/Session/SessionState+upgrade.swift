/// A WebSocket takes over from polling.
extension SessionState {

    /// Whether a WebSocket may try to take over.
    mutating func beginUpgrade(_ endpoint: SessionEndpoint, now: UInt64) -> Bool {
        guard self.phase == .open, case .polling = self.transport, case .none = self.upgrade else { return false }
        self.upgrade = .probing(endpoint, isConfirmed: false)
        self.upgradeDeadline = now &+ self.limits.upgradeTimeout
        return true
    }

    /// The probe was answered. Returns the endpoint of a waiting GET, which gets a noop so that the client can pause.
    mutating func confirmProbe(_ endpoint: SessionEndpoint, now: UInt64) -> SessionEndpoint? {
        guard case .probing(let current, _) = self.upgrade, current === endpoint else { return nil }
        self.upgrade = .probing(endpoint, isConfirmed: true)
        guard let poll = self.poll, self.outbox.isEmpty else { return nil }
        self.poll = nil
        self.noopDeadline = nil
        return poll
    }

    /// The client has switched. Returns nil when it may not; else the endpoint of a GET that still waits, if any.
    mutating func completeUpgrade(_ endpoint: SessionEndpoint) -> (poll: SessionEndpoint?, hasPackets: Bool)? {
        guard self.phase != .closed, case .probing(let current, _) = self.upgrade, current === endpoint else {
            return nil
        }
        self.upgrade = .none
        self.upgradeDeadline = nil
        self.noopDeadline = nil
        self.transport = .websocket(endpoint)
        self.isWritable = true
        self.isScheduled = true
        let poll = self.poll
        self.poll = nil
        self.count()
        return (poll, !self.outbox.isEmpty)
    }

    /// The probing WebSocket is gone; the polling session goes on. Returns whether it was the one that may try.
    @discardableResult
    mutating func endUpgrade(_ endpoint: SessionEndpoint) -> Bool {
        guard case .probing(let current, _) = self.upgrade, current === endpoint else { return false }
        self.upgrade = .none
        self.upgradeDeadline = nil
        self.noopDeadline = nil
        return true
    }
}
