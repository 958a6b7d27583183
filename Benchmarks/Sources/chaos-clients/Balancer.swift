import NIOCore
import NIOPosix
import Synchronization

/// Stands before the servers of a cluster: hands each connection to one of them at random, and cuts connections.
final class Balancer: Sendable {
    private struct Pair {
        let client: any Channel
        let server: any Channel
    }

    private let ports: [Int]
    private let group: any EventLoopGroup
    private let pairs = Mutex<[ObjectIdentifier: Pair]>([:])
    private let listener = Mutex<(any Channel)?>(nil)

    init(ports: [Int], group: any EventLoopGroup) {
        self.ports = ports
        self.group = group
    }

    /// Returns the port that clients connect to.
    func start() async throws -> Int {
        let channel = try await ServerBootstrap(group: self.group)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { [self] client in self.connect(client) }
            .bind(host: "127.0.0.1", port: 0).get()
        self.listener.withLock { $0 = channel }
        return channel.localAddress?.port ?? 0
    }

    var count: Int { self.pairs.withLock { $0.count } }

    /// Cuts a connection, if there is one. Sometimes the server does not hear of it before a second is over.
    func cutOne() -> Bool {
        guard let pair = self.pairs.withLock({ $0.randomElement()?.value }) else { return false }
        if Int.random(in: 0..<3) > 0 {
            pair.server.close(promise: nil)
        } else {
            pair.server.eventLoop.scheduleTask(in: .seconds(1)) { pair.server.close(promise: nil) }
        }
        pair.client.close(promise: nil)
        return true
    }

    private func connect(_ client: any Channel) -> EventLoopFuture<Void> {
        self.connect(client, self.ports.shuffled()[...])
            .flatMap { server in
                let key = ObjectIdentifier(client)
                self.pairs.withLock { $0[key] = Pair(client: client, server: server) }
                client.closeFuture.whenComplete { _ in self.pairs.withLock { _ = $0.removeValue(forKey: key) } }
                return client.pipeline.addHandler(Forwarder(to: server, closesAtEnd: false))
                    .and(server.pipeline.addHandler(Forwarder(to: client, closesAtEnd: true)))
            }
            .flatMap { _ in client.setOption(.autoRead, value: true) }
            .flatMapError { _ in client.close() }
    }

    /// A server may be away: the next one is tried.
    private func connect(_ client: any Channel, _ ports: ArraySlice<Int>) -> EventLoopFuture<any Channel> {
        guard let port = ports.first else { return client.eventLoop.makeFailedFuture(ChannelError.eof) }
        let server = ClientBootstrap(group: client.eventLoop).channelOption(.autoRead, value: false)
            .connect(host: "127.0.0.1", port: port)
        return server.flatMapError { _ in self.connect(client, ports.dropFirst()) }
    }
}

/// Hands what comes to the other side.
private final class Forwarder: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    private let other: any Channel
    private let closesAtEnd: Bool

    init(to other: any Channel, closesAtEnd: Bool) {
        self.other = other
        self.closesAtEnd = closesAtEnd
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if self.closesAtEnd { context.channel.setOption(.autoRead, value: true).whenFailure { _ in } }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.other.writeAndFlush(self.unwrapInboundIn(data), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        // A server may go on for a while with a client that is gone.
        if self.closesAtEnd { self.other.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
