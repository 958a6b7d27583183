/// Starts a task that runs at once, on the calling thread, to its first suspension, and then on `executor`.
package func startTask(on executor: LoopTaskExecutor?, _ operation: @escaping @Sendable () async -> Void) {
    _ = immediateTask(on: executor, operation)
}

/// As ``startTask(on:_:)``, for who may cancel the task.
package func immediateTask(
    on executor: LoopTaskExecutor?, _ operation: @escaping @Sendable () async -> Void
) -> Task<Void, Never> {
    #if canImport(Darwin)
        if #available(macOS 26.0, iOS 26.0, tvOS 26.0, watchOS 26.0, visionOS 26.0, *) {
            return Task.immediate(executorPreference: executor) { await operation() }
        } else {
            return Task(executorPreference: executor) { await operation() }
        }
    #else
        return Task.immediate(executorPreference: executor) { await operation() }
    #endif
}
