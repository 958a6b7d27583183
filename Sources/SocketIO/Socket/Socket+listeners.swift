import EngineIO
import EngineIOCore
import SocketIOCore
import Synchronization

/// The listeners of a socket.
struct SocketListeners: Sendable {
    var events = ListenerTable()
    var middlewares: [PacketMiddleware] = []
    var catchAll: [CatchAll] = []
    var catchAllOutgoing: [CatchAll] = []
    var disconnecting: [CloseListener] = []
    var disconnect: [CloseListener] = []
    var errors: [@Sendable (any Error) -> Void] = []
    /// What ends the sequences of ``Socket/events(_:limit:)``, by a token each.
    var sequences: [Int: @Sendable () -> Void] = [:]
    /// The socket has ended and let go of its listeners: none is added any more, or it could hold the socket for ever.
    var isReleased = false
    var nextToken = 0

    struct CatchAll: Sendable {
        let token: Int
        let handler: @Sendable (String, [SocketIOValue]) throws -> Void
    }

    typealias CloseListener = @Sendable (Socket, DisconnectReason, LoopContext) -> Void
    typealias PacketMiddleware = @Sendable (inout IncomingEvent) async throws -> Void

    mutating func makeToken() -> Int {
        self.nextToken += 1
        return self.nextToken
    }
}

/// An event before its handlers see it; see ``Socket/use(_:)``.
public struct IncomingEvent: Sendable {
    /// The event's name.
    public var name: String
    /// Its arguments.
    public var arguments: [SocketIOValue]
}

/// The listeners of a socket, in an object of their own: a token that removes one refers to this, and does not keep the
/// socket alive. (A weak reference would make each retain and release of the socket take the runtime's slow path.)
final class ListenerBox: Sendable {
    private let listeners = Mutex<SocketListeners>(SocketListeners())

    @inline(__always)
    func withLock<Result: Sendable>(_ body: (inout SocketListeners) -> Result) -> Result {
        self.listeners.withLock { body(&$0) }
    }
}

extension Socket: EventListening {
    public var eventListeners: EventListeners {
        EventListeners { [listeners] event, isOnce, reply, run in
            let token = listeners.withLock { listeners in
                listeners.isReleased ? 0 : listeners.events.add(event, isOnce: isOnce, reply, run)
            }
            return ListenerToken { _ = listeners.withLock { $0.events.remove(event, token: token) } }
        }
    }

    /// Removes all listeners of an event, or of all events.
    public func removeAllListeners(_ event: String? = nil) {
        if let event {
            _ = self.listeners.withLock { $0.events.removeAll(event) }
        } else {
            _ = self.listeners.withLock { $0.events.removeAll() }
        }
    }

    /// The names of the events that have listeners.
    public var eventNames: [String] { self.listeners.withLock { $0.events.events } }

    // MARK: Middleware

    /// Has each event that comes pass through `middleware`, before its listeners and in the order of registration. It may
    /// change the event's name and arguments; what it throws goes to the listeners of ``onError(_:)`` and the event no further.
    public func use(_ middleware: @escaping @concurrent @Sendable (inout IncomingEvent) async throws -> Void) {
        self.addListener { $0.middlewares.append(middleware) }
    }

    // MARK: All events

    /// Calls `handler` for each event that comes, before the event's own listeners. Acknowledgements do not count.
    @discardableResult
    public func onAny(_ handler: @escaping @Sendable (String, [SocketIOValue]) throws -> Void) -> ListenerToken {
        self.addCatchAll(\.catchAll, handler, first: false)
    }

    /// As ``onAny(_:)``, before those that are there.
    @discardableResult
    public func prependAny(_ handler: @escaping @Sendable (String, [SocketIOValue]) throws -> Void) -> ListenerToken {
        self.addCatchAll(\.catchAll, handler, first: true)
    }

    /// Removes all listeners of ``onAny(_:)``. One of them is removed by its token.
    public func offAny() { _ = self.listeners.withLock { $0.take(\.catchAll) } }

    /// Calls `handler` for each event that is sent to this socket, broadcasts too. Acknowledgements do not count.
    @discardableResult
    public func onAnyOutgoing(_ handler: @escaping @Sendable (String, [SocketIOValue]) throws -> Void) -> ListenerToken
    {
        defer { self.hasOutgoingListeners.store(true, ordering: .relaxed) }
        return self.addCatchAll(\.catchAllOutgoing, handler, first: false)
    }

    /// As ``onAnyOutgoing(_:)``, before those that are there.
    @discardableResult
    public func prependAnyOutgoing(
        _ handler: @escaping @Sendable (String, [SocketIOValue]) throws -> Void
    ) -> ListenerToken {
        defer { self.hasOutgoingListeners.store(true, ordering: .relaxed) }
        return self.addCatchAll(\.catchAllOutgoing, handler, first: true)
    }

    /// Removes all listeners of ``onAnyOutgoing(_:)``.
    public func offAnyOutgoing() { _ = self.listeners.withLock { $0.take(\.catchAllOutgoing) } }

    private func addCatchAll(
        _ list: WritableKeyPath<SocketListeners, [SocketListeners.CatchAll]> & Sendable,
        _ handler: @escaping @Sendable (String, [SocketIOValue]) throws -> Void,
        first: Bool
    ) -> ListenerToken {
        let token = self.listeners.withLock { listeners in
            let token = listeners.makeToken()
            if listeners.isReleased { return token }
            let entry = SocketListeners.CatchAll(token: token, handler: handler)
            listeners[keyPath: list].insert(entry, at: first ? 0 : listeners[keyPath: list].count)
            return token
        }
        return ListenerToken { [listeners] in
            _ = listeners.withLock { listeners in
                let old = listeners[keyPath: list]
                listeners[keyPath: list].removeAll { $0.token == token }
                return old
            }
        }
    }

    // MARK: The end, and errors

    /// Calls `handler` when the socket is being disconnected and is still in its rooms.
    public func onDisconnecting(_ handler: @escaping @Sendable (DisconnectReason) -> Void) {
        self.addListener { $0.disconnecting.append { _, reason, _ in handler(reason) } }
    }

    /// Calls `handler` once the socket was disconnected and has left its rooms. After the disconnection it is not called any
    /// more, nor if it is added then.
    public func onDisconnect(_ handler: @escaping @Sendable (DisconnectReason) -> Void) {
        self.addListener { $0.disconnect.append { _, reason, _ in handler(reason) } }
    }

    /// Calls `handler` once the socket was disconnected and has left its rooms.
    @_disfavoredOverload
    public func onDisconnect(_ handler: @escaping @concurrent @Sendable (DisconnectReason) async -> Void) {
        self.addListener {
            $0.disconnect.append { _, reason, loop in startTask(on: loop.executor) { await handler(reason) } }
        }
    }

    /// Calls `handler` for what goes wrong with this socket: packets that can't be decoded (the disconnection follows),
    /// middlewares and handlers that throw, arguments that do not fit, events that can't be sent.
    public func onError(_ handler: @escaping @Sendable (any Error) -> Void) {
        self.addListener { $0.errors.append(handler) }
    }

    private func addListener(_ add: (inout SocketListeners) -> Void) {
        self.listeners.withLock { listeners in
            if !listeners.isReleased { add(&listeners) }
        }
    }
}

extension SocketListeners {
    mutating func take(_ list: WritableKeyPath<SocketListeners, [CatchAll]>) -> [CatchAll] {
        let old = self[keyPath: list]
        self[keyPath: list] = []
        return old
    }
}

extension DisconnectReason {
    init(_ reason: EngineIOCloseReason) { self.init(rawValue: reason.rawValue) }
}
