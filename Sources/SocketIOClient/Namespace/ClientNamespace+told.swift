import SocketIOCore

/// What the connection tells.
extension ClientNamespace {
    func connectionOpened() {
        self.state.maxMessageBytes = self.manager.maxPayload
        self.transportChanged()
        self.perform(self.state.opened())
    }

    func transportChanged() { self.state.usesBase64 = self.manager.transport == .polling }

    func connectionClosed(_ reason: DisconnectReason, _ error: (any Error)?, willReconnect: Bool) {
        self.cancelAuth()
        self.perform(self.state.closed(reason, error, willReconnect: willReconnect))
    }

    func attemptFailed(_ error: any Error) {
        guard self.isActive else { return }
        self.failAttempt(error)
    }

    func gaveUp(_ error: any Error) { self.perform(self.state.gaveUp(error)) }

    func receive(_ packet: Packet) {
        guard packet.type == .event, self.state.phase == .connected else {
            return self.perform(self.state.receive(packet))
        }
        guard self.hasRoom(for: packet) else {
            let error = SocketIOError(
                .limitExceeded,
                "the handlers of \(self.name) do not keep up: more than `maxWaitingBytes` of events wait for them; "
                    + "have them end sooner, or have the server send less")
            return self.manager.violated(error, reason: .transportError)
        }
        if self.state.accept(packet) { self.deliver(packet) }
    }
}
