import Logging
import NIOCore
import NIOPosix
import NIOSSL

/// What a connection tells the one who has opened it, on the event loop.
protocol RESPConnectionOwner: AnyObject {
    /// The handshake is done.
    func connectionIsReady(_ connection: RESPConnection, _ outcome: Handshake.Outcome)
    /// It takes bytes again.
    func connectionIsWritable(_ connection: RESPConnection)
    func connection(_ connection: RESPConnection, received event: ReplyQueue.Event)
    /// It came to its end, or never began. Called once. What was not answered is given back.
    func connectionIsClosed(_ connection: RESPConnection, _ error: RedisError, unanswered: [ReplyQueue.Expectation])
    /// All replies of one read were handed over.
    func connectionReadAll(_ connection: RESPConnection)
}

/// One connection, from its opening to its end.
///
/// `@unchecked Sendable`: confined to its event loop.
final class RESPConnection: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase { case connecting, handshake, ready, closed }

    let address: RedisAddress
    private let options: ConnectionOptions
    private let loop: any EventLoop
    /// Nil as soon as it was told of the end.
    private var owner: (any RESPConnectionOwner)?
    private var phase = Phase.connecting
    private var handshake: Handshake
    private(set) var outcome = Handshake.Outcome()
    private var channel: (any Channel)?
    private var context: ChannelHandlerContext?
    /// Those that are being connected: one for each address of the host that is tried.
    private var attempts: [any Channel] = []
    private var parser = RESPParser()
    private var queue = ReplyQueue()
    private var setupTimer: Scheduled<Void>?
    private var replyTimer: Scheduled<Void>?
    /// It was used to subscribe. With RESP2, arrays are then what RESP3 pushes.
    private var isSubscriber = false
    /// When something was received, or asked while nothing was waited for.
    private var lastActivity = NIODeadline.now()
    /// Nil: replies may take as long as they like.
    var replyTimeout: TimeAmount?

    init(
        to address: RedisAddress, _ options: ConnectionOptions, on loop: any EventLoop, asksForCluster: Bool,
        succession: Handshake.Succession?, owner: any RESPConnectionOwner
    ) {
        self.address = address
        self.options = options
        self.loop = loop
        self.owner = owner
        self.handshake = Handshake(options, asksForCluster: asksForCluster, succession: succession)
        self.replyTimeout = options.configuration.commandTimeout.timeAmount
    }

    var isReady: Bool { self.phase == .ready }
    var isClosed: Bool { self.phase == .closed }
    var isWritable: Bool { self.phase == .ready && self.channel?.isWritable == true }
    var isIdle: Bool { self.queue.isEmpty }

    // MARK: Opening

    /// - Parameter onEnd: Called when nothing of the connection is left, not even its socket.
    func open(onEnd: @escaping @Sendable () -> Void) {
        let timeout = self.options.configuration.connectTimeout
        self.setupTimer = self.loop.scheduleTask(in: timeout.timeAmount) {
            self.close(RedisError(.timeout, "\(self.address): no connection in \(timeout)"))
        }
        let bootstrap = ClientBootstrap(group: self.loop)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.writeBufferWaterMark, value: .init(low: 64 << 10, high: 256 << 10))
            .connectTimeout(timeout.timeAmount)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.initialize(channel) }
            }
        let future =
            switch self.address {
            case .tcp(let host, let port):
                bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1).connect(host: host, port: port)
            case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
            }
        future.whenComplete { result in
            self.attempts = []
            switch result {
            case .success(let channel):
                channel.closeFuture.whenComplete { _ in onEnd() }
                self.connected(channel)
            case .failure(let error):
                onEnd()
                self.close(Self.lost("\(self.address): \(error)"))
            }
        }
    }

    private func initialize(_ channel: any Channel) throws {
        guard self.phase == .connecting else { throw Self.lost("given up") }
        self.attempts.append(channel)
        guard let tls = self.options.tls else { return }
        var name: String?
        if case .tcp(let host, _) = self.address, (try? SocketAddress(ipAddress: host, port: 0)) == nil { name = host }
        try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: tls, serverHostname: name))
    }

    private func connected(_ channel: any Channel) {
        guard self.phase == .connecting else { return channel.close(promise: nil) }
        self.channel = channel
        self.phase = .handshake
        do {
            try channel.pipeline.syncOperations.addHandler(self)
        } catch {
            return self.close(Self.lost("\(self.address): \(error)"))
        }
        self.perform(self.handshake.start())
    }

    private func perform(_ action: Handshake.Action) {
        guard self.phase == .handshake else { return }
        switch action {
        case .send(let command):
            self.expect(
                .command { [weak self] reply in
                    guard let self, case .success(let value) = reply else { return }
                    self.perform(self.handshake.receive(value))
                })
            self.write { RESPEncoder.write(command, into: &$0) }
        case .done(let outcome):
            self.setupTimer?.cancel()
            self.phase = .ready
            self.outcome = outcome
            self.owner?.connectionIsReady(self, outcome)
        case .fail(let error): self.close(error)
        }
    }

    // MARK: Sending

    /// Writes a segment of the outbox. ``flush()`` must follow.
    func write(_ segment: Outbox.Segment) {
        for batch in segment.batches { self.expect(.batch(batch)) }
        self.context?.write(self.wrapOutboundOut(segment.bytes), promise: nil)
    }

    func flush() { self.context?.flush() }

    /// Sends a command of this client's own.
    func send(_ command: RedisCommand, _ answer: @escaping ReplyQueue.Answer) {
        guard self.phase == .ready else { return answer(.failure(Self.lost("not connected"))) }
        self.expect(.command(answer))
        self.write { RESPEncoder.write(command, into: &$0) }
    }

    func send(_ requests: [SubscriptionRequest]) {
        guard self.phase == .ready, !requests.isEmpty else { return }
        self.isSubscriber = true
        for request in requests { self.expect(.confirmations(request)) }
        self.write { buffer in
            for request in requests { request.write(into: &buffer) }
        }
    }

    private func write(_ encode: (inout ByteBuffer) -> Void) {
        guard let context = self.context else { return }
        var buffer = context.channel.allocator.buffer(capacity: 256)
        encode(&buffer)
        context.writeAndFlush(self.wrapOutboundOut(buffer), promise: nil)
    }

    private func expect(_ expectation: ReplyQueue.Expectation) {
        if self.queue.isEmpty {
            self.lastActivity = .now()
            self.queue.append(expectation)
            self.watchReplies()
        } else {
            self.queue.append(expectation)
        }
    }

    /// Cuts the connection when replies are awaited and nothing comes.
    private func watchReplies() {
        guard self.replyTimer == nil, let timeout = self.replyTimeout else { return }
        self.replyTimer = self.loop.scheduleTask(deadline: self.lastActivity + timeout) {
            self.replyTimer = nil
            guard !self.queue.isEmpty, let timeout = self.replyTimeout else { return }
            guard NIODeadline.now() >= self.lastActivity + timeout else { return self.watchReplies() }
            self.close(RedisError(.timeout, "\(self.address): no reply in time"))
        }
    }

    // MARK: Receiving

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard self.phase != .closed else { return }
        self.lastActivity = .now()
        var bytes = self.unwrapInboundIn(data)
        do throws(RedisError) {
            // What is received may close the connection.
            while self.phase != .closed, let output = try self.parser.next(from: &bytes) {
                guard let event = try self.event(of: output) else { continue }
                if case .answered(let answer, let value) = event {
                    answer(.success(value))
                } else {
                    self.owner?.connection(self, received: event)
                }
            }
        } catch {
            self.close(error)
        }
    }

    private func event(of output: RESPParser.Output) throws(RedisError) -> ReplyQueue.Event? {
        switch output {
        case .push(let elements):
            return PubSubEvent(elements).flatMap { self.queue.receive($0) }
        case .reply(.array(let elements)) where !self.outcome.speaksRESP3 && self.isSubscriber:
            // The answer to a ping is an array too.
            guard let event = PubSubEvent(elements) else { return try self.queue.receive(.array(elements)) }
            return self.queue.receive(event)
        case .reply(let value):
            return try self.queue.receive(value)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if self.phase == .ready { self.owner?.connectionReadAll(self) }
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if self.isWritable { self.owner?.connectionIsWritable(self) }
        context.fireChannelWritabilityChanged()
    }

    // MARK: The end

    func channelInactive(context: ChannelHandlerContext) {
        self.close(Self.lost("\(self.address) has closed the connection"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.close(Self.lost("\(self.address): \(error)"))
    }

    /// Ends the connection; the owner is told before this returns.
    func close(_ error: RedisError) {
        guard self.phase != .closed else { return }
        self.phase = .closed
        self.setupTimer?.cancel()
        self.replyTimer?.cancel()
        (self.setupTimer, self.replyTimer) = (nil, nil)
        for channel in self.attempts { channel.close(promise: nil) }
        self.attempts = []
        self.channel?.close(promise: nil)
        self.channel = nil
        let unanswered = self.queue.removeAll()
        let owner = self.owner
        self.owner = nil
        owner?.connectionIsClosed(self, error, unanswered: unanswered)
    }

    private static func lost(_ why: String) -> RedisError { RedisError(.connectionLost, why) }
}
