import EngineIO
import NIOCore
import SocketIOCore

extension Socket {
    /// Sends an event that its client gets later if it does not get it now.
    func emitKept(_ packet: EncodedPacket, _ event: String, _ recovery: NamespaceRecovery) {
        let broadcast = BroadcastPacket(event: event, encoded: packet)
        // It comes before the answer to CONNECT: a client without the one is without the other, and starts anew.
        if !self.recovered, let staged = self.namespace.local.stageEarly(self, packet, recovery) {
            return self.complete(staged, broadcast)
        }
        if !recovery.isExternal.load(ordering: .relaxed) {
            // A client of protocol 4 never comes back for it.
            if self.connection.isVersion4 {
                return self.namespace.local.emitUnkept(broadcast, to: self, isVolatile: false, recovery)
            }
            self.namespace.local.emitKept(broadcast, id: self.id, recovery)
        } else {
            self.namespace.adapter.broadcast(broadcast, to: BroadcastTarget(rooms: [Room(self.id)]))
        }
    }

    /// Puts a packet of a broadcast into the outbox, and does nothing else. Returns what is left to be done by
    /// ``complete(_:_:)``, outside any lock; nil: nothing.
    func stage(_ frames: ByteBuffer, isVolatile: Bool = false) -> EngineIOSession.StagedSend? {
        guard !self.isGone.load(ordering: .relaxed) else { return nil }
        let staged = self.session.stage(frames: frames, isVolatile: isVolatile)
        return staged.isDone && !self.hasOutgoingListeners.load(ordering: .relaxed) ? nil : staged
    }

    func complete(_ staged: EngineIOSession.StagedSend, _ packet: BroadcastPacket) {
        if self.hasOutgoingListeners.load(ordering: .relaxed) { self.tellOutgoing(packet.encoded) }
        if let error = Self.error(of: self.session.complete(staged)) { self.report(error) }
    }

    /// The connection has ended: the session is kept if the client may come back.
    func lose(_ reason: DisconnectReason, _ recovery: NamespaceRecovery) {
        guard let session = self.namespace.local.lose(self, reason, recovery) else { return }
        self.namespace.sessions?.keepSession(session, for: recovery.options.maxDisconnectionDuration)
    }
}
