import EngineIOCore
import Foundation
import NIOCore
import NIOPosix
import TestSupport

/// A server without rules: it answers HTTP requests, and what comes over a WebSocket, with whatever bytes a test wants.
final class RawServer: Sendable {
    /// What it does when something has come.
    struct Reaction: Sendable {
        var bytes: [UInt8] = []
        var closes = false
    }

    let port: Int
    private let listener: any Channel

    /// - Parameters:
    ///   - http: for the head of each request without an upgrade.
    ///   - webSocket: if not empty, upgrades are accepted; the first answers the request, behind the 101, and the others one read each.
    init(http: @escaping @Sendable (String) -> Reaction = { _ in Reaction() }, webSocket: [Reaction] = []) async throws
    {
        self.listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(http, webSocket))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.port = self.listener.localAddress?.port ?? 0
    }

    var url: String { "http://127.0.0.1:\(self.port)" }

    func close() async throws { try await self.listener.close() }

    // MARK: Bytes

    static func answer(_ body: String, status: String = "200 OK", type: String = "text/plain") -> Reaction {
        Reaction(
            bytes: Array(
                "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
        )
    }

    /// Unmasked text frames of up to 65,535 bytes.
    static func frames(_ texts: String..., closes: Bool = false) -> Reaction {
        var bytes: [UInt8] = []
        for text in texts {
            let count = text.utf8.count
            bytes += count < 126 ? [0x81, UInt8(count)] : [0x81, 126, UInt8(count >> 8), UInt8(count & 0xFF)]
            bytes += Array(text.utf8)
        }
        return Reaction(bytes: bytes, closes: closes)
    }

    static func handshake(pingInterval: Int = 25_000, pingTimeout: Int = 20_000) -> String {
        """
        0{"sid":"raw","upgrades":[],"pingInterval":\(pingInterval),"pingTimeout":\(pingTimeout),"maxPayload":1000000}
        """
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let http: @Sendable (String) -> Reaction
        private var webSocket: [Reaction]
        private var isUpgraded = false
        private var text = ""

        init(_ http: @escaping @Sendable (String) -> Reaction, _ webSocket: [Reaction]) {
            self.http = http
            self.webSocket = webSocket
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = Self.unwrapInboundIn(data)
            if self.isUpgraded {
                if !self.webSocket.isEmpty { self.react(self.webSocket.removeFirst(), context) }
                return
            }
            self.text += String(buffer: bytes)
            guard self.text.contains("\r\n\r\n") else { return }
            let head = self.text
            self.text = ""
            let key = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("sec-websocket-key:") }
            guard let key, !self.webSocket.isEmpty else { return self.react(self.http(head), context) }
            self.isUpgraded = true
            let value =
                key.split(separator: ":", maxSplits: 1).last.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
            var first = self.webSocket.removeFirst()
            first.bytes =
                Array(
                    """
                    HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                    Sec-WebSocket-Accept: \(WebSocketAccept.value(forKey: value))\r\n\r\n
                    """.utf8) + first.bytes
            self.react(first, context)
        }

        private func react(_ reaction: Reaction, _ context: ChannelHandlerContext) {
            context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(bytes: reaction.bytes)), promise: nil)
            if reaction.closes { context.close(promise: nil) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
