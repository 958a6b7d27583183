import EngineIOCore
import NIOCore
import NIOHTTP1

/// Stands behind the HTTP codec in a connection of another server: answers requests for this server's path, and passes on all
/// others. A request that becomes a WebSocket ends HTTP on the connection, and with it this handler.
///
/// `@unchecked Sendable`: it is confined to its event loop, as every channel handler.
final class EmbeddedHTTPHandler: ChannelInboundHandler, RemovableChannelHandler, @unchecked Sendable {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum Route {
        /// Between two requests.
        case none
        case ours
        case others
        /// The connection is a WebSocket's, or what comes is no longer read.
        case ended
    }

    let isSecure: Bool
    private let server: EngineIOServer
    private let loop: LoopContext
    private let http: HTTPHandler
    /// The codec, which a WebSocket has no use for, in the order in which it is taken away.
    private var codec: [any RemovableChannelHandler]
    /// Called once, before the first request that is passed on.
    private var addOthers: ((any Channel) throws -> Void)?
    private var context: ChannelHandlerContext?
    private var route = Route.none
    /// The connection has asked for this server's path: it counts as one of its connections.
    private var isOurs = false
    private var isReading = false
    /// The other server is to end when it can.
    private var isQuiescing = false

    init(
        server: EngineIOServer, loop: LoopContext, isSecure: Bool, codec: [any RemovableChannelHandler],
        others: @escaping (any Channel) throws -> Void
    ) {
        self.isSecure = isSecure
        self.server = server
        self.loop = loop
        self.http = HTTPHandler(server: server, loop: loop)
        self.codec = codec
        self.addOthers = others
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        self.addOthers = nil
        guard self.isOurs, self.route != .ended else { return }
        self.route = .ended
        self.server.metrics?.connectionClosed(isWebSocket: false)
        self.http.connectionEnded()
        self.http.transportEnded()
    }

    // MARK: In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if self.route == .ended { return }
        let part = Self.unwrapInboundIn(data)
        if case .head(let head) = part {
            guard self.server.path.matches(head.uri) else {
                self.route = .others
                return self.pass(data, context)
            }
            self.route = .ours
            return self.begin(head)
        }
        switch self.route {
        case .others: context.fireChannelRead(data)
        case .ours:
            switch part {
            case .head: break
            case .body(let bytes): self.http.receive(bytes)
            case .end: self.http.receiveEnd()
            }
        case .none, .ended: break
        }
    }

    private func begin(_ head: HTTPRequestHead) {
        if !self.isOurs {
            self.isOurs = true
            self.server.metrics?.connectionOpened()
        }
        self.http.begin(self)
        self.isReading = true
        self.http.beginRead()
        do throws(HTTPRequestError) {
            self.http.receive(try RequestHead(head))
        } catch {
            self.http.fail(error)
        }
    }

    private func pass(_ data: NIOAny, _ context: ChannelHandlerContext) {
        if let addOthers = self.addOthers {
            self.addOthers = nil
            do {
                try addOthers(context.channel)
            } catch {
                self.server.logger.error("connection closed", metadata: ["socketio.error": "\(error)"])
                self.route = .ended
                return self.close()
            }
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.endRead()
        context.fireChannelReadComplete()
    }

    private func endRead() {
        guard self.isReading else { return }
        self.isReading = false
        self.http.endRead()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if self.isOurs, self.route != .ended { self.http.connectionEnded() }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if self.route == .others || (self.route == .none && self.addOthers == nil) {
            return context.fireErrorCaught(error)
        }
        self.server.logger.debug("connection failed", metadata: ["socketio.error": "\(error)"])
        self.close()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent:
            self.isQuiescing = true
            self.server.quiesce()
            // A request is answered first; those of others are theirs.
            if self.route == .none, self.addOthers != nil { self.close() }
        case let event as ChannelEvent where event == .inputClosed:
            // A client that says nothing more gets nothing more; others may see that differently.
            if self.route == .ours || (self.route == .none && self.addOthers != nil) { self.close() }
        default: break
        }
        context.fireUserInboundEventTriggered(event)
    }
}

