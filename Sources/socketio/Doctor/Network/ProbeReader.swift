import NIOCore
import NIOSSL
import NIOTLS

/// The time for what is under way is over.
struct ProbeDeadline: Sendable {}

/// Hands what a connection receives to a stream.
final class ProbeReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// Of all that one connection may receive: more is no answer to a probe.
    static let maxBytes = 1 << 20

    private let isSecure: Bool
    private let stream: AsyncThrowingStream<ByteBuffer, any Error>.Continuation
    private let ready: EventLoopPromise<Void>
    private var received = 0

    init(
        isSecure: Bool, stream: AsyncThrowingStream<ByteBuffer, any Error>.Continuation, ready: EventLoopPromise<Void>
    ) {
        self.isSecure = isSecure
        self.stream = stream
        self.ready = ready
    }

    func channelActive(context: ChannelHandlerContext) {
        if !self.isSecure { self.ready.succeed() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ProbeDeadline {
            self.fail(WireFailure.timeout, context)
        } else if case .handshakeCompleted? = event as? TLSUserEvent {
            self.ready.succeed()
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Self.unwrapInboundIn(data)
        self.received += bytes.readableBytes
        guard self.received <= Self.maxBytes else {
            return self.fail(WireFailure.other("it sends more than \(Self.maxBytes) bytes"), context)
        }
        self.stream.yield(bytes)
    }

    func channelInactive(context: ChannelHandlerContext) { self.end() }

    func handlerRemoved(context: ChannelHandlerContext) { self.end() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Many servers close the connection without the word of TLS for it.
        if case NIOSSLError.uncleanShutdown = error { return }
        self.fail(error, context)
    }

    private func fail(_ error: any Error, _ context: ChannelHandlerContext) {
        let failure = WireFailure(error)
        self.ready.fail(failure)
        self.stream.finish(throwing: failure)
        context.close(promise: nil)
    }

    private func end() {
        self.ready.fail(WireFailure.closed)
        self.stream.finish()
    }
}

@available(*, unavailable)
extension ProbeReader: Sendable {}
