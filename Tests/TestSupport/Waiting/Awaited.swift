import NIOCore

/// A value under a lock whose changes can be awaited with a deadline.
///
/// It is what all waiting in this library is made of: no task and no thread per waiter, one timer of an event loop for
/// each wait that cannot be satisfied at once.
package final class Awaited<Value: Sendable>: Sendable {
    private struct Waiter: Sendable {
        let id: UInt64
        /// Nil: not yet. Otherwise what resumes the waiter, to be called without the lock.
        let attempt: @Sendable (inout Value) -> (@Sendable () -> Void)?
        let fail: @Sendable (any Error) -> Void
    }

    private struct State: Sendable {
        var value: Value
        var nextID: UInt64 = 0
        var waiters: [Waiter] = []
        /// Waits that have begun and not ended, and why they must end if that was known before they were registered.
        var begun: [UInt64: (any Error)?] = [:]
    }

    private let state: Locked<State>
    private let describe: @Sendable (Value) -> String

    /// Makes the box.
    ///
    /// - Parameter describe: adds the state of the value to the message of a timeout.
    package init(_ value: Value, describe: @escaping @Sendable (Value) -> String = { _ in "" }) {
        state = Locked(State(value: value))
        self.describe = describe
    }

    /// Reads or changes the value; waiters whose condition holds afterwards are resumed.
    ///
    /// The lock is held during `body`: it must not call back into this object.
    @discardableResult
    package func update<Result: Sendable>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        let (result, resumes) = try state.withLock { state in
            let result = try body(&state.value)
            return (result, Self.settle(&state))
        }
        for resume in resumes { resume() }
        return result
    }

    /// A copy of the value.
    package var value: Value { state.withLock { $0.value } }

    /// Waits until `take` returns something or throws. It is called under the lock, at once and after every change.
    ///
    /// - Parameters:
    ///   - what: what is awaited, for the error message.
    ///   - timeout: the deadline; nil for waits that something else is sure to end.
    /// - Throws: what `take` throws, `TimeoutError`, `CancellationError`.
    @discardableResult
    package func wait<Result: Sendable>(
        _ what: @autoclosure @escaping @Sendable () -> String,
        timeout: Duration? = defaultTimeout,
        _ take: @escaping @Sendable (inout Value) throws -> Result?
    ) async throws -> Result {
        if let result = try update(take) { return result }
        let id = state.withLock { state in
            state.nextID &+= 1
            state.begun[state.nextID] = .some(nil)
            return state.nextID
        }
        let timer = timeout.map { timeout in
            PeerLoops.group.next().scheduleTask(in: TimeAmount(timeout)) { [weak self] in
                guard let self else { return }
                let detail = self.describe(self.value)
                self.end(id, TimeoutError(what: what(), after: timeout, detail: detail))
            }
        }
        defer {
            timer?.cancel()
            state.withLock { _ = $0.begun.removeValue(forKey: id) }
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                register(id, continuation, take)
            }
        } onCancel: {
            end(id, CancellationError())
        }
    }

    private func register<Result: Sendable>(
        _ id: UInt64,
        _ continuation: CheckedContinuation<Result, any Error>,
        _ take: @escaping @Sendable (inout Value) throws -> Result?
    ) {
        let waiter = Waiter(
            id: id,
            attempt: { value in
                do {
                    guard let result = try take(&value) else { return nil }
                    return { continuation.resume(returning: result) }
                } catch {
                    return { continuation.resume(throwing: error) }
                }
            },
            fail: { continuation.resume(throwing: $0) }
        )
        let resumes: [@Sendable () -> Void] = state.withLock { state in
            if let reason = state.begun[id] ?? nil { return [{ waiter.fail(reason) }] }
            state.waiters.append(waiter)
            return Self.settle(&state)
        }
        for resume in resumes { resume() }
    }

    private func end(_ id: UInt64, _ error: any Error) {
        let waiter: Waiter? = state.withLock { state in
            if let index = state.waiters.firstIndex(where: { $0.id == id }) { return state.waiters.remove(at: index) }
            if state.begun[id] != nil { state.begun[id] = .some(error) }
            return nil
        }
        waiter?.fail(error)
    }

    /// Tries all waiters in order, again when one took something, since that may be what another waits for.
    private static func settle(_ state: inout State) -> [@Sendable () -> Void] {
        var resumes: [@Sendable () -> Void] = []
        var index = 0
        while index < state.waiters.count {
            let attempt = state.waiters[index].attempt
            if let resume = attempt(&state.value) {
                state.waiters.remove(at: index)
                resumes.append(resume)
                index = 0
            } else {
                index += 1
            }
        }
        return resumes
    }
}
