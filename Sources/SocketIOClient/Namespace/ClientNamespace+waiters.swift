import EngineIOClient
import SocketIOCore

/// Those who wait to be connected.
extension ClientNamespace {
    func wait(_ id: Int, timeout: Duration?, _ complete: @escaping @Sendable (Result<Void, any Error>) -> Void) {
        if self.state.phase == .connected { return complete(.success(())) }
        var waiter = Waiter(complete: complete, timer: nil)
        if let timeout {
            waiter.timer = LoopTimer(on: self.manager.eventLoop, in: timeout) { [weak self] in
                guard let self else { return }
                let error = SocketIOError(
                    .connectTimeout, "not connected in time; the client goes on trying until disconnect() is called",
                    cause: self.lastError)
                self.endWait(id, .failure(error))
            }
        }
        self.waiters[id] = waiter
        self.activate()
    }

    func endWait(_ id: Int, _ result: Result<Void, any Error>) {
        guard let waiter = self.waiters.removeValue(forKey: id) else { return }
        waiter.timer?.cancel()
        waiter.complete(result)
    }

    func resumeWaiters(_ result: Result<Void, any Error>) {
        for id in self.waiters.keys.sorted() { self.endWait(id, result) }
    }
}
