import SocketIOCore

/// The state as others see it.
extension ClientNamespace {
    func publishState() {
        let state = self.visibleState
        let observers = self.shared.withLock { shared in
            shared.id = self.state.id
            shared.recovered = self.state.recovered
            shared.recoveryFailure = self.state.recoveryFailure
            shared.isActive = self.state.isActive
            guard shared.state != state else { return [AsyncStream<SocketIOClientState>.Continuation]() }
            shared.state = state
            return Array(shared.observers.values)
        }
        for observer in observers { observer.yield(state) }
    }

    private var visibleState: SocketIOClientState {
        switch self.state.phase {
        case .inactive: return .disconnected
        case .connected: return .connected
        case .waiting, .authenticating, .joining, .rejoining: break
        }
        let manager = self.manager.state
        switch manager.phase {
        case .suspended: return .suspended
        case .waiting: return .reconnecting(attempt: manager.backoff.attempts)
        case .opening where manager.isReconnecting: return .reconnecting(attempt: manager.backoff.attempts)
        case .closed, .opening, .open: return .connecting
        }
    }

    /// Events, acknowledgements and waits that are kept (for tests).
    var pendingCount: Int {
        self.state.acks.count + self.timers.count + self.waiters.count + (self.joinTimer == nil ? 0 : 1)
    }
}
