import Synchronization

/// What waits for those clients of a server that do not take it right now. Clients that do, which is nearly all of them nearly
/// always, are not counted: it costs them nothing.
///
/// From seven eighths of the maximum on a session is over it if it holds the average or more; at the maximum, any.
/// So those who hold much go first, and whoever does not read for a moment only stays.
final class OutboxTotal: Sendable {
    private let max: Int
    private let bytes = Atomic<Int>(0)
    private let sessions = Atomic<Int>(0)

    init(max: Int) { self.max = max }

    /// Bytes, and sessions that have some.
    var now: (bytes: Int, sessions: Int) {
        (self.bytes.load(ordering: .relaxed), self.sessions.load(ordering: .relaxed))
    }

    /// A session had `old` bytes waiting and has `new` now.
    func change(from old: Int, to new: Int) {
        self.bytes.wrappingAdd(new &- old, ordering: .relaxed)
        if old == 0, new > 0 { self.sessions.wrappingAdd(1, ordering: .relaxed) }
        if old > 0, new == 0 { self.sessions.wrappingSubtract(1, ordering: .relaxed) }
    }

    /// Whether a session that holds `own` bytes may not hold more.
    func isOver(own: Int) -> Bool {
        let (bytes, sessions) = self.now
        if bytes <= self.max - self.max / 8 { return false }
        return bytes > self.max || own >= bytes / Swift.max(1, sessions)
    }
}
