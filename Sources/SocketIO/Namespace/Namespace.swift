import EngineIO
import EngineIOCore
import Logging
import SocketIOCore
import Synchronization

/// A part of the application with its own sockets, rooms, middlewares and handlers, shared by all clients that join it. Several
/// namespaces share a connection. See "Namespaces" in the Socket.IO documentation.
public final class Namespace: Sendable {
    /// The name, with its slash: `/` or `/chat`.
    public let name: String
    /// The rooms and sockets of this server.
    public let local: LocalAdapter
    /// The dynamic namespace that has made this one, if any.
    public let parent: ParentNamespace?

    private weak let server: SocketIOServer?
    private let configuration: SocketIOConfiguration
    private let logger: Logger
    /// See ``SocketIOServer/observation``.
    let observation: Observation?
    private let state = Mutex<State>(State())
    private let ackIDs = Atomic<Int>(0)
    private let adapterBox: AdapterBox
    /// Whether the application has asked for it by name: then it stays, empty or not.
    private let isDeclared: Atomic<Bool>
    /// Whether its adapter has started and the handlers for new namespaces were called; nobody joins before.
    private let readiness = Atomic<Bool>(false)
    var isReady: Bool { self.readiness.load(ordering: .acquiring) }

    typealias Middleware = @concurrent @Sendable (Socket) async throws -> Void
    typealias ConnectionHandler = @Sendable (Socket, LoopContext) -> Void

    private struct State {
        var middlewares: [Middleware] = []
        var connection: [ConnectionHandler] = []
        var serverSide = ListenerTable()
        var errors: [@Sendable (any Error, Socket?) -> Void] = []
        /// Clients that are joining.
        var claims = 0
    }

    init(name: String, server: SocketIOServer, parent: ParentNamespace?, isDeclared: Bool) {
        self.isDeclared = Atomic(isDeclared)
        self.name = name
        self.server = server
        self.parent = parent
        self.configuration = server.configuration
        self.logger = server.logger
        self.observation = server.observation
        self.local = LocalAdapter(
            maxRoomsPerSocket: server.configuration.maxRoomsPerSocket,
            recovery: server.configuration.connectionStateRecovery.map {
                NamespaceRecovery(
                    $0, heartbeat: server.configuration.engine.pingInterval + server.configuration.engine.pingTimeout)
            },
            form: server.form,
            onSessionsExpired: { [weak server] in server?.removeIfUnused(name) },
            onUnsent: { [weak server] error, event in
                server?.namespaces[name]?.report(error, socket: nil, event: event)
            }
        )
        self.adapterBox = AdapterBox(InMemoryAdapter(local: self.local))
    }

    /// What carries broadcasts to the other servers.
    public var adapter: any Adapter { self.adapterBox.adapter }

    /// What keeps the sessions of clients that are away, if that is the adapter.
    var sessions: (any SessionAdapter)? { self.adapterBox.sessions }

    func becomeReady() { self.readiness.store(true, ordering: .releasing) }

    /// The application has asked for it by name.
    func declare() { self.isDeclared.store(true, ordering: .relaxed) }

    /// Makes the adapter. Called once, before the namespace is reachable from anywhere else.
    func makeAdapter() {
        let context = AdapterContext(
            namespace: self.name,
            local: self.local,
            receiveServerSideEvent: { [weak self] event, arguments, answer in
                self?.receiveServerSide(event, arguments, answer)
            },
            report: { [weak self] error, event in self?.report(error, socket: nil, event: event) },
            logger: self.logger
        )
        self.adapterBox.adapter = self.configuration.adapter(context)
        if let recovery = self.local.recovery, let sessions = self.adapterBox.adapter as? any SessionAdapter {
            self.adapterBox.sessions = sessions
            recovery.isExternal.store(true, ordering: .relaxed)
        }
    }

    // MARK: Setting up

    /// Has each client that wants to join pass through `middleware`, in the order of registration. What it throws refuses the
    /// client: a ``ConnectError`` with its message and data, any other error as "Connection refused" (the error itself goes to
    /// the error hook). The socket is not connected yet; rooms that it joins here count once it is.
    public func use(_ middleware: @escaping @concurrent @Sendable (Socket) async throws -> Void) {
        self.state.withLock { $0.middlewares.append(middleware) }
    }

    /// Calls `handler` for each client that joins, after CONNECT was sent and before any event of the client. It is called
    /// inline on an event loop and must not block.
    public func onConnection(_ handler: @escaping @Sendable (Socket) throws -> Void) {
        self.state.withLock { state in
            state.connection.append { socket, _ in
                do { try handler(socket) } catch { socket.report(error, event: "connection") }
            }
        }
    }

    /// Calls `handler` for each client that joins. Listeners that it adds before its first suspension miss nothing.
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

    /// Calls `handler` for what goes wrong in this namespace: what handlers throw, arguments that do not fit, events that can't
    /// be sent. Without any handler it is logged.
    public func onError(_ handler: @escaping @Sendable (any Error, Socket?) -> Void) {
        self.state.withLock { $0.errors.append(handler) }
    }

    // MARK: Sockets

