import EngineIOClient
import NIOCore
import SocketIOCore

/// Doing what the state says.
extension ClientNamespace {
    func perform(_ actions: [NamespaceState.Action]) {
        // First: handlers that start from here on see it.
        self.publishState()
        for action in actions { self.perform(action) }
        self.watchJoin()
        self.manager.activityChanged()
    }

    func perform(_ action: NamespaceState.Action) {
        switch action {
        case .authenticate(let number): self.authenticate(number)
        case .authenticateLater:
            let delay = self.authBackoff.next(random: Double.random(in: 0...1))
            self.authTimer?.cancel()
            self.authTimer = LoopTimer(on: self.manager.eventLoop, in: delay) { [weak self] in
                guard let self else { return }
                self.perform(self.state.opened())
            }
        case .transmit(let packet, let isEvent):
            if isEvent, self.hasOutgoingListeners.load(ordering: .relaxed) { self.tellOutgoing(packet) }
            self.manager.transmit(packet)
        case .deliver(let packet): self.deliver(packet)
        case .complete(let complete, let result): complete(result)
        case .startTimer(let id, let timeout):
            self.timers[id]?.cancel()
            self.timers[id] = LoopTimer(on: self.manager.eventLoop, in: timeout) { [weak self] in
                guard let self else { return }
                self.timers[id] = nil
                self.perform(self.state.timedOut(id))
            }
        case .stopTimer(let id): self.timers.removeValue(forKey: id)?.cancel()
        case .connected:
            self.authBackoff.reset()
            self.lastError = nil
            self.notify(.connected)
            self.resumeWaiters(.success(()))
        case .disconnected(let disconnection): self.notify(.disconnected(disconnection))
        case .refused(let error):
            if self.waiters.isEmpty || self.hasHooks(.connectError) { self.notify(.connectError(error)) }
            self.resumeWaiters(.failure(error))
        case .gaveUp(let error): self.resumeWaiters(.failure(error))
        case .failed(let error): self.failAttempt(error)
        case .report(let error): self.report(error)
        case .violation(let error): self.manager.violated(error)
        }
    }

    /// An attempt has failed. Who waits in `connect()` goes on waiting if the next may do better.
    func failAttempt(_ error: any Error) {
        self.lastError = error
        if self.waiters.isEmpty || self.hasHooks(.connectError) { self.notify(.connectError(error)) }
        if isLasting(error) { self.hopelessError = error }
    }

    /// Called when an attempt has failed and all that follows from it is done.
    func endHopelessWaits() {
        guard let error = self.hopelessError else { return }
        self.hopelessError = nil
        self.resumeWaiters(.failure(error))
    }
}

/// Whether a failed attempt is not worth waiting for the next one: somebody has to change something first.
private func isLasting(_ error: any Error) -> Bool {
    guard let error = error as? EngineClientError else { return false }
    switch error.code {
    case .invalidConfiguration, .tlsCertificate, .tlsPin, .tlsClientCertificate, .tlsNotSpoken, .notHTTP, .notSocketIO,
        .unsupportedProtocol, .redirected, .notFound, .transportUnknown, .unauthorized, .forbidden:
        return true
    default: return false
    }
}
