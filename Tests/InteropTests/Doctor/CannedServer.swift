import NIOCore
import NIOPosix
import TestSupport

/// Answers each request with what a closure makes of its head, and closes the connection.
final class CannedServer: Sendable {
    private let channel: any Channel
    var port: Int { self.channel.localAddress?.port ?? 0 }
    var url: String { "http://127.0.0.1:\(self.port)" }

    /// - Parameter answer: gets the request's line and headers; nil closes the connection without an answer.
    init(_ answer: @escaping @Sendable (String) -> String?) async throws {
        self.channel = try await ServerBootstrap(group: PeerLoops.group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AnswerHandler(answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    func stop() async throws { try await self.channel.close() }

    /// An answer with its length.
    static func answer(_ status: String, _ headers: [String] = [], body: String = "") -> String {
        (["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)", "Server: canned"] + headers)
            .joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    private final class AnswerHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let answer: @Sendable (String) -> String?
        private var text = ""

        init(_ answer: @escaping @Sendable (String) -> String?) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            self.text += String(buffer: Self.unwrapInboundIn(data))
            guard let end = self.text.firstRange(of: "\r\n\r\n") else { return }
            let head = String(self.text[..<end.lowerBound])
            let channel = context.channel
            guard let answer = self.answer(head) else { return channel.close(promise: nil) }
            channel.writeAndFlush(ByteBuffer(string: answer)).whenComplete { _ in channel.close(promise: nil) }
        }
    }
}

/// Passes connections on to several servers in turn, as a load balancer does that knows nothing of sessions.
final class TCPFront: Sendable {
    private let channel: any Channel
    var url: String { "http://127.0.0.1:\(self.channel.localAddress?.port ?? 0)" }

    /// - Parameter filter: changes what clients send, one read at a time.
    init(
        toPorts ports: [Int], filter: @escaping @Sendable (String) -> String = { $0 }
    ) async throws {
        let count = Awaited(0)
        self.channel = try await ServerBootstrap(group: PeerLoops.group)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { client in
                let index = count.update { count in
                    count += 1
                    return count
                }
                return ClientBootstrap(group: client.eventLoop)
                    .channelInitializer { server in
                        server.eventLoop.makeCompletedFuture {
                            try server.pipeline.syncOperations.addHandler(PassHandler(to: client) { $0 })
                            try client.pipeline.syncOperations.addHandler(PassHandler(to: server, filter))
                        }
                    }
                    .connect(host: "127.0.0.1", port: ports[index % ports.count])
                    .flatMap { _ in client.setOption(.autoRead, value: true) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    func stop() async throws { try await self.channel.close() }

    private final class PassHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let other: any Channel
        private let filter: @Sendable (String) -> String

        init(to other: any Channel, _ filter: @escaping @Sendable (String) -> String) {
            self.other = other
            self.filter = filter
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = Self.unwrapInboundIn(data)
            // Only heads of requests are text for certain.
            let isText = bytes.readableBytesView.allSatisfy { $0 < 0x80 }
            self.other.writeAndFlush(
                isText ? ByteBuffer(string: self.filter(String(buffer: bytes))) : bytes, promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) { self.other.close(promise: nil) }
    }
}
