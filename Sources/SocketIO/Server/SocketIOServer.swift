@_exported import EngineIO
import EngineIOCore
import Logging
import MessagePack
import NIOCore
import ServiceLifecycle
@_exported import SocketIOCore
import Synchronization

/// A Socket.IO server. See "Server API" in the Socket.IO documentation.
///
/// ```swift
/// let io = SocketIOServer()
/// io.onConnection { socket in
///     socket.on("chat") { (text: String) in io.emit("chat", text) }
/// }
/// try await io.run()
/// ```
///
/// It is a `Service` of ServiceLifecycle: ``run()`` serves until the service group is shut down, then tells the clients and
/// ends. ``start(host:port:)`` and ``close(timeout:)`` do the same by hand. The operations of the main namespace `/` are those
/// of the server too.
public final class SocketIOServer: Sendable {
    public let configuration: SocketIOConfiguration
    let logger: Logger
    let packetLimits: PacketLimits
    /// How packets are written; nil: the default form.
    let form: (any PacketForm)?
    /// nil unless metrics or tracing are configured.
    let observation: Observation?
    private let eventLoopGroup: (any EventLoopGroup)?
    private let state: Mutex<State>

    private struct State {
        var engine: EngineIOServer?
        var isClosed = false
        /// Another server opens the ports.
        var isAttached = false
        /// Calls of `close` that have not returned.
        var closers = 0
        var namespaces: [String: Namespace] = [:]
        var parents: [ParentNamespace] = []
        var newNamespace: [@Sendable (Namespace) -> Void] = []
        var connections: [ObjectIdentifier: ClientConnection] = [:]
    }

    /// Makes a server that does not listen yet.
    ///
    /// - Parameter eventLoopGroup: Loops to serve on, which are the caller's to end; nil: loops of its own. See
    ///   ``serve(_:others:)``.
    public init(
        configuration: SocketIOConfiguration = .init(),
        eventLoopGroup: (any EventLoopGroup)? = nil,
        logger: Logger = Logger(label: "socketio")
    ) {
        self.configuration = configuration
        self.eventLoopGroup = eventLoopGroup
        self.logger = logger
        self.packetLimits = PacketLimits(
            maxAttachments: configuration.maxAttachments,
            maxAttachmentBytes: configuration.maxAttachmentBytes
                ?? max(
                    10_000_000,
                    configuration.maxAttachments.multipliedReportingOverflow(by: configuration.engine.maxPayload)
                        .partialValue),
            maxDepth: configuration.maxDepth,
            maxArguments: configuration.maxArguments
        )
        self.form = configuration.parser.form
        self.observation = Observation(configuration)
        self.state = Mutex(State())
        _ = self.makeNamespace("/", parent: nil, claims: false, isDeclared: true)
    }

    // MARK: Namespaces

    /// The namespace `/`, which clients join that name none.
    public var main: Namespace { self.of("/") }

    /// The namespace of that name. If there is none it is made, and stays. One that a client has had a dynamic namespace make is
    /// returned as it is: it may be removed when it is empty. A missing slash is added. When the pattern of a dynamic namespace
    /// admits the name, it is one of those.
    public func of(_ name: String) -> Namespace {
        let name = name.utf8.first == UInt8(ascii: "/") ? name : "/" + name
        let (existing, parents) = self.state.withLock { ($0.namespaces[name], $0.parents) }
        if let existing { return existing }
        let parent = parents.first { $0.pattern?(name) ?? false }
        return self.makeNamespace(name, parent: parent, claims: false, isDeclared: true)
    }

    /// A dynamic namespace: clients may join the names in which `pattern` is found. Anchor it (`^…$`) to compare whole names.
    public func of<Output>(_ pattern: sending Regex<Output>) -> ParentNamespace {
        let name = NamePattern(pattern)
        return self.add(
            ParentNamespace(pattern: { name.isFound(in: $0) }) { requested, _ in name.isFound(in: requested) })
    }

    /// A dynamic namespace: clients may join the names for which `predicate` returns true. It is given the name and what the
    /// client has sent to join.
    public func of(_ predicate: @escaping @Sendable (_ name: String, _ auth: SocketIOValue) async -> Bool)
        -> ParentNamespace
    {
        self.add(ParentNamespace(predicate))
    }

    private func add(_ parent: ParentNamespace) -> ParentNamespace {
        self.state.withLock { $0.parents.append(parent) }
        return parent
    }

    /// The namespaces of this server, by name.
    public var namespaces: [String: Namespace] { self.state.withLock { $0.namespaces } }

    /// Calls `handler` for each namespace that is made from now on.
    public func onNewNamespace(_ handler: @escaping @Sendable (Namespace) -> Void) {
        self.state.withLock { $0.newNamespace.append(handler) }
    }

