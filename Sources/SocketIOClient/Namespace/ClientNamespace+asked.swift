import EngineIOClient
import SocketIOCore

/// What the client asks for.
extension ClientNamespace {
    func activate() {
        if let error = self.configurationError {
            self.failAttempt(error)
            self.perform(self.state.stop(error, .gaveUp(error)))
            return self.endHopelessWaits()
        }
        self.state.maxMessageBytes = self.manager.maxPayload
        self.transportChanged()
        self.perform(self.state.activate(isOpen: self.manager.state.phase == .open))
    }

    func leave() {
        self.cancelAuth()
        self.perform(self.state.leave())
        self.forgetWaiting()
        self.resumeWaiters(
            .failure(SocketIOError(.disconnected, "the client was disconnected before it was connected")))
    }

    /// The client is gone.
    func release() {
        self.cancelAuth()
        self.perform(self.state.release())
        self.forgetWaiting()
        self.resumeWaiters(.failure(CancellationError()))
        self.manager.detach(self)
        let observers = self.shared.withLock { shared in
            shared.isReleased = true
            defer { shared.observers = [:] }
            return shared.observers
        }
        for observer in observers.values { observer.finish() }
        let old = self.listeners.withLock { listeners in
            let old = listeners
            listeners = ClientListeners()
            listeners.isReleased = true
            return old
        }
        for end in old.sequences.values { end() }
        for timer in self.timers.values { timer.cancel() }
        self.timers = [:]
    }

    func send(_ outgoing: Outgoing, using actions: inout [NamespaceState.Action]) {
        self.state.send(outgoing, isWritable: !outgoing.isVolatile || self.manager.isWritable, into: &actions)
        for action in actions { self.perform(action) }
        actions.removeAll(keepingCapacity: true)
    }

    func sendAck(_ packet: EncodedPacket, session: Int) {
        self.perform(self.state.sendAck(packet, session: session))
    }

    func cancelAck(_ id: Int) { self.perform(self.state.cancelled(id, CancellationError())) }
}
