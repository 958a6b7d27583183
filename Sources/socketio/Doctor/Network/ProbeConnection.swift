import EngineIOCore
import NIOCore
import NIOPosix
import NIOSSL

/// How to speak TLS with the server.
struct ProbeTLS: Sendable {
    var context: NIOSSLContext
    /// Nil for an address: NIOSSL then compares that of the peer with the certificate.
    var serverName: String?
}

/// One connection of a probe.
struct ProbeConnection {
    let channel: any Channel
    private var bytes: AsyncThrowingStream<ByteBuffer, any Error>.Iterator

    /// Returns when TCP is connected and TLS, if wanted, agreed upon.
    static func open(
        _ address: SocketAddress, tls: ProbeTLS?, timeout: Duration
    ) async throws(WireFailure) -> ProbeConnection {
        let group = MultiThreadedEventLoopGroup.singleton
        let (stream, continuation) = AsyncThrowingStream<ByteBuffer, any Error>.makeStream()
        let loop = group.next()
        let ready = loop.makePromise(of: Void.self)
        do {
            let channel = try await ClientBootstrap(group: loop)
                .connectTimeout(TimeAmount(timeout))
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        if let tls {
                            try pipeline.addHandler(
                                try NIOSSLClientHandler(context: tls.context, serverHostname: tls.serverName))
                        }
                        try pipeline.addHandler(
                            ProbeReader(isSecure: tls != nil, stream: continuation, ready: ready))
                    }
                }
                .connect(to: address).get()
            let connection = ProbeConnection(channel: channel, bytes: stream.makeAsyncIterator())
            let timer = connection.limit(timeout)
            defer { timer.cancel() }
            do { try await ready.futureResult.get() } catch {
                connection.close()
                throw error
            }
            return connection
        } catch {
            // If not even the handler was made.
            ready.fail(error)
            throw WireFailure(error)
        }
    }

    /// Ends the connection with ``WireFailure/timeout`` after a time, unless that is cancelled.
    func limit(_ timeout: Duration) -> Scheduled<Void> {
        let channel = self.channel
        return channel.eventLoop.scheduleTask(in: TimeAmount(timeout)) {
            channel.pipeline.fireUserInboundEventTriggered(ProbeDeadline())
        }
    }

    func write(_ bytes: ByteBuffer) { self.channel.writeAndFlush(bytes, promise: nil) }

    /// Nil at the end.
    mutating func read() async throws(WireFailure) -> ByteBuffer? {
        do { return try await self.bytes.next() } catch { throw WireFailure(error) }
    }

    func close() { self.channel.close(promise: nil) }
}
