import EngineIO
import NIOCore
import SocketIOCore

/// What watches over the handlers and acknowledgements of a server. There is none unless something of it is configured: each
/// event asks for it once, and that is all it costs then.
final class Observation: Sendable {
    let metrics: SocketMetrics?
    let tracing: ServerTracing?

    init?(_ configuration: SocketIOConfiguration) {
        guard configuration.metrics != nil || configuration.tracing != nil else { return nil }
        self.metrics = configuration.metrics.map { SocketMetrics($0) }
        self.tracing = configuration.tracing.map { ServerTracing($0) }
    }

    // MARK: Handlers

    /// Calls the handlers of an event.
    func call(_ listeners: Listeners, _ arguments: ArgumentReader, _ invocation: Invocation, on loop: LoopContext) {
        loop.counts.events &+= 1
        listeners.forEach { listener in
            guard let metrics = self.metrics else { return self.call(listener, arguments, invocation) }
            let async = loop.counts.asyncHandlers
            let begin = NIODeadline.now().uptimeNanoseconds
            self.call(listener, arguments, invocation)
            // One that is async is still running, or has told itself.
            if loop.counts.asyncHandlers == async { metrics.handled(.sync, since: begin) }
        }
    }

    private func call(_ listener: Listener, _ arguments: ArgumentReader, _ invocation: Invocation) {
        do {
            guard let tracing = self.tracing else { return try listener.run(arguments, invocation) }
            var invocation = invocation
            let span = tracing.beginEvent(invocation)
            invocation.span = span
            do { try span.call { try listener.run(arguments, invocation) } } catch {
                span.returned(error)
                throw error
            }
            span.returned(nil)
        } catch {
            invocation.origin.report(error, event: invocation.event)
        }
    }

    /// An async handler is about to start, on the thread of the loop that has called it.
    func beginAsync() -> AsyncHandling {
        LoopContext.current?.counts.asyncHandlers &+= 1
        self.metrics?.asyncHandlerBegan()
        return AsyncHandling(observation: self, begin: NIODeadline.now().uptimeNanoseconds)
    }

    struct AsyncHandling: Sendable {
        let observation: Observation
        let begin: UInt64

        func end() { self.observation.metrics?.asyncHandlerEnded(since: self.begin) }
    }

    // MARK: Acknowledgements

    typealias AckCompletion = @Sendable (Result<ArgumentReader, any Error>) -> Void

    /// Begins to wait for an acknowledgement: what it returns is to be called in place of `complete`.
    func awaitingAck(_ complete: @escaping AckCompletion) -> AckCompletion {
        guard let metrics = self.metrics else { return complete }
        let begin = NIODeadline.now().uptimeNanoseconds
        return { result in
            metrics.acknowledged(AckLabel(result), since: begin)
            complete(result)
        }
    }
}
