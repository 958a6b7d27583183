import SocketIOCore

extension Socket {
    /// The arguments of these events as a sequence, which ends with the disconnection. At most `limit` of them wait; what comes
    /// beyond is dropped and reported to the error hook with the code `limitExceeded`.
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
        let token = self.eventListeners.add(event, false, .nothing) { arguments, invocation in
            var arguments = arguments
            let values = (repeat try arguments.next((each A).self))
            if case .dropped = continuation.yield(values) {
                invocation.origin.report(
                    SocketIOError(.limitExceeded, "events of a sequence dropped: more than \(limit) wait"),
                    event: event)
            }
            if invocation.answersEmpty { invocation.ack?.send() }
        }
        let sequence = self.listeners.withLock { listeners -> Int? in
            if listeners.isReleased { return nil }
            let sequence = listeners.makeToken()
            listeners.sequences[sequence] = { continuation.finish() }
            return sequence
        }
        continuation.onTermination = { [listeners] _ in
            token.cancel()
            guard let sequence else { return }
            _ = listeners.withLock { $0.sequences.removeValue(forKey: sequence) }
        }
        if sequence == nil { continuation.finish() }
        return stream
    }
}
