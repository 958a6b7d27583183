import SocketIO
import Synchronization

/// A state that is reached once, such as that of the first subscription, and those who wait for it.
final class Readiness: Sendable {
    private struct State {
        var isReached = false
        var waiters: [ClusterQuery<Never>] = []
    }

    private let state = Mutex(State())

    var isReached: Bool { self.state.withLock { $0.isReached } }

    func reach() {
        let waiters = self.state.withLock { state in
            state.isReached = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.finish() }
    }

    /// A subscription is there. When it was renewed, messages may have been lost in between, which clients are told that want to
    /// go on where they have stopped.
    func reach(tellingLossesTo local: LocalAdapter) {
        if self.isReached { local.noteLoss() }
        self.reach()
    }

    /// Waits until it is reached or the time is up.
    ///
    /// - Throws: `CancellationError`.
    func wait(for timeout: Duration) async throws {
        let waiter = ClusterQuery<Never>()
        let isReached = self.state.withLock { state in
            if !state.isReached { state.waiters.append(waiter) }
            return state.isReached
        }
        guard !isReached else { return }
        defer {
            let index = self.state.withLock { state in
                state.waiters.firstIndex { $0 === waiter }.map { state.waiters.remove(at: $0) }
            }
            _ = index
        }
        try await waiter.wait(for: timeout)
    }
}
