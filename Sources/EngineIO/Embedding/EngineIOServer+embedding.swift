import NIOCore
import NIOHTTP1
import NIOSSL

extension EngineIOServer {
    /// Serves this server's path on a connection of another server of SwiftNIO, which answers all other paths.
    ///
    /// To be called for each connection that the other server accepts, on the connection's event loop, before anything else is
    /// added to its pipeline but TLS:
    ///
    /// ```swift
    /// let group = MultiThreadedEventLoopGroup.singleton
    /// let engine = try EngineIOServer(eventLoopGroup: group) { session, _ in Echo(session) }
    /// let bootstrap = ServerBootstrap(group: group).childChannelInitializer { channel in
    ///     channel.eventLoop.makeCompletedFuture {
    ///         try engine.serve(channel) { try $0.pipeline.syncOperations.addHandler(MyHTTPHandler()) }
    ///     }
    /// }
    /// ```
    ///
    /// It adds SwiftNIO's HTTP/1 codec. Requests whose path begins with ``EngineIOConfiguration/path`` are answered here; one of
    /// them may turn the connection into a WebSocket. Others are passed on as `HTTPServerRequestPart`, one at a time.
    ///
    /// Ports, TLS, the number of loops and ``EngineIOConfiguration/maxConnectionsPerAddress`` are the other server's business
    /// then, and ``EngineIOConfiguration/fallback`` isn't asked. When that server ends its connections in good order (the event
    /// `ChannelShouldQuiesceEvent`), this one is closed.
    ///
    /// - Parameters:
    ///   - channel: an HTTP/1 connection, on one of the loops that this server was made with.
    ///   - addHandlers: adds the other server's handlers at the end of the pipeline. Called once, on the event loop, before the
    ///     first request that is passed on; never for a connection that serves this server's path alone. An error closes the
    ///     connection.
    /// - Throws: ``EngineIOConfigurationError`` if the loop is another.
    public func serve(
        _ channel: any Channel, others addHandlers: @escaping (any Channel) throws -> Void
    ) throws {
        guard let loop = self.loop(of: channel) else {
            throw EngineIOConfigurationError("the connection's event loop is not one of this server's")
        }
        let isSecure = (try? channel.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self)) != nil
        let encoder = HTTPResponseEncoder()
        let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes))
        let pipelining = HTTPServerPipelineHandler()
        let errors = HTTPServerProtocolErrorHandler()
        let embedded = EmbeddedHTTPHandler(
            server: self, loop: loop, isSecure: isSecure, codec: [errors, pipelining, decoder, encoder],
            others: addHandlers)
        try channel.pipeline.syncOperations.addHandlers([encoder, decoder, pipelining, errors, embedded])
    }
}
