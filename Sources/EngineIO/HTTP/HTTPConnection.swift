import EngineIOCore
import NIOCore
import NIOHTTP1

/// The HTTP part of a connection's life: makes requests of its bytes, and bytes of their answers.
///
/// A request is not read before the one in front of it was answered; until then its bytes wait here, bounded.
final class HTTPConnection: HTTPTransport {
    private let owner: ConnectionHandler
    private let loop: LoopContext
    let handler: HTTPHandler
    private let context: ChannelHandlerContext
    private var parser = HTTPRequestParser()
    private var unread = ByteBuffer()
    private var isParsing = false
    private var direct: DirectSocket

    /// What may be pipelined behind a request that waits, and what may follow one that asks for an upgrade.
    private static let maxPipelinedBytes = 64 << 10
    private static let maxEarlyBytes = 256 << 10
    /// A body up to this size is copied behind its head, into one write.
    private static let coalescedBodyBytes = 16 << 10

    init(owner: ConnectionHandler, server: EngineIOServer, loop: LoopContext, context: ChannelHandlerContext) {
        self.owner = owner
        self.loop = loop
        self.context = context
        self.direct = DirectSocket(isAvailable: owner.isDirect, isFresh: true)
        self.handler = HTTPHandler(server: server, loop: loop)
    }

    // MARK: In

    func read(_ bytes: ByteBuffer) {
        if self.unread.readableBytes == 0 {
            self.unread = bytes
        } else {
            // Or a client that is always one request ahead would make it grow.
            self.unread.discardReadBytes()
            self.unread.writeImmutableBuffer(bytes)
        }
        self.parse()
    }

    /// Reads on for as long as the handler takes what comes.
    private func parse() {
        guard !self.isParsing else { return }
        self.isParsing = true
        defer { self.isParsing = false }
        while self.handler.isReceiving {
            do throws(HTTPRequestError) {
                guard let part = try self.parser.next(from: &self.unread) else { break }
                switch part {
                case .head(let head): self.handler.receive(head)
                case .body(let bytes): self.handler.receive(bytes)
                case .end: self.handler.receiveEnd()
                }
            } catch {
                self.handler.fail(error)
            }
        }
        if self.handler.isFinished || self.unread.readableBytes == 0 {
            // It may belong to a buffer of the channel.
            self.unread = ByteBuffer()
        } else if self.unread.readableBytes > (self.handler.mustClose ? Self.maxEarlyBytes : Self.maxPipelinedBytes) {
            self.handler.overflow()
            self.unread = ByteBuffer()
        }
    }

    func resume() { self.parse() }

    // MARK: Out

    var isWritable: Bool { self.context.channel.isWritable }
    var remoteAddress: SocketAddress? { self.context.remoteAddress }

    var isDirect: Bool { self.owner.isDirect }
    var isSecure: Bool { !self.owner.isDirect }

    func inviteBody() {
        self.write(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n"))
        self.context.flush()
    }

    func send(_ response: HTTPResponse) {
        let size = response.omitsBody ? 0 : response.body.size
        let isSmall = size <= Self.coalescedBodyBytes
        var buffer = self.loop.takeAnswerBuffer(capacity: 256 + (isSmall ? size : 0))
        response.writeHead(to: &buffer)
        guard size > 0 else { return self.finish(buffer) }
        switch response.body {
        case .none: break
        case .payload(let frames, _):
            buffer.reserveCapacity(minimumWritableBytes: size)
            var isFirst = true
            for frame in frames { PayloadEncoder.append(frames: frame, to: &buffer, isFirst: &isFirst) }
        case .bytes(let bytes):
            if isSmall {
                buffer.writeImmutableBuffer(bytes)
            } else {
                self.write(buffer)
                self.write(bytes)
                self.context.flush()
                return self.loop.giveBackAnswerBuffer(buffer)
            }
        }
        self.finish(buffer)
    }

    private func finish(_ answer: ByteBuffer) {
        var buffer = answer
        self.direct.send(&buffer, self.context)
        if buffer.readableBytes > 0 {
            self.write(buffer)
            self.context.flush()
        }
        self.loop.giveBackAnswerBuffer(buffer)
    }

    private func write(_ bytes: ByteBuffer) {
        self.direct.wroteToChannel()
        self.owner.write(bytes, self.context)
    }

    /// The channel has closed its socket.
    func channelEnded() { self.direct.forget() }

    func closeOutput(_ done: @escaping @Sendable () -> Void) {
        // What is called back may be told of a channel that is closed already.
        self.direct.forget()
        let written = self.context.eventLoop.makePromise(of: Void.self)
        written.futureResult.whenComplete { _ in done() }
        self.context.close(mode: .output, promise: written)
    }

    func close() { self.context.close(promise: nil) }

    func switchProtocols(_ headers: HTTPHeaders, to webSocket: WebSocketHandler, start: () -> Void) {
        var buffer = self.loop.takeAnswerBuffer(capacity: 256)
        HTTPResponse(status: .switchingProtocols, headers: headers, body: .none).writeHead(to: &buffer)
        self.write(buffer)
        self.direct.forget()
        self.loop.giveBackAnswerBuffer(buffer)
        let rest = self.unread
        self.unread = ByteBuffer()
        self.owner.become(webSocket, self.context)
        start()
        self.owner.began(webSocket, rest, self.context)
    }
}
