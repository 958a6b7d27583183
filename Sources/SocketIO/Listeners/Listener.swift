import EngineIO
import EngineIOCore
import NIOCore
import SocketIOCore

/// A handler of one event.
struct Listener: Sendable {
    enum Reply: Sendable {
        /// Returns nothing: an acknowledgement that is wanted is sent empty, unless another listener has one to send.
        case nothing
        /// Returns a value, or answers when it likes.
        case answers
    }

    let token: Int
    let isOnce: Bool
    let reply: Reply
    /// Decodes the arguments and calls the handler, or starts it. Throws what a synchronous part throws.
    let run: @Sendable (_ arguments: ArgumentReader, _ invocation: Invocation) throws -> Void
}

/// What a listener is called with besides the arguments.
struct Invocation: Sendable {
    /// nil for events from other servers.
    let socket: Socket?
    let event: String
    let ack: (any AckSending)?
    /// Whether a listener that returns nothing is to send an empty acknowledgement.
    var answersEmpty: Bool
    let executor: LoopTaskExecutor?
    let report: @Sendable (any Error) -> Void

    /// Starts an async handler: on this loop, at once, in the order of arrival.
    func start(_ operation: @escaping @Sendable () async throws -> Void) {
        let report = self.report
        let connection = self.socket?.connection
        if let connection, !connection.beginHandler() { return }
        startTask(on: self.executor) {
            do { try await operation() } catch { report(error) }
            connection?.endHandler()
        }
    }
}

extension AckSender: AckSending {}

/// The listeners of a socket or of a namespace's server-side events, by event.
struct ListenerTable: Sendable {
    private var byEvent: [String: [Listener]] = [:]
    private var nextToken = 0

    var isEmpty: Bool { self.byEvent.isEmpty }

    /// The listeners of an event; those for one call are removed with this.
    mutating func take(_ event: String) -> [Listener]? {
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
        _ reply: Listener.Reply,
        _ run: @escaping @Sendable (ArgumentReader, Invocation) throws -> Void
    ) -> Int {
        self.nextToken += 1
        self.byEvent[event, default: []].append(
            Listener(token: self.nextToken, isOnce: isOnce, reply: reply, run: run))
        return self.nextToken
    }

    /// Returns what was removed, to be released outside the lock.
    mutating func remove(_ event: String, token: Int) -> [Listener] {
        guard let listeners = self.byEvent[event] else { return [] }
        let rest = listeners.filter { $0.token != token }
        self.byEvent[event] = rest.isEmpty ? nil : rest
        return listeners
    }

    mutating func removeAll(_ event: String) -> [Listener] { self.byEvent.removeValue(forKey: event) ?? [] }

    mutating func removeAll() -> [[Listener]] {
        defer { self.byEvent = [:] }
        return Array(self.byEvent.values)
    }

    var events: [String] { Array(self.byEvent.keys) }
}
