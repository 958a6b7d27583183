#if Hummingbird
    import HTTPTypes
    import Hummingbird
    import HummingbirdCore
    import Logging
    import NIOCore
    import NIOHTTP1
    import NIOHTTPTypes
    import NIOHTTPTypesHTTP1
    @_exported import SocketIO

    extension HTTPServerBuilder {
        /// An HTTP/1 server that answers requests for `io` itself, over long-polling and WebSocket, and gives all others to the
        /// application's router.
        ///
        /// ```swift
        /// let io = SocketIOServer(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        /// let app = Application(router: router, server: .socketIO(io))
        /// try await app.runService()
        /// ```
        ///
        /// The application and `io` share their event loops: give both the same group. (The singleton is Hummingbird's default.)
        /// A graceful shutdown of the application is one of `io` too, as ``SocketIO/SocketIOConfiguration/drain`` says. For TLS,
        /// wrap it: `.tls(.socketIO(io), tlsConfiguration: …)`.
        ///
        /// - Parameters:
        ///   - io: opens no port itself. Its path, `/socket.io/` unless configured otherwise, hides the router's.
        ///   - idleTimeout: after which a connection that waits for a request of the router's is closed; nil: never.
        public static func socketIO(_ io: SocketIOServer, idleTimeout: TimeAmount? = nil) -> HTTPServerBuilder {
            HTTPServerBuilder { responder in
                try io.attach()
                return SocketIOHTTP1Channel(responder: responder, io: io, idleTimeout: idleTimeout)
            }
        }
    }

    /// Connections whose requests go to a Socket.IO server or to Hummingbird. What Hummingbird needs is added for the first
    /// request of its own.
    struct SocketIOHTTP1Channel: ServerChildChannel, HTTPChannelHandler {
        typealias HTTP = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

        struct Value: ServerChildChannelValue {
            let channel: any Channel
            /// nil: the connection ended, or became a WebSocket, without one.
            let http: EventLoopFuture<HTTP?>
        }

        let responder: Responder
        let io: SocketIOServer
        let idleTimeout: TimeAmount?

        func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
            channel.eventLoop.makeCompletedFuture {
                let promise = channel.eventLoop.makePromise(of: HTTP?.self)
                channel.closeFuture.whenComplete { _ in promise.succeed(nil) }
                try self.io.serve(channel) { channel in
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
                    try pipeline.addHandler(
                        HTTPConnectionStateHandler(
                            idleTimeout: self.idleTimeout.map { .nanoseconds($0.nanoseconds) }, logger: logger))
                    promise.succeed(
                        try HTTP(
                            wrappingChannelSynchronously: channel,
                            configuration: .init(isOutboundHalfClosureEnabled: true)))
                }
                return Value(channel: channel, http: promise.futureResult)
            }
        }

        func handle(value: Value, logger: Logger) async {
            if let http = try? await value.http.get() {
                await self.handleHTTP(asyncChannel: http, logger: logger)
            } else {
                try? await value.channel.closeFuture.get()
            }
        }
    }
#endif
