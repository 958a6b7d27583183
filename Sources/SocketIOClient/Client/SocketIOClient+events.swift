import SocketIOCore

extension SocketIOClient {
    /// The arguments of these events as a sequence, over reconnections; it ends with the client. At most `limit` of them wait; what
    /// comes beyond is dropped and reported to ``onError(_:)`` with the code `limitExceeded`. The sequence does not keep the client.
    public func events<each A>(
        _ event: Event<repeat each A>,
        limit: Int = 256
    ) -> AsyncStream<(repeat each A)> {
        self.events(event.name, limit: limit, as: repeat (each A).self)
    }

    /// The arguments of events of this name as a sequence; see ``events(_:limit:)``.
    public func events<each A: Decodable & Sendable>(
        _ event: String,
        limit: Int = 256,
        as types: repeat (each A).Type
    ) -> AsyncStream<(repeat each A)> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: (repeat each A).self, bufferingPolicy: .bufferingOldest(max(1, limit)))
        let core = self.core
        let token = core.addListener(event, once: false, answers: false) { arguments, call in
            var arguments = arguments
            let values = (repeat try arguments.next((each A).self))
            if case .dropped = continuation.yield(values) {
                call.report(SocketIOError(.limitExceeded, "events of a sequence dropped: more than \(limit) wait"))
            }
            if call.answersEmpty { call.ack?.send() }
        }
        let sequence = core.listeners.withLock { listeners -> Int in
            let sequence = listeners.makeToken()
            if !listeners.isReleased { listeners.sequences[sequence] = { continuation.finish() } }
            return sequence
        }
        continuation.onTermination = { [weak core] _ in
            token.cancel()
            _ = core?.listeners.withLock { $0.sequences.removeValue(forKey: sequence) }
        }
        return stream
    }
}
