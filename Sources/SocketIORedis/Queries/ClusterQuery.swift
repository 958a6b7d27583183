import SocketIO
import Synchronization

/// A question to the other servers of a cluster, and what they have answered so far.
///
/// It is complete when as many servers have answered as there are. How many, and who they are, may be known from the
/// beginning, later, or never.
final class ClusterQuery<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        /// How many servers have answered.
        var answers = 0
        /// How many are asked.
        var expected: Int?
        /// Those asked whose names are known.
        var names: Set<String> = []
        /// Those that are known to have answered.
        var answered: Set<String> = []
        var isDone = false
        var continuation: CheckedContinuation<Void, Never>?

        var missing: Int? { self.expected.map { max(0, $0 - self.answers) } }
    }

    /// Elements of one question, so that nobody can fill the memory with answers.
    static var elementLimit: Int { 1_000_000 }

    private let state = Mutex(State())

    // MARK: Who is asked

    /// So many other servers are asked.
    func expect(_ count: Int) {
        self.update { $0.expected = max(0, count) }
    }

    /// These other servers are asked, and no others.
    func expect(_ servers: some Sequence<String>) {
        self.update { state in
            state.names = Set(servers)
            // Who has answered already was asked, whether or not it is still there.
            state.expected = state.names.union(state.answered).count
        }
    }

    /// Names of servers that are asked, without a word on how many there are.
    func name(_ servers: some Sequence<String>) {
        self.update { $0.names.formUnion(servers) }
    }

    /// A server is gone and will not answer.
    func forget(_ server: String) {
        self.update { state in
            guard state.names.remove(server) != nil, !state.answered.contains(server) else { return }
            state.expected = state.expected.map { max(0, $0 - 1) }
        }
    }

    // MARK: Answers

    /// A server has answered. `server`: its name, if the answer says it; only its first answer counts then.
    func receive(_ elements: some Sequence<Element>, from server: String? = nil) {
        self.update { state in
            // What comes later is not told any more.
            guard !state.isDone else { return }
            if let server, !state.answered.insert(server).inserted { return }
            state.answers += 1
            for element in elements {
                guard state.elements.count < Self.elementLimit else { break }
                state.elements.append(element)
            }
        }
    }

    /// A server is known to have answered, in a message that did not say whose it was.
    func hasAnswered(_ server: String) {
        self.update { _ = $0.answered.insert(server) }
    }

    // MARK: The end

    /// Ends the question with what has come.
    func finish() {
        self.update { $0.isDone = true }
    }

    /// Changes the state; resumes who waits if that has completed it.
    private func update(_ change: (inout State) -> Void) {
        let continuation = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            change(&state)
            if state.missing == 0 { state.isDone = true }
            guard state.isDone else { return nil }
            defer { state.continuation = nil }
            return state.continuation
        }
        continuation?.resume()
    }

    /// Waits until all have answered, the time is up, or it was finished. To be called once.
    ///
    /// - Parameter onLate: Called when three quarters of the time are over, and answers are still missing.
    /// - Throws: `CancellationError`.
    func wait(for timeout: Duration, onLate: (@Sendable () -> Void)? = nil) async throws {
        let timeout = min(max(timeout, .zero), .seconds(365 * 86_400))
        let timer = Task {
            try await Task.sleep(for: timeout / 4 * 3)
            onLate?()
            try await Task.sleep(for: timeout / 4)
            self.finish()
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDone = self.state.withLock { state in
                    if !state.isDone { state.continuation = continuation }
                    return state.isDone
                }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            self.finish()
        }
        timer.cancel()
        try Task.checkCancellation()
    }

    /// What has come, and who is missing. `unknown`: how many are taken for missing if it is not known how many were asked.
    func answer(ifUnknown unknown: Int = 0) -> ClusterAnswer<Element> {
        self.state.withLock { state in
            let missing = state.missing ?? max(0, unknown - state.answers)
            return ClusterAnswer(
                state.elements,
                missingServerCount: missing,
                missingServers: missing == 0 ? [] : state.names.subtracting(state.answered).sorted()
            )
        }
    }

    /// Whether nothing is waited for any more.
    var isDone: Bool { self.state.withLock { $0.isDone } }
}
