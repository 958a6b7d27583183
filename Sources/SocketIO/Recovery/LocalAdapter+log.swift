import EngineIO
import NIOCore
import SocketIOCore
import Synchronization

/// Packets that are kept in the log of this server.
extension LocalAdapter {
    /// What remains to be done outside the lock for a socket whose outbox was given a packet.
    private typealias Sent = (socket: Socket, staged: EngineIOSession.StagedSend)

    /// Sends a packet to this server's sockets and keeps it for those that will have missed it.
    func broadcastKept(_ packet: BroadcastPacket, to target: BroadcastTarget, _ recovery: NamespaceRecovery) {
        self.sendKept(
            packet, .target(rooms: target.rooms, except: target.except), recovery,
            isWanted: { $0.isWanted(target) },
            select: { table, body in table.select(target).forEach(body) })
    }

    /// As ``broadcastKept(_:to:_:)``, to the one socket of that id, whether it is connected or away.
    func emitKept(_ packet: BroadcastPacket, id: String, _ recovery: NamespaceRecovery) {
        self.sendKept(
            packet, .socket(id), recovery,
            isWanted: { $0.exists(id: id) },
            select: { table, body in if let socket = table.sockets[id]?.socket { body(socket) } })
    }

    /// The packet is numbered, kept and put into the outboxes in one critical section: no two clients get packets in different
    /// orders, and nobody comes or goes in between.
    private func sendKept(
        _ packet: BroadcastPacket,
        _ audience: PacketLog.Audience,
        _ recovery: NamespaceRecovery,
        isWanted: (RoomTable) -> Bool,
        select: (RoomTable, (Socket) -> Void) -> Void
    ) {
        // All that takes time is done before the lock is taken.
        guard var stamped = try? PacketEncoder.withOffset(packet.encoded, LogOffset.blank) else { return }
        let now = NIODeadline.now().uptimeNanoseconds
        var sent: [Sent] = []
        var frames = ByteBuffer()
        var mustSweep = false
        var failure: (any Error)?
        self.table.withLock { table in
            guard isWanted(table) else { return }
            recovery.state.withLock { state in
                stamped.set(recovery.offsets.text(state.log.mint()))
                do {
                    // What another form makes of the offset is not known before.
                    frames = try self.encode(frames: stamped.frames)
                    state.log.append(frames, audience, now: now)
                } catch {
                    failure = error
                    state.log.append(ByteBuffer(), .nobody, now: now)
                }
                state.position = RecoveryPosition(low: state.log.last)
                mustSweep = state.mustSweep()
            }
            if failure != nil { return }
            select(table) { socket in
                if let staged = socket.stage(frames) { sent.append((socket, staged)) }
            }
        }
        for (socket, staged) in sent { socket.complete(staged, packet) }
        if let failure { self.onUnsent(failure, packet.event) }
        if mustSweep { self.startSweeping() }
    }

    // MARK: Going

    /// Takes a socket out of everything. With a reason for which its client may come back, and if it is kept here, its session
    /// is kept; if the adapter keeps it, it is returned.
    func lose(_ socket: Socket, _ reason: DisconnectReason, _ recovery: NamespaceRecovery) -> LostSession? {
        let isExternal = recovery.isExternal.load(ordering: .relaxed)
        let data = socket.data.values
        let deadline = NIODeadline.now().uptimeNanoseconds &+ recovery.duration
        let (kept, dropped, mustSweep) = self.change { table, events, records in
            let history = recovery.forget(socket)
            var kept: LostSession?
            if reason.isRecoverable, let pid = socket.pid, let history {
                kept = LostSession(sid: socket.id, pid: pid, history: history, data: data, deadline: deadline)
                if isExternal { kept?.startIsKnown = recovery.state.withLock { $0.isLocated } }
            }
            if let kept, !isExternal { table.hold(kept.rooms) }
            _ = table.remove(socket.id, events: &events, recordsEvents: records)
            guard let kept, !isExternal else { return (kept, [LostSession](), false) }
            let (dropped, mustSweep) = recovery.state.withLock { state in
                // Nobody comes back to a server that is closed.
                state.isClosed ? ([kept], false) : (state.sessions.add(kept), state.mustSweep())
            }
            for session in dropped { table.release(session.rooms, events: &events, recordsEvents: records) }
            return (kept, dropped, mustSweep)
        }
        _ = dropped
        if mustSweep { self.startSweeping() }
        return isExternal ? kept : nil
    }

    // MARK: Coming back

    enum Claim: Sendable {
        /// The session is the caller's, who continues it, gives it back or drops it.
        case claimed(LostSession, after: RecoveryPosition)
        /// Its old connection is not known to be lost yet.
        case connected(Socket)
        case failed(RecoveryFailure)
    }

