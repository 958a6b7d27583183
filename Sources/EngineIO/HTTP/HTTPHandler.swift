import EngineIOCore
import NIOCore
import NIOHTTP1

/// One HTTP connection: assembles requests, has them answered one at a time, and turns into a WebSocket.
///
/// While a GET waits for packets the connection is still read, so that its end is noticed at once.
final class HTTPHandler: SessionEndpoint, @unchecked Sendable, ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    enum Activity {
        /// Between two requests.
        case idle
        /// The body of a request is being received.
        case receiving(Target)
        /// Somebody is asked about the request; the answer comes later.
        case waiting
        /// A GET waits for packets.
        case polling(EngineIOSession)
        /// A POST's packets are being handled by another connection's turn.
        case posting(EngineIOSession)
        /// The last answer was given; what still comes is thrown away.
        case lingering
        case upgraded
    }

    enum Target {
        case post(EngineIOSession)
        case engine
        case fallback
        /// Another path, for which nobody answers.
        case unknown
    }

    let server: EngineIOServer
    var context: ChannelHandlerContext?
    var activity = Activity.idle
    var head: HTTPRequestHead?
    var body = ByteBuffer()
    var mustClose = false
    /// Counts requests, so that an answer that comes too late is known.
    var serial = 0
    /// The first response of the session that this request has opened gets the initial headers.
    var isHandshake = false
    private var deadline = UInt64.max
    /// What came while a request was being answered (pipelining). Bounded.
    private var waiting: [HTTPServerRequestPart] = []
    private var waitingBytes = 0
    private let decoder: any RemovableChannelHandler
    private let encoders: [any RemovableChannelHandler]
    /// Asks the application about the request.
    var decision: Task<Void, Never>?
    /// Sessions opened over this connection.
    private var handshakes = 0

    init(
        server: EngineIOServer,
        loop: LoopContext,
        decoder: any RemovableChannelHandler,
        encoders: [any RemovableChannelHandler]
    ) {
        self.server = server
        self.decoder = decoder
        self.encoders = encoders
        super.init(loop: loop)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.restartDeadline()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        self.endRead()
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .upgraded = self.activity { return context.fireChannelRead(data) }
        self.beginRead()
        self.receive(Self.unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.endRead()
        context.fireChannelReadComplete()
    }

    private func receive(_ part: HTTPServerRequestPart) {
        switch self.activity {
        case .idle:
            if case .head(let head) = part { self.begin(head) }
        case .receiving(let target):
            switch part {
            case .head: break
            case .body(let bytes): self.receive(bytes, for: target)
            case .end: self.end(target)
            }
        case .waiting, .polling, .posting:
            self.keep(part)
        case .lingering, .upgraded:
            break
        }
    }

    private func keep(_ part: HTTPServerRequestPart) {
        if case .end = part, self.waiting.isEmpty { return }
        if case .body(let bytes) = part { self.waitingBytes += bytes.readableBytes }
        guard self.waiting.count < 64, self.waitingBytes <= 64 << 10 else {
            self.server.logger.debug("connection closed: too much was pipelined")
            self.context?.close(promise: nil)
            return
        }
        self.waiting.append(part)
    }

    private func begin(_ head: HTTPRequestHead) {
        guard self.context?.channel.isWritable == true else {
            // Nobody asks for more before the last answer was read; who does could fill our memory with answers.
            self.server.logger.debug("connection closed: requests without an end, and their answers are not read")
            self.context?.close(promise: nil)
            return
        }
        self.serial += 1
        self.head = head
        // NIO's decoder reads no request behind one that asks for another protocol.
        self.mustClose = !head.isKeepAlive || head.method == .CONNECT || head.headers.contains(name: "upgrade")
        self.isHandshake = false
        self.body.clear()
        self.restartDeadline()
        guard let target = self.target(of: head) else { return }
        self.activity = .receiving(target)
        self.invite(head, target)
    }

    /// A client that asks before it sends a body is told to go on.
    private func invite(_ head: HTTPRequestHead, _ target: Target) {
        switch target {
        case .post, .fallback: break
        case .engine, .unknown: return
        }
        guard head.headers.first(name: "expect")?.lowercased() == "100-continue" else { return }
        let goOn = HTTPResponseHead(version: .http1_1, status: .continue)
        self.context?.writeAndFlush(Self.wrapOutboundOut(.head(goOn)), promise: nil)
    }

    private func receive(_ bytes: ByteBuffer, for target: Target) {
        switch target {
        case .engine, .unknown:
            // Nothing but a POST has a body that counts.
            return
        case .post, .fallback:
            if self.body.readableBytes + bytes.readableBytes > self.server.configuration.maxPayload {
                return self.refuseBody(target)
            }
            if self.body.readableBytes == 0 {
                self.body = bytes
            } else {
                self.body.writeImmutableBuffer(bytes)
            }
        }
    }

    private func end(_ target: Target) {
        guard let head = self.head else { return }
        switch target {
        case .engine: self.route(head)
        case .post(let session): self.post(session)
        case .fallback: self.answerByFallback(head)
        case .unknown: self.respond(.notFound)
        }
    }

    // MARK: Answers

    /// Ends the present request's turn after its answer has been written.
    func finishRequest() {
        guard self.context != nil else { return }
        if self.mustClose { return self.linger() }
        self.head = nil
        self.body = ByteBuffer()
        self.activity = .idle
        self.restartDeadline()
        guard !self.waiting.isEmpty else { return }
        let parts = self.waiting
        self.waiting = []
        self.waitingBytes = 0
        for part in parts { self.receive(part) }
    }

    /// Ends the connection after an answer, although more may come from the client: what comes is read and thrown away for
    /// some time, since closing at once would reset the connection and could destroy the answer on its way.
    func linger() {
        guard let context = self.context else { return }
        self.activity = .lingering
        self.waiting = []
        self.restartDeadline()
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in
            self.deadline = NIODeadline.now().uptimeNanoseconds &+ 2_000_000_000
            self.loop.wake(self, at: self.deadline)
        }
        context.close(mode: .output, promise: written)
    }

    /// Notes that this connection opens a session. After some it is closed with the answer: a limit on connections is then one
    /// on sessions too.
    func countHandshake() {
        self.handshakes += 1
        if self.handshakes >= 16 { self.mustClose = true }
    }

    func restartDeadline() {
        let isArmed = self.deadline != .max
        self.deadline = NIODeadline.now().uptimeNanoseconds &+ self.server.requestTimeout
        if !isArmed { self.loop.wake(self, at: self.deadline) }
    }

    // MARK: The session's calls

    override func drain(_ session: EngineIOSession) {
        guard case .polling(let current) = self.activity, current === session else { return }
        self.answerPoll(session)
    }

    override func sessionEnded(_ end: SessionEnd) {
        switch self.activity {
        case .polling:
            switch end {
            case .noop: self.respond(payload: ByteBuffer(string: "6"))
            case .close, .code: self.respond(payload: ByteBuffer(string: "1"))
            case .cut: self.context?.close(promise: nil)
            }
        case .receiving, .posting:
            self.activity = .lingering
            self.context?.close(promise: nil)
        case .idle, .waiting, .lingering, .upgraded:
            break
        }
    }

    // MARK: The end of the connection

    func channelInactive(context: ChannelHandlerContext) {
        let activity = self.activity
        self.activity = .lingering
        self.waiting = []
        self.decision?.cancel()
        switch activity {
        case .polling(let session):
            if session.endPoll(self) {
                self.server.logger.debug("session closed: poll connection closed prematurely")
                session.end(reason: .transportError, .cut)
            }
        case .receiving(.post(let session)), .posting(let session):
            if session.endPost(self) {
                self.server.logger.debug("session closed: data request connection closed prematurely")
                session.end(reason: .transportError, .close)
            }
        case .receiving, .idle, .waiting, .lingering, .upgraded: break
        }
        self.endRead()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.server.logger.debug("connection failed", metadata: ["socketio.error": "\(error)"])
        if let error = error as? HTTPParserError, case .idle = self.activity {
            let status: HTTPResponseStatus = error == .headerOverflow ? .requestHeaderFieldsTooLarge : .badRequest
            let head = HTTPResponseHead(
                version: .http1_1, status: status, headers: ["content-length": "0", "connection": "close"])
            context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
            context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
            return self.linger()
        }
        context.close(promise: nil)
    }

    // MARK: WebSocket

    /// Hands the connection over to `handler`; bytes that the HTTP decoder already holds go to it.
    func becomeWebSocket(_ handler: WebSocketHandler) throws {
        guard let context = self.context else { return }
        self.activity = .upgraded
        self.deadline = .max
        let pipeline = context.pipeline.syncOperations
        try pipeline.addHandler(handler)
        for encoder in self.encoders { pipeline.removeHandler(encoder, promise: nil) }
        let removed = context.eventLoop.makePromise(of: Void.self)
        // What the decoder still held was read without a completion.
        removed.futureResult.assumeIsolated().whenComplete { _ in handler.endRead() }
        pipeline.removeHandler(self.decoder, promise: removed)
        pipeline.removeHandler(self, promise: nil)
    }
}

extension HTTPHandler: WheelClient {
    func wheelFired(now: UInt64) -> UInt64? {
        guard self.deadline != .max, let context = self.context else { return nil }
        guard self.deadline <= now else { return self.deadline }
        switch self.activity {
        case .polling, .posting:
            // The session has its own timers.
            self.deadline = now &+ self.server.requestTimeout
            return self.deadline
        case .waiting:
            self.server.logger.warning(
                "request refused: the application has not answered", metadata: ["socketio.limit": "requestTimeout"])
            self.deadline = now &+ self.server.requestTimeout
            self.decision?.cancel()
            self.respond(status: .serviceUnavailable, closing: true)
            return self.deadline
        case .receiving(.post(let session)):
            self.server.logger.debug(
                "connection closed: a request took too long", metadata: ["socketio.limit": "requestTimeout"])
            if session.endPost(self) { session.end(reason: .transportError, .close) }
        case .idle, .receiving, .lingering: break
        case .upgraded: return nil
        }
        context.close(promise: nil)
        return nil
    }
}
