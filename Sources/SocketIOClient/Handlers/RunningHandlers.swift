import Synchronization

/// The handlers of a client that run.
///
/// Those of events are counted: above a limit events wait, so that a server that sends faster than handlers end does not fill
/// the memory with tasks. Those of notices, such as a connection, are few of themselves; see ``isCrowded``.
final class RunningHandlers: Sendable {
    enum Kind: Sendable { case event, notice }

    private struct Entry: Sendable {
        let kind: Kind
        var task: Task<Void, Never>?
    }

    private struct State: Sendable {
        var entries: [Int: Entry] = [:]
        var eventCount = 0
        /// Events wait until ``RunningHandlers/canStartNext()`` is true.
        var hasWaiting = false
        /// Somebody looks after them, or will.
        var isDraining = false
        var watchers: [Watcher] = []
    }

    /// Waits for the end of handlers.
    private struct Watcher: Sendable {
        var ids: Set<Int>
        let complete: @Sendable () -> Void
    }

    let limit: Int
    private let state = Mutex(State())
    private static let nextID = Atomic<Int>(0)

    /// The handler that the calling task is part of.
    @TaskLocal static var caller: Int?

    init(limit: Int) { self.limit = max(1, limit) }

    var count: Int { self.state.withLock { $0.entries.count } }

    /// So many handlers of notices run that those that may be left out are.
    var isCrowded: Bool { self.state.withLock { $0.entries.count - $0.eventCount >= self.limit } }

    // MARK: Starting

    func begin(_ kind: Kind) -> Int {
        let id = Self.nextID.add(1, ordering: .relaxed).newValue
        self.state.withLock { state in
            state.entries[id] = Entry(kind: kind)
            if kind == .event { state.eventCount += 1 }
        }
        return id
    }

    /// The task of a handler that has begun; it may have ended by now.
    func attach(_ task: Task<Void, Never>, to id: Int) {
        self.state.withLock { $0.entries[id]?.task = task }
    }

    /// Returns whether ``canStartNext()`` is to be asked now, by who can start what waits.
    func end(_ id: Int) -> Bool {
        let (old, drains, complete) = self.state.withLock { state in
            let old = state.entries.removeValue(forKey: id)
            if old?.kind == .event { state.eventCount -= 1 }
            var complete: [@Sendable () -> Void] = []
            for index in state.watchers.indices.reversed() where state.watchers[index].ids.remove(id) != nil {
                if state.watchers[index].ids.isEmpty { complete.append(state.watchers.remove(at: index).complete) }
            }
            let drains = state.hasWaiting && !state.isDraining && state.eventCount < self.limit
            if drains { state.isDraining = true }
            return (old, drains, complete)
        }
        // Released outside the lock.
        _ = old
        for complete in complete { complete() }
        return drains
    }

    // MARK: Waiting

    /// Whether the handlers of an event may start; if not, it waits, and others behind it.
    func canStart() -> Bool {
        self.state.withLock { state in
            if !state.hasWaiting, state.eventCount < self.limit { return true }
            state.hasWaiting = true
            return false
        }
    }

    /// Whether the handlers of the next waiting event may start.
    func canStartNext(isAnyWaiting: Bool) -> Bool {
        self.state.withLock { state in
            if isAnyWaiting, state.eventCount < self.limit {
                state.isDraining = true
                return true
            }
            state.hasWaiting = isAnyWaiting
            state.isDraining = false
            return false
        }
    }

    // MARK: Ending

    var ids: Set<Int> { self.state.withLock { Set($0.entries.keys) } }

    /// Cancels handlers.
    func cancel(_ ids: Set<Int>) {
        let tasks = self.state.withLock { state in ids.compactMap { state.entries[$0]?.task } }
        for task in tasks { task.cancel() }
    }

    /// Calls `complete` when all of these have ended.
    func whenEnded(_ ids: Set<Int>, _ complete: @escaping @Sendable () -> Void) {
        let isOver = self.state.withLock { state in
            let running = ids.filter { state.entries[$0] != nil }
            if !running.isEmpty { state.watchers.append(Watcher(ids: running, complete: complete)) }
            return running.isEmpty
        }
        if isOver { complete() }
    }
}
