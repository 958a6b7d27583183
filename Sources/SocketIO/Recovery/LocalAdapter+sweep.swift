import NIOCore
import SocketIOCore
import Synchronization

/// What is over goes, also where nothing happens any more.
extension LocalAdapter {
    /// Whether sessions of clients that are away are kept here.
    var hasLostSessions: Bool {
        guard let recovery = self.recovery else { return false }
        return recovery.state.withLock { $0.sessions.count > 0 }
    }

    /// How many packets are kept, and whether messages of others may be missing among them (for tests).
    package var keptPacketCount: Int { self.recovery?.state.withLock { $0.log.count } ?? 0 }
    package var hasNotedLoss: Bool { self.recovery?.state.withLock { $0.lossMark > RecoveryPosition() } ?? false }

    /// Has a task look now and then until nothing is kept.
    func startSweeping() {
        Task { [weak self] in
            while let wait = self?.sweep() {
                try? await Task.sleep(for: .nanoseconds(Int64(clamping: wait)))
            }
        }
    }

    /// Drops what is over. Returns after how many nanoseconds to look again; nil: nothing is kept.
    func sweep() -> UInt64? {
        guard let recovery = self.recovery else { return nil }
        let now = NIODeadline.now().uptimeNanoseconds
        let (expired, next) = self.change { table, events, records in
            let (expired, next) = recovery.state.withLock { state in
                state.log.trim(now: now)
                let expired = state.sessions.expire(now: now)
                let next = [state.log.nextExpiry, state.sessions.nextExpiry].compactMap { $0 }.min()
                if next == nil { state.isSweeping = false }
                return (expired, next)
            }
            for session in expired { table.release(session.rooms, events: &events, recordsEvents: records) }
            return (expired, next)
        }
        if !expired.isEmpty { self.onSessionsExpired() }
        guard let next else { return nil }
        // Not for each packet, but soon enough for sessions that are lost meanwhile.
        let least = min(1_000_000_000, max(recovery.duration / 8, 5_000_000))
        return min(max(next > now ? next - now : 0, least), max(recovery.duration / 4, least))
    }

    /// The namespace is over: nothing is kept.
    func endRecovery() {
        guard let recovery = self.recovery else { return }
        let sessions = self.change { table, events, records in
            let sessions = recovery.state.withLock { state in
                state.isClosed = true
                state.log.removeAll()
                return state.sessions.removeAll()
            }
            for session in sessions { table.release(session.rooms, events: &events, recordsEvents: records) }
            return sessions
        }
        _ = sessions
    }

    /// Tells that messages of other servers may not have reached this one. Clients that have not got anything since are told so
    /// when they come back.
    package func noteLoss() {
        guard let recovery = self.recovery, !recovery.isExternal.load(ordering: .relaxed) else { return }
        self.table.withLock { _ in
            recovery.state.withLock { state in
                guard !state.histories.isEmpty || state.sessions.count > 0 else { return }
                // A number of its own: who has got the packet before it, has perhaps not got what is lost.
                _ = state.log.mint()
                state.log.append(ByteBuffer(), .nobody, now: NIODeadline.now().uptimeNanoseconds)
                state.position = RecoveryPosition(low: state.log.last)
                state.lossMark = state.position
            }
        }
    }
}

extension NamespaceRecovery.State {
    /// Whether somebody must begin to look after what is kept.
    mutating func mustSweep() -> Bool {
        defer { self.isSweeping = true }
        return !self.isSweeping
    }
}