extension EmbeddedHTTPHandler: HTTPTransport {
    var isWritable: Bool { self.context?.channel.isWritable ?? false }
    var remoteAddress: SocketAddress? { self.context?.remoteAddress }
    /// There are other handlers, of which not much is known.
    var isDirect: Bool { false }

    func inviteBody() {
        guard let context = self.context else { return }
        let head = HTTPResponseHead(version: .http1_1, status: .continue)
        context.writeAndFlush(Self.wrapOutboundOut(.head(head)), promise: nil)
    }

    func send(_ response: HTTPResponse) {
        guard let context = self.context else { return }
        var headers = response.headers
        switch response.body {
        case .none: break
        case .bytes, .payload: headers.add(name: "content-length", value: String(response.body.size))
        }
        if self.isQuiescing, headers["connection"].isEmpty { headers.add(name: "connection", value: "close") }
        context.write(
            Self.wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: response.status, headers: headers))),
            promise: nil)
        if !response.omitsBody, let body = response.body.joined {
            context.write(Self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
    }

    func resume() {
        // The next request may be another server's: no time of ours passes until one of ours comes.
        self.http.rest()
        self.route = .none
        if self.isQuiescing { self.close() }
    }

    func closeOutput(_ done: @escaping @Sendable () -> Void) {
        guard let context = self.context else { return }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.whenComplete { _ in done() }
        context.close(mode: .output, promise: written)
    }

    /// Behind the read that is under way: SwiftNIO does not expect a channel that allows half-closure to close in one.
    func close() {
        guard let context = self.context else { return }
        context.eventLoop.assumeIsolated().execute { context.close(promise: nil) }
    }

    func switchProtocols(_ headers: HTTPHeaders, to webSocket: WebSocketHandler, start: () -> Void) {
        guard let context = self.context else { return }
        self.route = .ended
        let isReading = self.isReading
        self.endRead()
        let owner = ConnectionHandler(adoptingFor: self.server, loop: self.loop)
        let sync = context.pipeline.syncOperations
        do {
            try sync.addHandler(owner, position: .after(self))
        } catch {
            return context.close(promise: nil)
        }
        // A WebSocket has no use for a connection that is half closed.
        try? context.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: false)
        let head = HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers)
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        context.write(Self.wrapOutboundOut(.end(nil)), promise: nil)
        // From now on bytes go both ways; the decoder gives what it still holds to the new owner, now or behind this read.
        for handler in self.codec { sync.removeHandler(handler, promise: nil) }
        self.codec = []
        sync.removeHandler(self, promise: nil)
        owner.adopt(webSocket, isReading: isReading, start: start)
    }
}

extension HTTPResponse.Body {
    /// All of it in one piece; nil if there is nothing.
    fileprivate var joined: ByteBuffer? {
        switch self {
        case .none: return nil
        case .bytes(let bytes): return bytes.readableBytes > 0 ? bytes : nil
        case .payload(let frames, let size):
            var buffer = ByteBuffer()
            buffer.reserveCapacity(size)
            var isFirst = true
            for frame in frames { PayloadEncoder.append(frames: frame, to: &buffer, isFirst: &isFirst) }
            return buffer
        }
    }
}

extension RequestHead {
    /// The head that SwiftNIO has read, held to the rules of this package.
    fileprivate init(_ head: HTTPRequestHead) throws(HTTPRequestError) {
        var bytes = ByteBuffer()
        bytes.writeString("\(head.method.rawValue) \(head.uri) HTTP/\(head.version.major).\(head.version.minor)\r\n")
        for (name, value) in head.headers { bytes.writeString("\(name): \(value)\r\n") }
        bytes.writeStaticString("\r\n")
        var parser = HTTPRequestParser()
        guard case .head(let parsed)? = try parser.next(from: &bytes) else { throw .badField }
        self = parsed
    }
}