    private func makeNamespace(
        _ name: String,
        parent: ParentNamespace?,
        claims: Bool,
        isDeclared: Bool
    ) -> Namespace {
        let made = Namespace(name: name, server: self, parent: parent, isDeclared: isDeclared)
        made.makeAdapter()
        let (namespace, handlers) = self.state.withLock { state -> (Namespace, [@Sendable (Namespace) -> Void]) in
            if let existing = state.namespaces[name] {
                if claims { existing.claim() }
                return (existing, [])
            }
            if claims { made.claim() }
            state.namespaces[name] = made
            return (made, state.newNamespace)
        }
        if namespace === made {
            made.adapter.start()
            parent?.add(made)
            for handler in handlers { handler(made) }
            made.becomeReady()
        } else if isDeclared {
            namespace.declare()
        }
        return namespace
    }

    /// The namespace of that name if it exists, kept from being removed until it is unclaimed.
    func claimNamespace(_ name: String) -> Namespace? {
        self.state.withLock { state in
            guard let namespace = state.namespaces[name] else { return nil }
            namespace.claim()
            return namespace
        }
    }

    /// The namespace of that name of a dynamic one, made if need be and claimed; nil if there are as many as there may be.
    func claimChild(_ name: String, of parent: ParentNamespace) -> Namespace? {
        if let existing = self.claimNamespace(name) { return existing }
        guard parent.childCount < self.configuration.maxChildNamespaces else {
            self.observation?.metrics?.exceeded(.maxChildNamespaces)
            self.logger.warning("namespace refused", metadata: ["socketio.limit": "maxChildNamespaces"])
            return nil
        }
        return self.makeNamespace(name, parent: parent, claims: true, isDeclared: false)
    }

    func removeIfEmpty(_ namespace: Namespace) {
        let isRemoved = self.state.withLock { state in
            guard state.namespaces[namespace.name] === namespace, namespace.isUnused else { return false }
            state.namespaces[namespace.name] = nil
            return true
        }
        guard isRemoved else { return }
        namespace.parent?.remove(namespace)
        Task { await namespace.closeAdapter() }
    }

    /// A namespace has lost what has kept it.
    func removeIfUnused(_ name: String) {
        guard let namespace = self.state.withLock({ $0.namespaces[name] }) else { return }
        namespace.socketHasLeft()
    }

    var parents: [ParentNamespace] { self.state.withLock { $0.parents } }

    // MARK: Connections

    /// The transport server, while this one is started.
    public var engine: EngineIOServer? { self.state.withLock { $0.engine } }

    /// Number of client connections, those included that have joined no namespace yet.
    public var connectionCount: Int { self.state.withLock { $0.connections.count } }

    var connections: [ClientConnection] { self.state.withLock { Array($0.connections.values) } }

    func add(_ connection: ClientConnection) {
        self.state.withLock { $0.connections[ObjectIdentifier(connection)] = connection }
    }

    func remove(_ connection: ClientConnection) {
        let removed = self.state.withLock { $0.connections.removeValue(forKey: ObjectIdentifier(connection)) }
        _ = removed
    }

    // MARK: Serving

    /// Opens a port. Port 0 lets the system choose; the address that is returned tells which. May be called for several
    /// addresses.
    @discardableResult
    public func start(host: String? = nil, port: Int? = nil) async throws -> SocketAddress {
        let engine = try self.makeEngine()
        let address = try await engine.start(
            host: host ?? self.configuration.host, port: port ?? self.configuration.port)
        self.logger.debug("listening", metadata: ["socketio.address": "\(address)"])
        return address
    }

    private func makeEngine() throws -> EngineIOServer {
        if let engine = self.engine { return engine }
        var configuration = self.configuration.engine
        let rates = [self.configuration.eventRate, self.configuration.connectRate].compactMap { $0 }
        configuration.countsEvents = !rates.isEmpty
        configuration.holdsMessages = rates.contains { $0.policy == .wait }
        try self.configuration.checkRates()
        if let directory = self.configuration.clientDirectory {
            configuration.clientFiles = try ClientFiles.load(directory)
        }
        let made = try EngineIOServer(
            configuration: configuration, eventLoopGroup: self.eventLoopGroup, logger: self.logger,
            onQuiesce: { Task { await self.end() } }
        ) { session, _ in
            let connection = ClientConnection(session: session, server: self)
            self.add(connection)
            if connection.isVersion4 { connection.beginVersion4() }
            return connection
        }
        self.observe(made)
        let engine = self.state.withLock { state -> EngineIOServer? in
            if state.isClosed { return nil }
            if state.engine == nil { state.engine = made }
            return state.engine
        }
        if engine !== made { Task { await made.close() } }
        guard let engine else { throw SocketIOError(.serverClosed, "the server was closed") }
        return engine
    }

