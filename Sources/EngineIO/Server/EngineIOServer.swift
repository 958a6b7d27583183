import EngineIOCore
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// An Engine.IO server: sessions over HTTP long-polling and WebSocket, on event loops of its own.
///
/// This is the transport below Socket.IO, usable alone. ``start(host:port:)`` opens the port; each new session is given the
/// handler that `makeHandler` returns for it.
public final class EngineIOServer: Sendable {
    public let configuration: EngineIOConfiguration
    let logger: Logger
    let path: EndpointPath
    let corsPolicy: CORSPolicy
    let cookie: CookieOptions?
    let trustedProxies: [IPNetwork]
    let limits: SessionLimits
    let requestTimeout: UInt64
    let hasClientFiles: Bool
    private let hasThrottles: Bool
    /// nil unless they are configured.
    package let metrics: EngineMetrics?
    private let makeHandler: @Sendable (EngineIOSession, LoopContext) -> any EngineIOSessionHandler
    private let table = Mutex<Table>(Table())
    /// Connections by address, if these are limited.
    let peers = Mutex<AddressCounts>(AddressCounts())
    private let group: any EventLoopGroup
    /// The event loops are the server's own, and end with it.
    private let ownsLoops: Bool
    private let onQuiesce: (@Sendable () -> Void)?
    private let hasQuiesced = Atomic<Bool>(false)
    package let loops: [LoopContext]
    private let loopOfEventLoop: [ObjectIdentifier: LoopContext]

    private struct Table {
        var sessions: [String: EngineIOSession] = [:]
        /// Sessions by address, if these are limited.
        var addresses = AddressCounts()
        var listeners: [any Channel] = []
        var isClosed = false
        /// No new session is opened.
        var isDraining = false
    }

    /// Makes a server that does not listen yet. Throws when the configuration is invalid.
    ///
    /// - Parameters:
    ///   - eventLoopGroup: Loops to serve on, of SwiftNIO's `NIOPosix` if this server opens ports itself. They are the caller's
    ///     to end, after the server was closed. nil: loops of its own.
    ///   - makeHandler: Called on an event loop for each new session, before anything else happens to it. What it
    ///     sends follows the handshake.
    public convenience init(
        configuration: EngineIOConfiguration = .init(),
        eventLoopGroup: (any EventLoopGroup)? = nil,
        logger: Logger = Logger(label: "socketio.engine"),
        makeHandler: @escaping @Sendable (EngineIOSession, LoopContext) -> any EngineIOSessionHandler
    ) throws(EngineIOConfigurationError) {
        try self.init(
            configuration: configuration, eventLoopGroup: eventLoopGroup, logger: logger, onQuiesce: nil,
            makeHandler: makeHandler)
    }

    /// - Parameter onQuiesce: Called once, when another server whose connections this one serves on is to end; nil: this one is
    ///   closed then.
    package init(
        configuration: EngineIOConfiguration,
        eventLoopGroup: (any EventLoopGroup)?,
        logger: Logger,
        onQuiesce: (@Sendable () -> Void)?,
        makeHandler: @escaping @Sendable (EngineIOSession, LoopContext) -> any EngineIOSessionHandler
    ) throws(EngineIOConfigurationError) {
        self.trustedProxies = try configuration.validated()
        self.configuration = configuration
        self.logger = logger
        self.makeHandler = makeHandler
        self.path = EndpointPath(configuration.path, addTrailingSlash: configuration.addTrailingSlash)
        self.corsPolicy = CORSPolicy(configuration.cors)
        self.cookie = configuration.cookie.flatMap { try? CookieOptions($0) }
        self.limits = SessionLimits(
            pingInterval: configuration.pingInterval.nanoseconds,
            pingTimeout: configuration.pingTimeout.nanoseconds,
            upgradeTimeout: configuration.upgradeTimeout.nanoseconds,
            closeTimeout: configuration.closeTimeout.nanoseconds,
            maxOutboxBytes: configuration.maxOutboxBytes,
            maxTotalOutboxBytes: configuration.maxTotalOutboxBytes,
            maxInboundQueueBytes: configuration.maxInboundQueueBytes
        )
        self.requestTimeout = configuration.requestTimeout.nanoseconds
        self.hasClientFiles = !configuration.clientFiles.isEmpty
        let hasRates = configuration.messageRate != nil || configuration.byteRate != nil
        self.hasThrottles = hasRates || configuration.holdsMessages
        self.group =
            eventLoopGroup ?? MultiThreadedEventLoopGroup(numberOfThreads: configuration.eventLoopCount)
        self.ownsLoops = eventLoopGroup == nil
        self.onQuiesce = onQuiesce
        var loops: [LoopContext] = []
        var byLoop: [ObjectIdentifier: LoopContext] = [:]
        for eventLoop in self.group.makeIterator() {
            let loop = LoopContext(eventLoop: eventLoop)
            if hasRates || configuration.countsEvents { loop.keepTime() }
            loops.append(loop)
            byLoop[ObjectIdentifier(eventLoop)] = loop
        }
        self.loops = loops
        self.loopOfEventLoop = byLoop
        self.metrics = configuration.metrics.map { EngineMetrics($0) }
        self.metrics?.start(loops)
    }

