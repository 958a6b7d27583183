import EngineIOCore
import NIOCore

/// The only handler in the pipeline of a connection, TLS apart, for the connection's whole life: its reads go to the HTTP part
/// first and to the WebSocket after an upgrade. So a connection that is upgraded changes no pipeline, and keeps nothing of what
/// only its first request needed.
///
/// `@unchecked Sendable`: it is confined to its event loop, as every channel handler.
final class ConnectionHandler: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum User {
        case nobody
        case http(HTTPConnection)
        case webSocket(WebSocketHandler)
    }

    private let server: EngineIOServer
    private let loop: LoopContext
    /// There is no other handler between this one and the socket.
    let isDirect: Bool
    // Used on the loop's thread alone; the first is looked at for each read.
    @exclusivity(unchecked) private var user = User.nobody
    /// Between a read and its completion, which flushes.
    @exclusivity(unchecked) private var isReading = false
    /// The answer 101 was written and may not have left.
    @exclusivity(unchecked) private var mustFlush = false
    /// In a connection of another server: what has come before the WebSocket begins, and this handler's place.
    private var adoption: (early: ByteBuffer, context: ChannelHandlerContext?)?
    /// The next read may be what SwiftNIO's decoder has held: no completion follows that.
    private var isReadingHeld = false

    init(server: EngineIOServer, loop: LoopContext, isDirect: Bool) {
        self.server = server
        self.isDirect = isDirect
        self.loop = loop
    }

    /// For a connection whose requests another handler has read, until one of them has become a WebSocket.
    init(adoptingFor server: EngineIOServer, loop: LoopContext) {
        self.server = server
        self.isDirect = false
        self.loop = loop
        self.adoption = (ByteBuffer(), nil)
        self.isReadingHeld = true
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if self.adoption != nil {
            self.adoption?.context = context
            return
        }
        let http = HTTPConnection(owner: self, server: self.server, loop: self.loop, context: context)
        self.user = .http(http)
        self.server.metrics?.connectionOpened()
        http.handler.begin(http)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        switch self.user {
        case .webSocket(let webSocket):
            self.server.metrics?.connectionClosed(isWebSocket: true)
            webSocket.handlerRemoved(context: context)
        case .http(let http):
            self.server.metrics?.connectionClosed(isWebSocket: false)
            http.channelEnded()
            http.handler.transportEnded()
        case .nobody: break
        }
        self.user = .nobody
        self.adoption?.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.isReading = true
        if self.isReadingHeld { self.completeHeld(context) }
        let bytes = Self.unwrapInboundIn(data)
        switch self.user {
        case .webSocket(let webSocket):
            webSocket.read(bytes, context)
            self.loop.giveBack(readBuffer: bytes)
        case .http(let http):
            http.handler.beginRead()
            http.read(bytes)
        case .nobody: self.adoption?.early.writeImmutableBuffer(bytes)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.isReading = false
        switch self.user {
        case .webSocket(let webSocket):
            webSocket.channelReadComplete(context: context)
            if self.mustFlush { self.flush(context) }
        case .http(let http):
            http.handler.endRead()
            context.fireChannelReadComplete()
        case .nobody: context.fireChannelReadComplete()
        }
    }

    /// Completes a read if nobody else has by the end of this turn.
    private func completeHeld(_ context: ChannelHandlerContext) {
        self.isReadingHeld = false
        context.eventLoop.assumeIsolated().execute {
            if self.isReading, case .webSocket = self.user { self.channelReadComplete(context: context) }
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if case .webSocket(let webSocket) = self.user {
            webSocket.channelWritabilityChanged(context: context)
        } else {
            context.fireChannelWritabilityChanged()
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        switch self.user {
        case .webSocket(let webSocket): webSocket.channelInactive(context: context)
        case .http(let http):
            http.channelEnded()
            http.handler.connectionEnded()
            context.fireChannelInactive()
        case .nobody: context.fireChannelInactive()
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .webSocket(let webSocket) = self.user { return webSocket.errorCaught(context: context, error: error) }
        self.server.logger.debug("connection failed", metadata: ["socketio.error": "\(error)"])
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard self.adoption != nil else { return context.fireUserInboundEventTriggered(event) }
        // What concerns the other server's handlers is no longer theirs.
        if event is ChannelShouldQuiesceEvent { self.server.quiesce() }
    }

    /// The bytes of another server's connection are a WebSocket's from now on; the answer 101 was written.
    ///
    /// - Parameter isReading: whether a read is under way, whose completion comes here.
    func adopt(_ webSocket: WebSocketHandler, isReading: Bool, start: () -> Void) {
        guard let (_, place) = self.adoption, let context = place else { return }
        self.isReading = isReading
        self.become(webSocket, context)
        start()
        let early = self.adoption?.early ?? ByteBuffer()
        self.adoption = (ByteBuffer(), nil)
        self.began(webSocket, early, context)
    }

    // MARK: What the HTTP part does

    func write(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        context.write(Self.wrapOutboundOut(bytes), promise: nil)
    }

    /// Makes `webSocket` the user of the connection.
    func become(_ webSocket: WebSocketHandler, _ context: ChannelHandlerContext) {
        self.user = .webSocket(webSocket)
        self.server.metrics?.connectionUpgraded()
        self.mustFlush = true
        // A handler of TLS may keep what it is given for longer than a read.
        if self.isDirect { SharedReadBuffer.use(for: context.channel, of: self.loop) }
        webSocket.handlerAdded(context: context)
        // The read goes on as one of the WebSocket's.
        if self.isReading { webSocket.beginRead() }
    }

    /// The WebSocket has its session: hands over what has come behind the request, and sees to it that the answer leaves, at the
    /// latest behind what the session sends now.
    func began(_ webSocket: WebSocketHandler, _ rest: ByteBuffer, _ context: ChannelHandlerContext) {
        if rest.readableBytes > 0 {
            webSocket.read(rest, context)
            // Else the completion of the read that is under way.
            if !self.isReading { webSocket.endRead() }
        }
        guard !self.isReading, self.mustFlush else { return }
        context.eventLoop.assumeIsolated().execute { self.flush(context) }
    }

    private func flush(_ context: ChannelHandlerContext) {
        self.mustFlush = false
        context.flush()
    }
}
