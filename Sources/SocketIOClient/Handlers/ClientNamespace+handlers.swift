import EngineIOCore
import SocketIOCore

extension ClientNamespace {
    /// Starts a handler: at once, in the order of arrival. One that belongs to an actor is in that actor's queue by the time this
    /// returns.
    ///
    /// - Parameter thrown: gets what it throws; else the error hook does.
    func start(
        _ kind: RunningHandlers.Kind,
        _ operation: @escaping @Sendable () async throws -> Void,
        thrown: (@Sendable (any Error) -> Void)? = nil
    ) {
        let id = self.handlers.begin(kind)
        let task = immediateTask(on: self.manager.executor) {
            await RunningHandlers.$caller.withValue(id) {
                do {
                    try await operation()
                } catch is CancellationError where Task.isCancelled {
                    // It was told to end.
                } catch {
                    if let thrown { thrown(error) } else { self.report(error) }
                }
            }
            if self.handlers.end(id) { self.manager.execute { self.startWaiting() } }
        }
        self.handlers.attach(task, to: id)
    }

    /// Leaves, cancels the handlers that run and calls `complete` when all have ended, also those that are told of the end. A handler
    /// that calls this goes on, and nobody is awaited then.
    func close(caller: Int?, _ complete: @escaping @Sendable () -> Void) {
        var before = self.handlers.ids
        let isCaller = caller.flatMap { before.remove($0) } != nil
        self.leave()
        self.handlers.cancel(before)
        if isCaller { complete() } else { self.awaitHandlers(complete) }
    }

    /// Also those that the end of others starts. A client that is used again meanwhile may never be without handlers.
    private func awaitHandlers(_ complete: @escaping @Sendable () -> Void) {
        self.handlers.whenEnded(self.handlers.ids) {
            self.manager.execute {
                if self.isActive || self.handlers.count == 0 { complete() } else { self.awaitHandlers(complete) }
            }
        }
    }
}
