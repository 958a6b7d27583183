import NIOCore
import NIOPosix

/// Stands between a client and a server on the loopback interface, and does to their connections what networks do.
package final class FaultyProxy: Sendable {
    package enum Direction: Sendable { case toServer, toClient }

    private struct State: Sendable {
        var connections: [Connection] = []
        var isRefusing = false
        var acceptedCount = 0
        var port = 0
    }

    private let host: String
    private let state = Locked(State())
    private let listener: Awaited<(any Channel)?> = Awaited(nil)

    private init(to target: (host: String, port: Int)) {
        host = target.host
        state.withLock { $0.port = target.port }
    }

    deinit {
        listener.value?.close(promise: nil)
        for connection in state.withLock({ $0.connections }) { connection.close() }
    }

    package static func start(toPort port: Int, host: String = "127.0.0.1") async throws -> FaultyProxy {
        let proxy = FaultyProxy(to: (host, port))
        let channel = try await ServerBootstrap(group: PeerLoops.group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { [weak proxy] channel in
                guard let proxy else { return channel.close() }
                return proxy.accept(channel)
            }
            .bind(host: "127.0.0.1", port: 0).value("a listening proxy", timeout: defaultTimeout)
        proxy.listener.update { $0 = channel }
        return proxy
    }

    /// Where clients connect to.
    package var port: Int { listener.value?.localAddress?.port ?? 0 }

    /// The connections that are open, oldest first.
    package var connections: [Connection] { state.withLock { $0.connections.filter { !$0.isClosed } } }

    /// How many connections have come so far.
    package var acceptedCount: Int { state.withLock { $0.acceptedCount } }

    /// The first open connection over which the client has sent a text, such as `SUBSCRIBE`.
    package func connection(
        thatSent text: String, timeout: Duration = defaultTimeout
    ) async throws -> Connection {
        var found: Connection?
        try await eventually("a connection that has sent \(text)", timeout: timeout) {
            found = connections.first { $0.hasSent(text) }
            return found != nil
        }
        guard let found else { throw PeerError("no connection has sent \(text)") }
        return found
    }

    /// Closes all connections.
    package func closeAll() {
        for connection in connections { connection.close() }
    }

    /// Closes all connections, and new ones as soon as they come, until it is called with false.
    package func refuse(_ isRefusing: Bool) {
        state.withLock { $0.isRefusing = isRefusing }
        if isRefusing { closeAll() }
    }

    /// Has new connections go to another port.
    package func setTarget(port: Int) { state.withLock { $0.port = port } }

    package func stop() async {
        try? await listener.value?.close().value("the proxy to close", timeout: defaultTimeout)
        closeAll()
    }

    private func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
        let connection = Connection(client: channel)
        let isRefused = state.withLock { state in
            state.connections.removeAll { $0.isClosed }
            state.acceptedCount += 1
            if !state.isRefusing { state.connections.append(connection) }
            return state.isRefusing
        }
        if isRefused { return channel.close() }
        let forward = channel.pipeline.addHandler(ForwardingHandler(connection, .toServer))
        let target = (host: host, port: state.withLock { $0.port })
        return forward.flatMap {
            ClientBootstrap(group: channel.eventLoop)
                .channelInitializer { server in
                    connection.setServer(server)
                    return server.pipeline.addHandler(ForwardingHandler(connection, .toClient))
                }
                .connect(host: target.host, port: target.port)
                .flatMap { _ in channel.setOption(.autoRead, value: true) }
                .flatMapError { _ in channel.close() }
        }
    }

    /// A client's connection, and the one to the server that belongs to it.
    package final class Connection: Sendable {
        private struct State: Sendable {
            var server: (any Channel)?
            /// The beginning of what the client has sent.
            var sent = ByteBuffer()
            var stopped: Set<Direction> = []
            var bytesUntilCut: Int?
            var isClosed = false
            var filter: (@Sendable (Direction, String) -> Bool)?
            /// What waits for the server, if it waits.
            var held: ByteBuffer?
        }

        private let client: any Channel
        private let state = Locked(State())

        init(client: any Channel) { self.client = client }

        /// Whether the client has sent a text within the first 64 KiB.
        package func hasSent(_ text: String) -> Bool { state.withLock { String(buffer: $0.sent) }.contains(text) }

        package var isClosed: Bool { state.withLock { $0.isClosed } }

        /// Swallows all that goes in a direction; the connection stays open.
        package func stop(_ direction: Direction) { state.withLock { _ = $0.stopped.insert(direction) } }

        /// Swallows those reads of which a function says that they don't pass.
        package func filter(_ passes: @escaping @Sendable (Direction, String) -> Bool) {
            state.withLock { $0.filter = passes }
        }

        /// Lets so many more bytes reach the client, and closes.
        package func cut(afterBytesToClient count: Int) { state.withLock { $0.bytesUntilCut = count } }

        /// Sends the client something that the server has not sent.
        package func injectToClient(_ text: String) { client.writeAndFlush(ByteBuffer(string: text), promise: nil) }

        /// Keeps what the client sends, and the connection to the server, even when the client has closed, until ``release()``.
        package func hold() { state.withLock { $0.held = $0.held ?? ByteBuffer() } }

        /// Sends the server what was kept.
        package func release() {
            let (held, server) = state.withLock { state in
                defer { state.held = nil }
                return (state.held, state.server)
            }
            if let held { server?.writeAndFlush(held, promise: nil) }
        }

        func ended(_ direction: Direction) {
            if direction == .toClient || state.withLock({ $0.held == nil }) { close() }
        }

        package func close() {
            let server = state.withLock { state in
                state.isClosed = true
                return state.server
            }
            client.close(promise: nil)
            server?.close(promise: nil)
        }

        func setServer(_ server: any Channel) {
            let isClosed = state.withLock { state in
                state.server = server
                return state.isClosed
            }
            if isClosed { server.close(promise: nil) }
        }

        func forward(_ bytes: ByteBuffer, _ direction: Direction) {
            var bytes = bytes
            let (server, passes, isCut) = state.withLock { state in
                if direction == .toServer, state.sent.readableBytes < 64 << 10 {
                    state.sent.writeImmutableBuffer(bytes)
                }
                var isCut = false
                if direction == .toClient, let left = state.bytesUntilCut {
                    state.bytesUntilCut = max(0, left - bytes.readableBytes)
                    isCut = left <= bytes.readableBytes
                    bytes = bytes.readSlice(length: min(left, bytes.readableBytes)) ?? bytes
                }
                var passes = state.filter?(direction, String(buffer: bytes)) ?? true
                if passes, direction == .toServer, state.held != nil {
                    passes = false
                    state.held?.writeImmutableBuffer(bytes)
                }
                return (state.server, passes && !state.stopped.contains(direction), isCut)
            }
            if passes {
                let channel = direction == .toServer ? server : client
                channel?.writeAndFlush(bytes, promise: nil)
            }
            if isCut { close() }
        }
    }
}

/// Hands what one side sends to the other.
private final class ForwardingHandler: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    private let connection: FaultyProxy.Connection
    private let direction: FaultyProxy.Direction

    init(_ connection: FaultyProxy.Connection, _ direction: FaultyProxy.Direction) {
        self.connection = connection
        self.direction = direction
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection.forward(unwrapInboundIn(data), direction)
    }

    func channelInactive(context: ChannelHandlerContext) { connection.ended(direction) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { connection.ended(direction) }
}
