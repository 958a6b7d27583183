import NIOCore

/// Runs an operation and gives up on it at the deadline, also when it ignores cancellation.
///
/// - Throws: `TimeoutError`, or what the operation throws.
package func withTimeout<Result: Sendable>(
    _ timeout: Duration = defaultTimeout,
    _ what: String = "an operation",
    operation: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    let outcome = Awaited<Swift.Result<Result, any Error>?>(nil)
    let task = Task {
        do {
            let result = try await operation()
            outcome.update { $0 = .success(result) }
        } catch {
            outcome.update { $0 = .failure(error) }
        }
    }
    defer { task.cancel() }
    return try await outcome.wait(what, timeout: timeout) { try $0?.get() }
}

/// Waits for a condition that nothing announces: asks again and again, every 2 to 50 ms.
///
/// - Throws: `TimeoutError` when the condition is still false at the deadline, or what the condition throws.
package func eventually(
    _ what: String = "a condition",
    timeout: Duration = defaultTimeout,
    isolation: isolated (any Actor)? = #isolation,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + timeout
    var pause = Duration.milliseconds(2)
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw TimeoutError(what: what, after: timeout, detail: "") }
        try await Task.sleep(for: pause)
        pause = min(pause * 2, .milliseconds(50))
    }
}

extension EventLoopFuture where Value: Sendable {
    /// The value of the future, with a deadline.
    func value(_ what: String, timeout: Duration) async throws -> Value {
        let outcome = Awaited<Result<Value, any Error>?>(nil)
        whenComplete { result in outcome.update { $0 = result } }
        return try await outcome.wait(what, timeout: timeout) { try $0?.get() }
    }
}
