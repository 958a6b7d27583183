import NIOCore
import Synchronization

/// Asks event loops for a sign of life, and lets nobody end them while they are being asked.
final class LoopProbes: Sendable {
    private struct State: Sendable {
        var asking = 0
        var isOver = false
    }

    private let state = Mutex(State())

    /// Gives each loop something to do; returns what notes whether they do it, or nil when there are no loops any more.
    func ask(_ loops: [LoopContext]) -> LoopAnswers? {
        let isAllowed = self.state.withLock { state in
            if !state.isOver { state.asking += 1 }
            return !state.isOver
        }
        guard isAllowed else { return nil }
        let answers = LoopAnswers(expected: loops.count)
        for loop in loops { loop.eventLoop.execute { answers.add() } }
        self.state.withLock { $0.asking -= 1 }
        return answers
    }

    /// No loop is asked any more once this has returned.
    func end() async {
        while !self.state.withLock({ state in
            state.isOver = true
            return state.asking == 0
        }) {
            await Task.yield()
        }
    }
}

/// Who has answered so far.
final class LoopAnswers: Sendable {
    private struct State: Sendable {
        var count = 0
        var isOver = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let expected: Int
    private let state = Mutex(State())

    init(expected: Int) { self.expected = expected }

    func add() {
        let isLast = self.state.withLock { state in
            state.count += 1
            return state.count == self.expected
        }
        if isLast { self.end() }
    }

    /// The number of loops that have answered when all have, or the time is up.
    func wait(_ timeout: Duration) async -> Int {
        // Of its own: the caller's may be cancelled, and the answer is not.
        let timer = Task {
            try? await Task.sleep(for: timeout)
            self.end()
        }
        await withCheckedContinuation { continuation in
            let isOver = self.state.withLock { state in
                let isOver = state.isOver || state.count == self.expected
                if !isOver { state.waiter = continuation }
                return isOver
            }
            if isOver { continuation.resume() }
        }
        timer.cancel()
        return self.state.withLock { $0.count }
    }

    private func end() {
        let waiter = self.state.withLock { state in
            state.isOver = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }
}

extension EngineIOServer {
    /// The number of event loops that do something within `timeout` when they are told to; nil when they have been ended.
    package func answeringLoops(within timeout: Duration) async -> Int? {
        await self.probes.ask(self.loops)?.wait(timeout)
    }
}