    /// Number of sessions, those that are being closed included.
    public var sessionCount: Int { self.table.withLock { $0.sessions.count } }

    /// All sessions, in no order.
    public var sessions: [EngineIOSession] { self.table.withLock { Array($0.sessions.values) } }

    // MARK: Listening

    /// Opens a port and serves it until ``close(timeout:)``. Port 0 lets the system choose; the address that is returned tells
    /// which. May be called for several addresses.
    @discardableResult
    public func start(host: String = "127.0.0.1", port: Int) async throws -> SocketAddress {
        try await self.listen { try await $0.bind(host: host, port: port).get() }
    }

    /// Listens on a Unix domain socket.
    @discardableResult
    public func start(unixDomainSocketPath path: String) async throws -> SocketAddress {
        try await self.listen {
            try await $0.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
        }
    }

    private func listen(_ bind: (ServerBootstrap) async throws -> any Channel) async throws -> SocketAddress {
        // Its event loops may be gone.
        guard !self.isClosed else { throw EngineIOConfigurationError("the server is closed") }
        let tls = try self.configuration.tls.map { try NIOSSLContext(configuration: $0) }
        guard let onLoops = ServerBootstrap(validatingGroup: self.group) else {
            throw EngineIOConfigurationError("the event loops can't open ports")
        }
        let plain =
            onLoops
            .serverChannelOption(.backlog, value: self.configuration.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.maxMessagesPerRead, value: 16)
            .childChannelInitializer { channel in
                do {
                    try self.configure(channel, tls)
                    return channel.eventLoop.makeSucceededVoidFuture()
                } catch {
                    return channel.eventLoop.makeFailedFuture(error)
                }
            }
        // On Linux connections have it from the listening socket, where NIO sets it: a system call less for each.
        #if os(Linux)
            let bootstrap = plain
        #else
            let bootstrap = plain.childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        #endif
        let channel = try await bind(bootstrap)
        let isClosed = self.table.withLock { table in
            if !table.isClosed { table.listeners.append(channel) }
            return table.isClosed
        }
        guard !isClosed, let address = channel.localAddress else {
            try? await channel.close()
            throw EngineIOConfigurationError("the server is closed")
        }
        return address
    }

    private func configure(_ channel: any Channel, _ tls: NIOSSLContext?) throws {
        guard let loop = self.loop(of: channel) else { return }
        if let most = self.configuration.maxConnectionsPerAddress { try self.count(channel, most) }
        if let options = channel.syncOptions {
            try options.setOption(.writeBufferWaterMark, value: .init(low: 16 << 10, high: 64 << 10))
            try options.setOption(.recvAllocator, value: ReadBufferSize())
        }
        let pipeline = channel.pipeline.syncOperations
        if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
        try pipeline.addHandler(ConnectionHandler(server: self, loop: loop, isDirect: tls == nil), name: "connection")
    }

    func loop(of channel: any Channel) -> LoopContext? { self.loopOfEventLoop[ObjectIdentifier(channel.eventLoop)] }

    /// Another server whose connections this one serves on is to end.
    func quiesce() {
        guard self.hasQuiesced.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged else {
            return
        }
        if let onQuiesce = self.onQuiesce { onQuiesce() } else { Task { await self.close() } }
    }

    // MARK: Sessions

    func session(id: String) -> EngineIOSession? { self.table.withLock { $0.sessions[id] } }

    /// A session has ended. Only here are sessions removed, and their addresses with them.
    func remove(_ session: EngineIOSession) {
        let address = self.group(of: session.request)
        let removed = self.table.withLock { table -> EngineIOSession? in
            guard table.sessions[session.id] === session else { return nil }
            if let address { table.addresses.remove(address) }
            return table.sessions.removeValue(forKey: session.id)
        }
        // Released outside the lock.
        _ = removed
    }

    var isClosed: Bool { self.table.withLock { $0.isClosed } }

    /// The address that counts, if addresses do.
    private func group(of request: EngineIORequest) -> AddressGroup? {
        self.configuration.maxSessionsPerAddress == nil ? nil : AddressGroup(request.address)
    }

    /// Whether there are as many sessions as may be, in all or of this address.
    func reachedLimit(for request: EngineIORequest) -> EngineIOLimit? {
        let address = self.group(of: request)
        return self.table.withLock { self.reachedLimit($0, address) }
    }

    private func reachedLimit(_ table: borrowing Table, _ address: AddressGroup?) -> EngineIOLimit? {
        if table.sessions.count >= self.configuration.maxSessions { return .maxSessions }
        guard let most = self.configuration.maxSessionsPerAddress, let address else { return nil }
        return table.addresses.count(of: address) >= most ? .maxSessionsPerAddress : nil
    }

    /// Addresses with sessions, if these are limited.
    var addressCount: Int { self.table.withLock { $0.addresses.entryCount } }

