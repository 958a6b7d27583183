import EngineIOClient
import SocketIOCore

extension ClientNamespace {
    /// Has a time for the server's answer, while it is awaited.
    func watchJoin() {
        guard self.state.isAwaitingAnswer else {
            self.joinTimer?.cancel()
            self.joinTimer = nil
            return
        }
        if self.joinTimer == nil { self.startJoinTimer() }
    }

    private func startJoinTimer() {
        self.joinTimer = LoopTimer(on: self.manager.eventLoop, in: self.joinTimeout) { [weak self] in
            self?.joinTimedOut()
        }
    }

    /// A second CONNECT is against the protocol, so it takes another connection to try again. If others use this one, the answer
    /// is waited for.
    private func joinTimedOut() {
        self.joinTimer = nil
        guard self.state.isAwaitingAnswer else { return }
        let error = SocketIOError(
            .joinTimeout,
            "the server has not answered within `joinTimeout` that the client wants to join \(self.name); "
                + "is there a middleware that does not end?")
        if self.manager.isUsed {
            self.startJoinTimer()
            self.failAttempt(error)
        } else {
            self.manager.violated(error, reason: .transportError)
        }
    }
}
