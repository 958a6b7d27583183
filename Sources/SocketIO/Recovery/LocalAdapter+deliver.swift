import EngineIO
import NIOCore
import SocketIOCore

/// Packets whose order and offsets an adapter gives.
extension LocalAdapter {
    /// Whether clients can go on where they have stopped.
    package var recovers: Bool { self.recovery != nil }

    /// What this server's sockets were given last.
    package var readPosition: RecoveryPosition {
        guard let recovery = self.recovery else { return RecoveryPosition() }
        return self.table.withLock { _ in recovery.state.withLock { $0.position } }
    }

    /// Whether the session with this private id is that of a socket here; its connection is then taken for lost. For clients
    /// that have come back to another server, before this one has noticed.
    package func abandon(pid: String) {
        guard let recovery = self.recovery else { return }
        let socket = self.table.withLock { _ in recovery.state.withLock { $0.connected[pid] } }
        socket?.connection.abandon()
    }

    /// Gives a packet to this server's sockets. Calls come one at a time and with rising positions.
    package func deliver(
        _ packet: BroadcastPacket,
        to target: BroadcastTarget,
        offset: String,
        at position: RecoveryPosition
    ) {
        guard let recovery = self.recovery else { return self.broadcast(packet, to: target) }
        var stamped: ByteBuffer?
        do {
            stamped = try self.encode(frames: PacketEncoder.withOffset(packet.encoded, offset).frames)
        } catch {
            self.onUnsent(error, packet.event)
        }
        let frames = stamped
        var sent: [(Socket, EngineIOSession.StagedSend)] = []
        self.table.withLock { table in
            let floors = recovery.advance(to: position)
            guard let frames else { return }
            table.select(target).forEach { socket in
                // It has got this one when it came back.
                if let floors, let floor = floors[socket.id], position <= floor { return }
                if let staged = socket.stage(frames) { sent.append((socket, staged)) }
            }
        }
        for (socket, staged) in sent { socket.complete(staged, packet) }
    }

    /// Nothing for this namespace will come any more up to `position`.
    package func noteRead(upTo position: RecoveryPosition) {
        guard let recovery = self.recovery else { return }
        self.table.withLock { _ in _ = recovery.advance(to: position) }
    }

    /// Continues a session for which everything was looked up to `upTo`, as ``resume(_:_:after:limit:_:send:)`` does. Nil:
    /// packets behind that were given to sockets meanwhile, look for them.
    func resume(
        _ socket: Socket,
        _ session: LostSession,
        upTo: RecoveryPosition,
        _ recovery: NamespaceRecovery,
        send: () -> Set<Room>
    ) -> Bool? {
        self.change { table, events, records in
            let isComplete = recovery.state.withLock { state in
                guard state.position <= upTo else { return false }
                if state.position < upTo { state.floors[session.sid] = upTo }
                return true
            }
            guard isComplete else { return nil }
            return self.enter(socket, session, &table, &events, records, recovery, connect: send)
        }
    }
}

extension NamespaceRecovery {
    /// Packets up to `position` are being given to sockets. Returns who has got some of them already; nil: nobody.
    fileprivate func advance(to position: RecoveryPosition) -> [String: RecoveryPosition]? {
        self.state.withLock { state in
            if !state.isLocated {
                // Now it is known from where on the sockets that are here get packets.
                state.isLocated = true
                for index in state.histories.values.indices where state.histories.values[index].start < position {
                    state.histories.values[index].start = position
                }
            }
            if state.position < position { state.position = position }
            guard !state.floors.isEmpty else { return nil }
            let floors = state.floors
            for (id, floor) in floors where floor <= position { state.floors[id] = nil }
            return floors
        }
    }
}
