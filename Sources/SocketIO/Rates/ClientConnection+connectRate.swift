import EngineIO
import EngineIOCore
import SocketIOCore

/// CONNECT packets are counted when it is their turn, for the connection: a client may have few namespaces at a time and come and go
/// in them for ever.
extension ClientConnection {
    /// Whether a CONNECT may be handled. One that may not is refused.
    func admitsConnect(_ namespace: String, _ rate: EventRate, on loop: LoopContext) -> Bool {
        guard !rate.isOver else { return false }
        if rate.bucket.take(1, at: loop.coarseTime) || rate.bucket.take(1, at: loop.readClock()) {
            if rate.limit.policy == .wait, !rate.bucket.has(1) { self.pause(rate, .connectRate, on: loop) }
            return true
        }
        switch rate.limit.policy {
        case .wait:
            rate.bucket.spend(1)
            self.pause(rate, .connectRate, on: loop)
            return true
        case .drop:
            self.tell(.refused, rate)
            self.refuse(namespace, ConnectError("Too many attempts"), .limited)
        case .disconnect:
            rate.isOver = true
            self.tell(.disconnected, rate)
            self.disconnectAll()
        }
        return false
    }

    private func tell(_ action: EngineIOLimitReport.Action, _ rate: EventRate) {
        if !rate.isLogged {
            rate.isLogged = true
            self.server.logger.info(
                "over a limit: \(action)", metadata: self.metadata(["socketio.limit": "\(EngineIOLimit.connectRate)"]))
        }
        self.server.engine?.tell(
            EngineIOLimitReport(limit: .connectRate, action: action, request: self.session.request))
    }
}

extension EngineIOLimit {
    /// ``SocketIOConfiguration/connectRate``
    public static let connectRate = Self(rawValue: "connectRate")
}