    private var isAttached: Bool { self.state.withLock { $0.isAttached } }

    /// Makes ready to serve on connections of another server (``serve(_:others:)``). This one opens no port then, not in
    /// ``run()`` either.
    ///
    /// - Throws: ``EngineIOConfigurationError`` or ``SocketIOError`` if the configuration is invalid or the server was closed.
    public func attach() throws {
        _ = try self.makeEngine()
        self.state.withLock { $0.isAttached = true }
    }

    /// Serves this server's path on a connection of another server of SwiftNIO, which answers all other paths. See
    /// ``EngineIOServer/serve(_:others:)``, and make this server with the event loops of the other.
    ///
    /// When the other server ends its connections in good order, this one ends as at a graceful shutdown
    /// (``SocketIOConfiguration/drain``).
    public func serve(
        _ channel: any Channel, others addHandlers: @escaping (any Channel) throws -> Void
    ) throws {
        if !self.isAttached { try self.attach() }
        guard let engine = self.engine else { throw SocketIOError(.serverClosed, "the server was closed") }
        try engine.serve(channel, others: addHandlers)
    }

    /// Disconnects all clients (reason `server shutting down`), stops listening, and ends the event loops. What was sent before
    /// is delivered as far as clients take it within `timeout`. A closed server can't be started again.
    public func close(timeout: Duration = .seconds(5)) async {
        let (engine, connections) = self.state.withLock { state in
            state.isClosed = true
            state.closers += 1
            return (state.engine, Array(state.connections.values))
        }
        await engine?.stopListening()
        for connection in connections { connection.shutDown() }
        // Those that came in between.
        for connection in self.state.withLock({ Array($0.connections.values) }) { connection.shutDown() }
        await engine?.close(timeout: timeout)
        let namespaces = self.state.withLock { state in
            state.engine = nil
            return Array(state.namespaces.values)
        }
        for namespace in namespaces { await namespace.closeAdapter() }
        self.observation?.metrics?.collect(self)
        self.state.withLock { $0.closers -= 1 }
    }

    /// Where it is in its life, and the transport server while there is one.
    var life: (phase: ServerHealth.Phase, engine: EngineIOServer?) {
        let (engine, isClosed, isClosing) = self.state.withLock { ($0.engine, $0.isClosed, $0.closers > 0) }
        if isClosed { return (isClosing ? .draining : .closed, engine) }
        // New clients are turned away already.
        if engine?.isDraining == true { return (.draining, engine) }
        return (engine?.isListening == true ? .listening : .idle, engine)
    }
}

extension SocketIOServer: Service {
    /// Listens on the configured address and serves until the service group shuts down or the task is cancelled, then closes; at a
    /// graceful shutdown as ``SocketIOConfiguration/drain`` says.
    public func run() async throws {
        do {
            if !self.isAttached { try await self.start() }
        } catch {
            await self.close()
            throw error
        }
        try? await gracefulShutdown()
        await self.end()
    }

    private func end() async {
        if self.configuration.drain == nil || Task.isCancelled { await self.close() } else { await self.drain() }
    }
}

/// The server stands for its main namespace.
extension SocketIOServer: Broadcasting, EventListening {
    public var broadcastOperator: BroadcastOperator { self.main.broadcastOperator }
    public var eventListeners: EventListeners { self.main.eventListeners }

    /// See ``Namespace/use(_:)``.
    public func use(_ middleware: @escaping @concurrent @Sendable (Socket) async throws -> Void) {
        self.main.use(middleware)
    }

    /// See ``Namespace/onConnection(_:)``.
    public func onConnection(_ handler: @escaping @Sendable (Socket) throws -> Void) { self.main.onConnection(handler) }

    /// See ``Namespace/onConnection(_:)``.
    @_disfavoredOverload
    public func onConnection(_ handler: @escaping @concurrent @Sendable (Socket) async throws -> Void) {
        self.main.onConnection(handler)
    }

    /// See ``Namespace/onError(_:)``.
    public func onError(_ handler: @escaping @Sendable (any Error, Socket?) -> Void) { self.main.onError(handler) }
}

extension SocketIOError.Code {
    /// The server was closed.
    public static let serverClosed = Self(rawValue: "server_closed")
}

/// A regular expression, which is not `Sendable`, behind a lock.
private final class NamePattern<Output>: Sendable {
    private let pattern: Mutex<Regex<Output>>

    init(_ pattern: sending Regex<Output>) { self.pattern = Mutex(pattern) }

    func isFound(in name: String) -> Bool {
        self.pattern.withLock { pattern in
            do { return try pattern.firstMatch(in: name) != nil } catch { return false }
        }
    }
}
