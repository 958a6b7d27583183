/// Starts a task that runs at once, on the calling thread, to its first suspension, and then on `executor`.
package func startTask(on executor: LoopTaskExecutor?, _ operation: @escaping @Sendable () async -> Void) {
    #if canImport(Darwin)
        if #available(macOS 26.0, iOS 26.0, tvOS 26.0, watchOS 26.0, visionOS 26.0, *) {
            Task.immediate(executorPreference: executor) { await operation() }
        } else {
            Task(executorPreference: executor) { await operation() }
        }
    #else
        Task.immediate(executorPreference: executor) { await operation() }
    #endif
}