    func makeThrottle() -> InboundThrottle? {
        guard self.hasThrottles else { return nil }
        return InboundThrottle(
            rates: InboundRates(
                messageRate: self.configuration.messageRate, byteRate: self.configuration.byteRate,
                now: NIODeadline.now().uptimeNanoseconds))
    }

    enum Opened {
        case opened(EngineIOSession)
        case idTaken
        case full(EngineIOLimit)
        case closed
    }

    /// Opens a session whose handshake waits in its outbox. `isWebSocket`: the endpoint is attached by the caller.
    func open(
        _ request: EngineIORequest, id: String, _ dialect: SessionDialect?, loop: LoopContext, isWebSocket: Bool
    ) -> Opened {
        let now = NIODeadline.now().uptimeNanoseconds
        let isVersion3 = dialect?.version == 3
        var state = SessionState(limits: self.limits, transport: .polling, clientPings: isVersion3, now: now)
        let canUpgrade =
            !isWebSocket && self.configuration.allowUpgrades && self.configuration.transports.contains(.websocket)
        let handshake = Handshake(
            sid: id,
            upgrades: canUpgrade ? ["websocket"] : [],
            pingInterval: self.configuration.pingInterval.milliseconds,
            pingTimeout: self.configuration.pingTimeout.milliseconds,
            maxPayload: self.configuration.maxPayload
        )
        // No limit concerns these: a session cannot end before it has begun.
        state.outbox.append(OutboundPacket(frames: handshake.packet.makeFrame()))
        if let initialPacket = self.configuration.initialPacket {
            state.outbox.append(OutboundPacket(frames: EngineIOSession.frame(initialPacket)))
        }
        let session = EngineIOSession(
            id: id, request: request, dialect: dialect, loop: loop, server: self, state: state)
        // Whatever happens to the session from now on waits until it has its handler.
        let isInside = session.enterGate()
        let address = self.group(of: request)
        let refusal = self.table.withLock { table -> Opened? in
            if table.isDraining { return .closed }
            if let limit = self.reachedLimit(table, address) { return .full(limit) }
            if table.sessions[id] != nil { return .idTaken }
            table.sessions[id] = session
            if let address { table.addresses.add(address) }
            return nil
        }
        if let refusal { return refusal }
        self.metrics?.sessionOpened(isWebSocket: isWebSocket, isVersion3: isVersion3)
        session.log("session opened", isWebSocket ? .websocket : .polling)
        session.handler = self.makeHandler(session, loop)
        if isInside { session.leaveGate(on: loop) }
        session.updateWheel()
        return .opened(session)
    }

    // MARK: Closing

    /// Stops accepting, closes the sessions in good order, and ends the event loops. What was sent before is delivered as far
    /// as clients take it within `timeout`; then connections are cut. Calling it again waits for the end of the first call.
    public func close(timeout: Duration = .seconds(5)) async {
        let task = self.closing.withLock { closing in
            // In a task of its own: the caller's may have been cancelled, and this one has waits to keep.
            let task = closing ?? Task { await self.finishClosing(timeout: timeout) }
            closing = task
            return task
        }
        await task.value
    }

    private func finishClosing(timeout: Duration) async {
        await self.stopListening()
        for session in self.sessions { session.close() }
        let deadline = ContinuousClock.now + timeout
        while ContinuousClock.now < deadline {
            let isIdle = self.table.withLock { $0.sessions.isEmpty }
            if isIdle, !self.hasOpenWebSockets { break }
            try? await Task.sleep(for: .milliseconds(5))
        }
        for session in self.sessions { session.end(reason: .forcedClose, .cut) }
        for loop in self.loops {
            loop.executor.shutDown()
            await loop.executor.handOver()
        }
        await self.metrics?.stop()
        await self.probes.end()
        if self.ownsLoops { try? await self.group.shutdownGracefully() }
        self.metrics?.collect()
    }

    /// Opens no further session: handshakes get status 503. Those that there are go on, over new connections too.
    package func stopAdmitting() { self.table.withLock { $0.isDraining = true } }

    package var isDraining: Bool { self.table.withLock { $0.isDraining } }

    /// Closes the port. Sessions go on.
    package func stopListening() async {
        let listeners = self.table.withLock { table in
            table.isClosed = true
            table.isDraining = true
            defer { table.listeners = [] }
            return table.listeners
        }
        for listener in listeners { try? await listener.close() }
    }

    /// Whether a port is open.
    package var isListening: Bool { self.table.withLock { !$0.isClosed && !$0.listeners.isEmpty } }

    let probes = LoopProbes()
    private let closing = Mutex<Task<Void, Never>?>(nil)
    private let webSockets = Atomic<Int>(0)
    private var hasOpenWebSockets: Bool { self.webSockets.load(ordering: .relaxed) > 0 }
    func webSocketOpened() { self.webSockets.wrappingAdd(1, ordering: .relaxed) }
    func webSocketClosed() { self.webSockets.wrappingSubtract(1, ordering: .relaxed) }
}
