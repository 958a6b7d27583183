import SocketIOCore

extension NamespaceState {
    /// The connection is gone.
    mutating func closed(_ reason: DisconnectReason, _ error: (any Error)?, willReconnect: Bool) -> [Action] {
        self.isJoinPending = false
        self.forgetEarly()
        switch self.phase {
        case .inactive, .waiting: return []
        case .authenticating, .joining, .rejoining:
            self.phase = .waiting
            return [.failed(error ?? SocketIOError(.disconnected, "the connection has ended (\(reason))"))]
        case .connected:
            self.phase = .waiting
            return self.leaveSession(Disconnection(reason, error: error, willReconnect: willReconnect))
        }
    }

    /// There will be no more attempts.
    mutating func gaveUp(_ error: any Error) -> [Action] {
        self.phase == .inactive ? [] : self.stop(error, .gaveUp(error))
    }

    /// The application wants to be disconnected: who waits for anything is told so. Events that nobody waits for are kept for
    /// the next connection.
    mutating func leave() -> [Action] {
        var actions: [Action] = []
        let wasConnected = self.phase == .connected
        self.phase = .inactive
        self.forgetEarly()
        if wasConnected {
            actions.append(
                .transmit(PacketEncoder.disconnect(namespace: self.options.namespace), isEvent: false))
            actions += self.leaveSession(Disconnection(.ioClientDisconnect, error: nil, willReconnect: false))
        }
        self.end(SocketIOError(.disconnected, "the client was disconnected"), into: &actions)
        return actions
    }

    /// Nothing is tried any more: who waits for the acknowledgement of what was kept is told so, and who asks from now on.
    mutating func end(_ error: SocketIOError, into actions: inout [Action]) {
        self.ended = error
        for outgoing in self.buffer.takeAwaited() + self.queue.takeAwaited() {
            self.fail(outgoing, error, into: &actions)
        }
    }

    /// The client is gone: nothing is kept.
    mutating func release() -> [Action] {
        var actions = self.leave()
        for outgoing in self.buffer.takeAll() + self.queue.takeAll() {
            self.fail(outgoing, nil, into: &actions)
        }
        return actions
    }

    mutating func leaveSession(_ disconnection: Disconnection) -> [Action] {
        self.id = nil
        self.recovered = false
        self.recoveryFailure = nil
        var actions: [Action] = [.disconnected(disconnection)]
        self.loseAcks(into: &actions)
        return actions
    }

    static let disconnected = SocketIOError(
        .disconnected, "the connection was lost before the acknowledgement came; the event may have arrived")
}