    /// Takes the session of a client that has come back out of what is kept. Packets are kept for it on.
    func claim(_ request: RecoveryRequest, _ recovery: NamespaceRecovery) -> Claim {
        let now = NIODeadline.now().uptimeNanoseconds
        let (claim, dropped) = self.change { table, events, records -> (Claim, LostSession?) in
            let claim = recovery.state.withLock { state -> (Claim, LostSession?) in
                if let socket = state.connected[request.pid] { return (.connected(socket), nil) }
                switch state.sessions.take(request.pid) {
                case .failure(let error): return (.failed(error.failure), nil)
                case .success(let session):
                    switch state.start(of: session, request.offset, recovery.offsets, now: now) {
                    case .success(let position): return (.claimed(session, after: position), nil)
                    case .failure(let error): return (.failed(error.failure), session)
                    }
                }
            }
            if let dropped = claim.1 { table.release(dropped.rooms, events: &events, recordsEvents: records) }
            return claim
        }
        _ = dropped
        return claim
    }

    /// A session that was claimed is not continued now: its client is gone again.
    func giveBack(_ session: LostSession, _ recovery: NamespaceRecovery) {
        let dropped = self.change { table, events, records in
            let dropped = recovery.state.withLock { $0.isClosed ? [session] : $0.sessions.add(session) }
            for session in dropped { table.release(session.rooms, events: &events, recordsEvents: records) }
            return dropped
        }
        _ = dropped
    }

    /// A session that was claimed is not continued at all.
    func drop(_ session: LostSession) {
        self.change { table, events, records in
            table.release(session.rooms, events: &events, recordsEvents: records)
        }
    }

    /// Continues a session that was claimed: its socket is added, in its rooms. What it has missed is put into its outbox by
    /// `send`, which then connects it and returns its rooms, in the same critical section in which it is added: what
    /// is sent from then on comes behind.
    ///
    /// - Parameter limit: Most bytes of missed packets.
    /// - Returns: Why it could not be continued; then the session is dropped. And whether all rooms have fitted.
    func resume(
        _ socket: Socket,
        _ session: LostSession,
        after position: RecoveryPosition,
        limit: Int,
        _ recovery: NamespaceRecovery,
        send: ([ByteBuffer]) -> Set<Room>
    ) -> (failure: RecoveryFailure?, fits: Bool) {
        var search = MissedSearch(session, after: position.low, limit: limit)
        self.search(&search, session, after: position, recovery)
        return self.change { table, events, records in
            let failure = recovery.state.withLock { state -> RecoveryFailure? in
                // Time has passed since it was claimed.
                if let gap = state.gap(session, after: position, isReadUpTo: search.position) { return gap }
                search.read(state.log)
                return search.isTooMuch ? .tooMuchMissed : nil
            }
            defer { table.release(session.rooms, events: &events, recordsEvents: records) }
            if let failure { return (failure, true) }
            let fits = self.enter(
                socket, session, &table, &events, records, recovery, connect: { send(search.frames) })
            return (nil, fits)
        }
    }

    /// Looks for what was missed in copies of the log, without the lock, until next to nothing is left for the lock.
    private func search(
        _ search: inout MissedSearch,
        _ session: LostSession,
        after position: RecoveryPosition,
        _ recovery: NamespaceRecovery
    ) {
        // What is sent during one round is looked at in the next, which is shorter therefore.
        for _ in 0..<8 where !search.isTooMuch {
            let log = self.table.withLock { _ in
                recovery.state.withLock { state -> PacketLog? in
                    guard search.rest(of: state.log) > 64,
                        state.gap(session, after: position, isReadUpTo: search.position) == nil
                    else { return nil }
                    return state.log
                }
            }
            guard let log else { return }
            search.read(log)
        }
    }

    /// Adds a socket that goes on. `connect` returns its rooms.
    func enter(
        _ socket: Socket,
        _ session: LostSession,
        _ table: inout RoomTable,
        _ events: inout RoomTable.Events,
        _ records: Bool,
        _ recovery: NamespaceRecovery,
        connect: () -> Set<Room>
    ) -> Bool {
        table.insert(socket, events: &events, recordsEvents: records)
        let rooms = connect()
        recovery.state.withLock { state in
            var history = session.history
            // What middlewares have changed.
            for room in history.since.keys where !rooms.contains(room) {
                history.leave(room, at: state.position, oldest: RecoveryPosition(low: state.log.droppedUpTo))
            }
            state.histories[socket.id] = history
            if let pid = socket.pid { state.connected[pid] = socket }
        }
        var fits = true
        for room in rooms {
            let joined = table.join(
                socket.id, room, limit: self.maxRoomsPerSocket, events: &events, recordsEvents: records)
            if joined { recovery.joined(room, socket.id) }
            fits = fits && joined
        }
        return fits
    }
}
