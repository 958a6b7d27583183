import Synchronization

/// What waits for those clients of a server that do not take it right now. Clients that do, which is nearly all of them nearly
/// always, are not counted: it costs them nothing.
///
/// From seven eighths of the maximum on a session is over it if it holds the average or more; at the maximum, if it holds an eighth of
/// the average. So those who hold much go first, and whoever does not read for a moment stays. The maximum can be exceeded by what
/// those hold who stay: an eighth of it, and a packet for each.
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
        if bytes <= self.max - self.max / 8 || own <= 0 { return false }
        let average = bytes / Swift.max(1, sessions)
        return own >= (bytes > self.max ? average / 8 : average)
    }
}