    /// The sockets of this server that are in the namespace, by id.
    public var sockets: [String: Socket] {
        var all: [String: Socket] = [:]
        self.local.select(BroadcastTarget()).forEach { all[$0.id] = $0 }
        return all
    }

    /// The socket of this server with that id.
    public func socket(id: String) -> Socket? { self.local.socket(id: id) }

    var middlewares: [Middleware] {
        let inherited = self.parent?.middlewares ?? []
        return inherited + self.state.withLock { $0.middlewares }
    }

    func callConnectionHandlers(_ socket: Socket, on loop: LoopContext) {
        for handler in self.parent?.connectionHandlers ?? [] { handler(socket, loop) }
        for handler in self.state.withLock({ $0.connection }) { handler(socket, loop) }
    }

    /// The id of the next acknowledgement: one counter for all sockets and broadcasts of the namespace.
    func nextAckID() -> Int { self.ackIDs.wrappingAdd(1, ordering: .relaxed).oldValue & 0x1F_FFFF_FFFF_FFFF }

    // MARK: Errors

    /// Events over a rate are logged once for a socket elsewhere, or a client could fill the log.
    func report(_ error: any Error, socket: Socket?, event: String? = nil) {
        self.observation?.metrics?.failed()
        let own = socket.map { $0.listeners.withLock { $0.errors } } ?? []
        for handler in own { handler(error) }
        let handlers = self.state.withLock { $0.errors } + (self.parent?.errorHandlers ?? [])
        for handler in handlers { handler(error, socket) }
        if let hook = self.configuration.onError {
            hook(error, socket)
        } else if own.isEmpty, handlers.isEmpty, (error as? SocketIOError)?.code != .rateLimited {
            var metadata = socket?.metadata ?? ["socketio.namespace": "\(self.name)"]
            if let event { metadata["socketio.event"] = "\(event)" }
            metadata["socketio.error"] = "\(error)"
            self.logger.error("a handler failed", metadata: metadata)
        }
    }

    // MARK: Coming and going of dynamic namespaces

    func claim() { self.state.withLock { $0.claims += 1 } }

    func unclaim() {
        self.state.withLock { $0.claims -= 1 }
        self.socketHasLeft()
    }

    func socketHasLeft() {
        guard !self.isDeclared.load(ordering: .relaxed), self.configuration.cleanupEmptyChildNamespaces else { return }
        self.server?.removeIfEmpty(self)
    }

    var isUnused: Bool {
        self.local.socketCount == 0 && self.state.withLock { $0.claims == 0 } && !self.local.hasLostSessions
    }

    func closeAdapter() async {
        self.local.endRecovery()
        await self.adapter.close()
    }

    // MARK: Events of other servers

    private func receiveServerSide(
        _ event: String,
        _ arguments: [SocketIOValue],
        _ answer: (@Sendable (SocketIOValue?) -> Void)?
    ) {
        let listeners = self.state.withLock { $0.serverSide.take(event) }
        guard !listeners.isEmpty else { return }
        let ack = answer.map { ServerSideAck($0) }
        let invocation = Invocation(
            origin: .cluster(self), event: event, ack: ack, answersEmpty: ack != nil && listeners.answerEmpty,
            executor: nil)
        do {
            let reader = try ArgumentReader(values: arguments)
            try listeners.forEach { try $0.run(reader, invocation) }
        } catch {
            self.report(error, socket: nil, event: event)
        }
    }
}

/// Holds the adapter of a namespace, which is made from a context that knows the namespace.
///
/// `@unchecked Sendable`: written once, before the namespace is published.
private final class AdapterBox: @unchecked Sendable {
    var adapter: any Adapter
    var sessions: (any SessionAdapter)?

    init(_ adapter: any Adapter) { self.adapter = adapter }
}

/// Listeners of a namespace hear what other servers of the cluster send with `serverSideEmit`.
extension Namespace: EventListening {
    public var eventListeners: EventListeners {
        EventListeners { event, isOnce, reply, run in
            let token = self.state.withLock { $0.serverSide.add(event, isOnce: isOnce, reply, run) }
            return ListenerToken { [weak self] in
                _ = self?.state.withLock { $0.serverSide.remove(event, token: token) }
            }
        }
    }
}

/// Takes the answer to an event of another server: its first value, once.
final class ServerSideAck: AckSending {
    private let answer: Mutex<(@Sendable (SocketIOValue?) -> Void)?>

    init(_ answer: @escaping @Sendable (SocketIOValue?) -> Void) { self.answer = Mutex(answer) }

    private func take() -> (@Sendable (SocketIOValue?) -> Void)? {
        self.answer.withLock { answer in
            defer { answer = nil }
            return answer
        }
    }

    func send<each V: Encodable>(_ value: repeat each V) {
        guard let answer = self.take() else { return }
        for value in repeat each value { return answer(try? SocketIOValue(encoding: value)) }
        answer(nil)
    }

    func send(values: [SocketIOValue]) { self.take()?(values.first) }

    func send(_ values: any AcknowledgementValues) {
        guard let answer = self.take() else { return }
        // Several values encode as an array.
        answer((try? SocketIOValue(encoding: values))?.arrayValue?.first)
    }
}
