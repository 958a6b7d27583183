import EngineIOCore
import NIOCore

/// The WebSocket end of a connection, behind the handshake.
final class WebSocketChannelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase {
        /// The codec of HTTP is still in the pipeline.
        case starting
        case open
        /// Our close frame is sent; the server's is awaited.
        case closing
        case ended
    }

    weak var link: WebSocketLink?
    private let url: EngineURL
    private let maxMessageBytes: Int
    private var decoder: WebSocketDecoder
    private var context: ChannelHandlerContext?
    private var phase = Phase.starting
    /// What came before the start.
    private var early = ByteBuffer()
    private(set) var pendingBytes = 0

    /// Servers cut what is long into pieces of some KiB.
    private static let maxFragments = 1 << 20

    init(url: EngineURL, maxMessageBytes: Int) {
        self.url = url
        self.maxMessageBytes = maxMessageBytes
        self.decoder = WebSocketDecoder(
            maxMessageBytes: maxMessageBytes, maxFragments: Self.maxFragments, expectsMask: false)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    /// HTTP is gone from the pipeline.
    func start() {
        guard case .starting = self.phase else { return }
        self.phase = .open
        self.link?.opened()
        let early = self.early
        self.early = ByteBuffer()
        if early.readableBytes > 0 { self.read(early) }
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = Self.unwrapInboundIn(data)
        if case .starting = self.phase { self.early.writeBuffer(&bytes) } else { self.read(bytes) }
    }

    private func read(_ bytes: ByteBuffer) {
        guard self.phase != .ended else { return }
        var messages: [WebSocketMessage] = []
        var violation: WebSocketError?
        do {
            try self.decoder.decode(bytes, into: &messages)
        } catch {
            violation = error
        }
        if case .open = self.phase { self.answerPings(messages) }
        if !messages.isEmpty { self.link?.received(messages) }
        if case .close(let code, let reason)? = messages.last { self.closedByServer(code, reason) }
        if let violation { self.fail(violation) }
    }

    private func answerPings(_ messages: [WebSocketMessage]) {
        for case .ping(let payload) in messages {
            // A server that floods pings and reads no pongs gets none until it reads again.
            guard self.isWritable else { return }
            self.write(Self.frame(.pong, payload))
        }
    }

    private func closedByServer(_ code: UInt16?, _ reason: ByteBuffer) {
        if case .open = self.phase { self.write(Self.closeFrame(code)) }
        let wasClosing = self.phase == .closing
        let error = wasClosing ? nil : self.meaning(of: code, String(buffer: reason))
        self.end(error.map { .failed($0) } ?? .closed)
    }

    private func meaning(of code: UInt16?, _ reason: String) -> EngineClientError? {
        let said = reason.isEmpty ? nil : reason
        switch code {
        case nil, 1000: return nil
        case 1009:
            return EngineClientError(
                .payloadTooLarge,
                "a message is larger than \(self.url.origin) takes; send less, or allow more there (`maxHttpBufferSize`)",
                serverMessage: said)
        case let code?:
            let why = said.map { ", saying: \($0)" } ?? ""
            return EngineClientError(
                .closedByServer, "\(self.url.origin) has closed the connection with code \(code)\(why)",
                serverMessage: said)
        }
    }

    private func fail(_ violation: WebSocketError) {
        if case .open = self.phase { self.write(Self.closeFrame(violation.closeCode)) }
        let error =
            violation == .messageTooBig
            ? EngineClientError(
                .messageTooLarge,
                """
                \(self.url.origin) has sent a message of more than \(self.maxMessageBytes) bytes; raise `maxMessageBytes` if \
                that is meant
                """)
            : EngineClientError(
                .webSocketProtocol, "\(self.url.origin) has broken a rule of WebSocket: \(violation.message)")
        self.end(.failed(error))
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.end(self.phase == .closing ? .closed : .failed(ErrorTranslation.closed(self.url, isHandshaken: true)))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.end(self.phase == .closing ? .closed : .failed(ErrorTranslation.translate(error, url: self.url)))
    }

    private func end(_ end: WebSocketEnd) {
        guard self.phase != .ended else { return }
        self.phase = .ended
        let link = self.link
        self.link = nil
        link?.end(end)
        self.context?.close(promise: nil)
    }

    // MARK: Writing

    var isWritable: Bool { self.phase == .open && self.context?.channel.isWritable == true }

    func write(_ frames: ByteBuffer) {
        guard self.phase == .open, let context = self.context else { return }
        let count = frames.readableBytes
        self.pendingBytes += count
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { [weak self] _ in
            guard let self else { return }
            self.pendingBytes -= count
            self.link?.written()
        }
        context.writeAndFlush(Self.wrapOutboundOut(frames), promise: written)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { self.link?.written() }
        context.fireChannelWritabilityChanged()
    }

    /// What was written before goes first.
    func close(code: UInt16?) {
        guard case .open = self.phase else { return }
        self.write(Self.closeFrame(code))
        self.phase = .closing
    }

    func cut() {
        self.link = nil
        self.phase = .ended
        self.context?.close(promise: nil)
    }

    static func frame(_ opcode: WebSocketOpcode, _ payload: ByteBuffer) -> ByteBuffer {
        var frame = ByteBuffer()
        var source = SystemRandomNumberGenerator()
        WebSocketFrame.appendMasked(opcode: opcode, payload: payload, key: source.next(), to: &frame)
        return frame
    }

    private static func closeFrame(_ code: UInt16?) -> ByteBuffer {
        var payload = ByteBuffer()
        if let code { payload.writeInteger(code) }
        return self.frame(.close, payload)
    }
}

@available(*, unavailable)
extension WebSocketChannelHandler: Sendable {}
