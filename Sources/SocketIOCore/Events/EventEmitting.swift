/// What sends events: sockets, clients, and on a server namespaces, the server itself and broadcasts.
public protocol EventEmitting: Sendable {
    /// Sends an event. It never waits; what can't be sent is reported to the error hook.
    func emit<each A: Encodable>(_ event: String, _ arguments: repeat each A)
}

extension EventEmitting {
    /// Sends an event.
    public func emit<each A>(_ event: Event<repeat each A>, _ arguments: repeat each A) {
        self.emit(event.name, repeat each arguments)
    }
}
