import NIOCore
import SocketIOCore

/// The sessions of clients that are away, by their private ids: bounded in count and time, the oldest go first. Of some that are
/// gone it remembers why.
struct LostSessions: Sendable {
    let limit: Int
    private var sessions: [String: LostSession] = [:]
    private var order = CircularBuffer<(deadline: UInt64, pid: String)>()
    private var gone: [String: RecoveryFailure] = [:]
    private var goneOrder = CircularBuffer<String>()

    init(limit: Int) { self.limit = max(1, limit) }

    var count: Int { self.sessions.count }
    /// Entries that are kept, also of sessions that were continued (for tests).
    var orderCount: Int { self.order.count }
    var nextExpiry: UInt64? { self.order.first?.deadline }

    /// Takes a session; what goes for it is returned.
    mutating func add(_ session: LostSession) -> [LostSession] {
        let displaced = self.sessions.updateValue(session, forKey: session.pid)
        self.order.append((session.deadline, session.pid))
        var dropped = displaced.map { [$0] } ?? []
        while self.sessions.count > self.limit, let first = self.order.popFirst() {
            guard let session = self.remove(first.pid, expiredBy: first.deadline) else { continue }
            self.remember(session.pid, .sessionDropped)
            dropped.append(session)
        }
        if self.order.count > 2 * self.sessions.count + 64 {
            let entries = self.sessions.values.map { (deadline: $0.deadline, pid: $0.pid) }
            self.order.removeAll()
            self.order.append(contentsOf: entries.sorted { $0.deadline < $1.deadline })
        }
        return dropped
    }

    /// Takes a session out, which must be of then or of before: one that was lost again has a later entry.
    private mutating func remove(_ pid: String, expiredBy deadline: UInt64) -> LostSession? {
        guard let session = self.sessions[pid], session.deadline <= deadline else { return nil }
        return self.sessions.removeValue(forKey: pid)
    }

    /// Takes out those that are over.
    mutating func expire(now: UInt64) -> [LostSession] {
        var expired: [LostSession] = []
        while let first = self.order.first, first.deadline <= now {
            self.order.removeFirst()
            guard let session = self.remove(first.pid, expiredBy: first.deadline) else { continue }
            self.remember(session.pid, .expired)
            expired.append(session)
        }
        return expired
    }

    mutating func take(_ pid: String) -> Result<LostSession, RecoveryError> {
        guard let session = self.sessions.removeValue(forKey: pid) else {
            return .failure(RecoveryError(self.gone[pid] ?? .unknownSession))
        }
        return .success(session)
    }

    mutating func removeAll() -> [LostSession] {
        defer {
            self.sessions = [:]
            self.order = CircularBuffer()
        }
        return Array(self.sessions.values)
    }

    private static var goneLimit: Int { 1024 }

    private mutating func remember(_ pid: String, _ failure: RecoveryFailure) {
        if self.gone.updateValue(failure, forKey: pid) == nil { self.goneOrder.append(pid) }
        while self.goneOrder.count > Self.goneLimit { self.gone[self.goneOrder.removeFirst()] = nil }
    }
}

/// A ``RecoveryFailure`` as an error.
package struct RecoveryError: Error {
    package let failure: RecoveryFailure

    package init(_ failure: RecoveryFailure) { self.failure = failure }
}
