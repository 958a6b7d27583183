import EngineIO
import SocketIOCore

extension Socket {
    /// Disconnects the client from this namespace, with `close` from all, and closes its connection.
    ///
    /// Nothing is sent to the socket from now on. The handlers for `disconnecting` and `disconnect` are called in turn, soon
    /// afterwards, never inside this call. What was sent before arrives before the disconnection. Nothing happens before the
    /// socket is connected: a middleware refuses a client by throwing. With connection state recovery over Redis Streams all of that
    /// happens once what was sent before has come back from Redis, or after 5 s without it; the client can't come back in any case.
    public func disconnect(close: Bool = false) {
        if let sessions = self.namespace.sessions {
            self.isLeaving.store(true, ordering: .relaxed)
            // What was sent before is on its way through the adapter.
            return sessions.afterPending { self.disconnectNow(close: close) }
        }
        self.disconnectNow(close: close)
    }

    private func disconnectNow(close: Bool) {
        if close { return self.connection.disconnectAll() }
        guard self.beginDisconnect() else { return }
        self.connection.sendDisconnect(self.namespace.name)
        self.session.enqueue { loop in self.finishDisconnect(.serverNamespaceDisconnect, on: loop) }
    }

    /// Marks the socket disconnected. Returns false if it was not connected.
    func beginDisconnect() -> Bool {
        self.state.withLock { state in
            guard state.phase == .connected else { return false }
            state.phase = .disconnected
            self.isGone.store(true, ordering: .relaxed)
            return true
        }
    }

    /// Calls the handlers and takes the socket out of everything. Called once, in turn with the session's messages, after
    /// ``beginDisconnect()``.
    func finishDisconnect(_ reason: DisconnectReason, on loop: LoopContext) {
        let disconnecting = self.listeners.withLock { $0.disconnecting }
        for handler in disconnecting { handler(self, reason, loop) }
        if let recovery = self.namespace.local.recovery {
            let isLeaving = self.isLeaving.load(ordering: .relaxed)
            self.lose(isLeaving ? .serverNamespaceDisconnect : reason, recovery)
        } else {
            self.namespace.local.remove(self.id)
        }
        self.connection.remove(self)
        self.namespace.observation?.metrics?.disconnected(reason)
        self.log("socket disconnected", reason: reason)
        let disconnect = self.listeners.withLock { $0.disconnect }
        for handler in disconnect { handler(self, reason, loop) }
        self.release()
        self.namespace.socketHasLeft()
    }

    /// The socket was refused: it leaves nothing behind.
    func refuse() {
        self.state.withLock { state in
            state.phase = .disconnected
            state.earlyRooms = []
            self.isGone.store(true, ordering: .relaxed)
        }
        self.release()
    }

    /// Fails what is waited for and lets go of the handlers, which often hold the socket.
    private func release() {
        let acks = self.state.withLock { state in
            defer { state.acks = [:] }
            return state.acks
        }
        for ack in acks.values {
            ack.timer?.cancel()
            ack.complete(.failure(Self.isDisconnected))
        }
        let old = self.listeners.withLock { listeners in
            let old = listeners
            listeners = SocketListeners()
            listeners.isReleased = true
            return old
        }
        for end in old.sequences.values { end() }
    }
}
