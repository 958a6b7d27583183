import SocketIOCore

/// A handler of one event.
struct ClientListener: Sendable {
    let token: Int
    let isOnce: Bool
    /// Whether it returns something, or answers when it likes: then an empty acknowledgement is not its place.
    let answers: Bool
    /// Decodes the arguments and starts the handler.
    let run: @Sendable (_ arguments: ArgumentReader, _ call: ClientCall) throws -> Void
}

/// What a listener is called with besides the arguments.
struct ClientCall: Sendable {
    let namespace: ClientNamespace
    let ack: (any AckSending)?
    /// Whether a listener that returns nothing is to send an empty acknowledgement.
    var answersEmpty: Bool

    /// Starts a handler.
    func start(_ operation: @escaping @Sendable () async throws -> Void) { self.namespace.start(.event, operation) }

    func report(_ error: any Error) { self.namespace.report(error) }
}

/// What is told about a client besides events.
enum ClientNotice: Sendable {
    case connected
    case disconnected(Disconnection)
    case connectError(any Error)
    case reconnectAttempt(Int)
    case reconnected(Int)
    case reconnectError(any Error)
    case reconnectFailed
    case upgraded
    case ping
    case error(any Error)

    enum Kind: Sendable, Hashable {
        case connected, disconnected, connectError, reconnectAttempt, reconnected, reconnectError, reconnectFailed
        case upgraded, ping, error
    }

    var kind: Kind {
        switch self {
        case .connected: .connected
        case .disconnected: .disconnected
        case .connectError: .connectError
        case .reconnectAttempt: .reconnectAttempt
        case .reconnected: .reconnected
        case .reconnectError: .reconnectError
        case .reconnectFailed: .reconnectFailed
        case .upgraded: .upgraded
        case .ping: .ping
        case .error: .error
        }
    }
}

/// All listeners of a client. What is removed is returned, to be released outside the lock that this is under.
struct ClientListeners: Sendable {
    typealias CatchAll = @Sendable (String, [SocketIOValue]) async throws -> Void
    typealias Hook = @Sendable (ClientNotice) async throws -> Void

    struct Numbered<Handler: Sendable>: Sendable {
        let token: Int
        let handler: Handler
    }

    private var byEvent: [String: [ClientListener]] = [:]
    var catchAll: [Numbered<CatchAll>] = []
    var catchAllOutgoing: [Numbered<CatchAll>] = []
    var hooks: [ClientNotice.Kind: [Numbered<Hook>]] = [:]
    /// What ends sequences.
    var sequences: [Int: @Sendable () -> Void] = [:]
    /// The client is gone: no listener is added any more, or it could hold things for ever.
    var isReleased = false
    private var nextToken = 0

    mutating func makeToken() -> Int {
        self.nextToken += 1
        return self.nextToken
    }

    var events: [String] { Array(self.byEvent.keys) }

    /// The listeners of an event; those for one call are removed with this.
    mutating func take(_ event: String) -> [ClientListener]? {
        guard let listeners = self.byEvent[event] else { return nil }
        if listeners.contains(where: \.isOnce) {
            let rest = listeners.filter { !$0.isOnce }
            self.byEvent[event] = rest.isEmpty ? nil : rest
        }
        return listeners
    }

    mutating func add(
        _ event: String,
        isOnce: Bool,
        answers: Bool,
        _ run: @escaping @Sendable (ArgumentReader, ClientCall) throws -> Void
    ) -> Int {
        let token = self.makeToken()
        if self.isReleased { return token }
        self.byEvent[event, default: []].append(
            ClientListener(token: token, isOnce: isOnce, answers: answers, run: run))
        return token
    }

    mutating func remove(_ event: String, token: Int) -> [ClientListener] {
        guard let listeners = self.byEvent[event] else { return [] }
        let rest = listeners.filter { $0.token != token }
        self.byEvent[event] = rest.isEmpty ? nil : rest
        return listeners
    }

    mutating func removeAll(_ event: String?) -> [[ClientListener]] {
        if let event { return self.byEvent.removeValue(forKey: event).map { [$0] } ?? [] }
        defer { self.byEvent = [:] }
        return Array(self.byEvent.values)
    }
}
