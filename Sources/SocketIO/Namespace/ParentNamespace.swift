import EngineIO
import EngineIOCore
import SocketIOCore
import Synchronization

/// A dynamic namespace: a rule for names. A client that asks for a name that the rule admits gets a namespace of that name,
/// made when it is first asked for, with the middlewares and handlers set here. See "Dynamic namespaces" in the Socket.IO
/// documentation.
public final class ParentNamespace: Sendable {
    private let predicate: @Sendable (String, SocketIOValue) async -> Bool
    let pattern: (@Sendable (String) -> Bool)?
    private let state = Mutex<State>(State())

    private struct State {
        var middlewares: [Namespace.Middleware] = []
        var connection: [Namespace.ConnectionHandler] = []
        var errors: [@Sendable (any Error, Socket?) -> Void] = []
        var children: [String: Namespace] = [:]
    }

    /// `pattern` tells whether a name that the application itself asks for is one of this namespace's.
    init(
        pattern: (@Sendable (String) -> Bool)? = nil,
        _ predicate: @escaping @Sendable (String, SocketIOValue) async -> Bool
    ) {
        self.pattern = pattern
        self.predicate = predicate
    }

    /// See ``Namespace/use(_:)``; it counts for all namespaces of this rule, before their own.
    public func use(_ middleware: @escaping @concurrent @Sendable (Socket) async throws -> Void) {
        self.state.withLock { $0.middlewares.append(middleware) }
    }

    /// See ``Namespace/onConnection(_:)``; it counts for all namespaces of this rule, before their own.
    public func onConnection(_ handler: @escaping @Sendable (Socket) throws -> Void) {
        self.state.withLock { state in
            state.connection.append { socket, _ in
                do { try handler(socket) } catch { socket.report(error, event: "connection") }
            }
        }
    }

    /// See ``Namespace/onConnection(_:)``.
    @_disfavoredOverload
    public func onConnection(_ handler: @escaping @concurrent @Sendable (Socket) async throws -> Void) {
        self.state.withLock { state in
            state.connection.append { socket, loop in
                startTask(on: loop.executor) {
                    do { try await handler(socket) } catch { socket.report(error, event: "connection") }
                }
            }
        }
    }

    /// See ``Namespace/onError(_:)``.
    public func onError(_ handler: @escaping @Sendable (any Error, Socket?) -> Void) {
        self.state.withLock { $0.errors.append(handler) }
    }

    /// The namespaces of this rule that exist on this server.
    public var children: [Namespace] { self.state.withLock { Array($0.children.values) } }

    var childCount: Int { self.state.withLock { $0.children.count } }

    func admits(_ name: String, _ auth: SocketIOValue) async -> Bool { await self.predicate(name, auth) }

    var middlewares: [Namespace.Middleware] { self.state.withLock { $0.middlewares } }
    var connectionHandlers: [Namespace.ConnectionHandler] { self.state.withLock { $0.connection } }
    var errorHandlers: [@Sendable (any Error, Socket?) -> Void] { self.state.withLock { $0.errors } }

    func add(_ child: Namespace) { self.state.withLock { $0.children[child.name] = child } }

    func remove(_ child: Namespace) {
        // Another one may have taken its name meanwhile.
        let removed = self.state.withLock { state in
            state.children[child.name] === child ? state.children.removeValue(forKey: child.name) : nil
        }
        _ = removed
    }
}
