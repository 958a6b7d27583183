import NIOCore
import NIOHTTP1

/// The end of an HTTP connection: one request at a time, whose answer is collected.
///
/// It may fail, and be ready, before a link adopts it.
final class HTTPChannelHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    /// Told what happens from here on.
    weak var link: HTTPLink?
    private(set) var isReady = false
    private(set) var failure: EngineClientError?
    private let url: EngineURL
    private let maxBodyBytes: Int
    private let encoder: HTTPRequestEncoder
    private let decoder: ByteToMessageHandler<HTTPResponseDecoder>
    private var context: ChannelHandlerContext?
    private var isExchanging = false
    private var head: HTTPResponseHead?
    private var body = ByteBuffer()
    /// What is handed to the system of the request under way.
    private(set) var isWritten = false

    init(
        url: EngineURL, maxBodyBytes: Int, encoder: HTTPRequestEncoder,
        decoder: ByteToMessageHandler<HTTPResponseDecoder>
    ) {
        self.url = url
        self.maxBodyBytes = maxBodyBytes
        self.encoder = encoder
        self.decoder = decoder
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ConnectionReady else { return context.fireUserInboundEventTriggered(event) }
        self.isReady = true
        self.link?.becameReady(self)
    }

    // MARK: Requests

    func send(_ request: HTTPRequest) {
        guard let context = self.context else { return }
        self.isExchanging = true
        self.isWritten = false
        let head = HTTPRequestHead(
            version: .http1_1, method: request.method, uri: request.target, headers: request.headers)
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        if let body = request.body { context.write(Self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenSuccess { [weak self] in self?.isWritten = true }
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: written)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard self.isExchanging, self.failure == nil else {
            // An answer that nobody asked for.
            context.close(promise: nil)
            return
        }
        switch Self.unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            if let length = head.headers.first(name: "content-length").flatMap({ Int($0) }),
                length > self.maxBodyBytes
            {
                self.tooLarge(context)
            } else if let encoding = head.headers.first(name: "content-encoding"),
                encoding.lowercased() != "identity"
            {
                self.fail(
                    EngineClientError(
                        .notHTTP,
                        "\(self.url.origin) has sent \(encoding), which was not asked for; switch it off there"),
                    context)
            }
        case .body(var piece):
            guard piece.readableBytes <= self.maxBodyBytes - self.body.readableBytes else {
                return self.tooLarge(context)
            }
            if self.body.readableBytes == 0 {
                self.body = piece
            } else {
                self.body.writeBuffer(&piece)
            }
        case .end:
            guard let head = self.head else { return }
            let answer = HTTPAnswer(head: head, body: self.body)
            self.head = nil
            self.body = ByteBuffer()
            self.isExchanging = false
            let isReusable = head.isKeepAlive && head.status != .switchingProtocols
            self.link?.received(answer, isReusable: isReusable, self)
        }
    }

    private func tooLarge(_ context: ChannelHandlerContext) {
        let error = EngineClientError(
            .messageTooLarge,
            "\(self.url.origin) has answered with more than \(self.maxBodyBytes) bytes; `maxMessageBytes` allows half of that"
        )
        self.fail(error, context)
    }

    // MARK: The end

    /// The connection goes on as a WebSocket: `handler` gets what comes behind the answer, and may write when `completion` is
    /// called. Until then the decoder, which this may be called from, takes every write for a request.
    func becomeWebSocket(_ handler: any ChannelHandler, _ completion: @escaping () -> Void) throws {
        guard let context = self.context else { throw ChannelError.ioOnClosedChannel }
        let pipeline = context.pipeline.syncOperations
        self.link = nil
        try pipeline.addHandler(handler)
        pipeline.removeHandler(self.encoder, promise: nil)
        let removed = context.eventLoop.makePromise(of: Void.self)
        removed.futureResult.assumeIsolated().whenSuccess(completion)
        pipeline.removeHandler(self.decoder, promise: removed)
        pipeline.removeHandler(self, promise: nil)
    }

    /// Closes without a word to the link.
    func close() {
        self.link = nil
        self.context?.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.fail(ErrorTranslation.translate(error, url: self.url), context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.fail(ErrorTranslation.closed(self.url, isHandshaken: self.isReady), context)
        context.fireChannelInactive()
    }

    private func fail(_ error: EngineClientError, _ context: ChannelHandlerContext) {
        guard self.failure == nil else { return }
        self.failure = error
        let link = self.link
        self.link = nil
        link?.failed(error, self)
        context.close(promise: nil)
    }
}

@available(*, unavailable)
extension HTTPChannelHandler: Sendable {}
