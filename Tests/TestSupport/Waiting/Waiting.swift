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

/// Does something with a limit that must pass, while other things must come before it: again with four times as much when they
/// have not, since the machine may have been too slow for them.
///
/// - Parameter body: gets the limit; nil means that what must come has not come in time.
/// - Throws: `TimeoutError` when the longest limit was too short as well, or what `body` throws.
@discardableResult
package func withGrowingLimit<Result>(
    _ what: String, from first: Duration = .seconds(2), isolation: isolated (any Actor)? = #isolation,
    _ body: (Duration) async throws -> Result?
) async throws -> Result {
    for limit in [first, first * 4, first * 16] {
        if let result = try await body(limit) { return result }
    }
    throw TimeoutError(what: what, after: first * 16, detail: "")
}

extension EventLoopFuture where Value: Sendable {
    /// The value of the future, with a deadline.
    func value(_ what: String, timeout: Duration) async throws -> Value {
        let outcome = Awaited<Result<Value, any Error>?>(nil)
        whenComplete { result in outcome.update { $0 = result } }
        return try await outcome.wait(what, timeout: timeout) { try $0?.get() }
    }
}
