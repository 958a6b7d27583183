import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import SocketIO

/// A server on the connections of another server of SwiftNIO, which answers all other paths.
@Suite struct EmbeddingTests {
    @Test(arguments: [EIOOptions.Transport.polling, .websocket])
    func clientsTalk(transport: EIOOptions.Transport) async throws {
        try await withOther { other in
            other.io.onConnection { socket in
                socket.on("echo") { (text: String, data: SocketIOValue) in socket.emit("echo", text, data) }
                socket.on("ack") { (number: Int) in number + 1 }
            }
            let client = try await join(other.port, "/", transport)
            for round in 0..<50 {
                try client.emit("echo", "\"text \(round)\"", "[1,2]")
                #expect(try await client.expectEvent("echo").json == "[\"echo\",\"text \(round)\",[1,2]]")
            }
            #expect(try await client.emitWithAck("ack", "41").int(0) == 42)
            await client.close()
        }
    }

    @Test func pollingIsUpgraded() async throws {
        try await withOther { other in
            other.io.onConnection { socket in socket.on("echo") { (text: String) in socket.emit("echo", text) } }
            let client = try await join(other.port, "/", .polling)
            try await client.session.upgrade()
            try client.emit("echo", "\"over WebSocket\"")
            #expect(try await client.expectEvent("echo").string(0) == "over WebSocket")
            #expect(client.session.transport == .websocket)
        }
    }

    /// One connection serves both in turns, and becomes a WebSocket in the end.
    @Test func oneConnectionForBoth() async throws {
        try await withOther { other in
            let http = HTTPClient1(port: other.port)
            for round in 0..<5 {
                let hello = try await http.request("POST", "/hello?\(round)", body: .text("body"))
                #expect(hello.text == "POST /hello?\(round) body")
                let reply = try await http.request("GET", "/socket.io/?EIO=4&transport=polling")
                #expect(reply.status == 200)
                #expect(reply.text.hasPrefix("0{\"sid\""))
            }
            let unknown = try await http.request("GET", "/socket.io/?EIO=4&transport=polling&sid=none")
            #expect(unknown.status == 400)
            #expect(unknown.text == "{\"code\":1,\"message\":\"Session ID unknown\"}")
            let hello = try await http.request("GET", "/hello")
            #expect(hello.text == "GET /hello ")
        }
    }

    /// What a client sends behind its request for a WebSocket is not lost on the way from one reader to the next.
    @Test(arguments: [1, 7, 1000])
    func framesBehindTheRequest(pieceLength: Int) async throws {
        try await withOther { other in
            other.io.onConnection { socket in socket.on("echo") { (text: String) in socket.emit("echo", text) } }
            let connection = try await RawConnection.connect(port: other.port)
            var bytes = Array(
                """
                GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
                Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n
                """.utf8)
            bytes += Self.frame("40") + Self.frame("42[\"echo\",\"early\"]")
            var rest = bytes[...]
            while !rest.isEmpty {
                try await connection.send(Array(rest.prefix(pieceLength)))
                rest = rest.dropFirst(pieceLength)
            }
            let text = try await connection.take("the echo") { buffer, _ in
                let text = String(decoding: buffer.readableBytesView, as: UTF8.self)
                return text.contains("early\"]") ? text : nil
            }
            #expect(text.contains("HTTP/1.1 101 Switching Protocols\r\n"))
            #expect(text.contains("0{\"sid\""))
        }
    }

    private static func frame(_ text: String) -> [UInt8] {
        let key: [UInt8] = [1, 2, 3, 4]
        return [0x81, 0x80 | UInt8(text.utf8.count)] + key + text.utf8.enumerated().map { $1 ^ key[$0 % 4] }
    }

    /// What the engine's own parser refuses is refused here too, and other servers' requests are theirs to judge.
    @Test func strictHeadsOnOurPath() async throws {
        try await withOther { other in
            let http = HTTPClient1(port: other.port)
            let twice = [("Host", "a"), ("Host", "b")]
            let ours = try await http.request("GET", "/socket.io/?EIO=4&transport=polling", headers: twice)
            #expect(ours.status == 400)
            #expect(ours.closes)
            let theirs = try await HTTPClient1(port: other.port).request("GET", "/x", headers: twice)
            #expect(theirs.status == 200)
        }
    }

    @Test func manyConnectionsEndInGoodOrder() async throws {
        try await withOther { other in
            let gone = Recorder()
            other.io.onConnection { socket in socket.onDisconnect { reason in gone.add(reason.rawValue) } }
            var clients: [SIOClient] = []
            for index in 0..<20 {
                clients.append(try await join(other.port, "/", index % 4 == 0 ? .polling : .websocket))
            }
            #expect(other.io.connectionCount == 20)
            other.quiesce()
            for client in clients { _ = try await client.session.waitForClose() }
            _ = try await gone.wait(count: 20)
            try await eventually("the other server's connections to end") { other.openConnections == 0 }
        }
    }

    @Test func anotherLoopIsRefused() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let io = SocketIOServer(eventLoopGroup: group)
        try io.attach()
        let channel = try await ServerBootstrap(group: PeerLoops.group).bind(host: "127.0.0.1", port: 0).get()
        await #expect(throws: EngineIOConfigurationError.self) {
            try await channel.eventLoop.submit { try io.serve(channel) { _ in } }.get()
        }
        try await channel.close()
        await io.close()
        // The loops are not the server's to end.
        #expect(try await group.next().submit { 1 }.get() == 1)
        try await group.shutdownGracefully()
    }

    /// A server that is attached to another opens no port of its own.
    @Test func runOpensNoPort() async throws {
        let io = SocketIOServer(configuration: SocketIOConfiguration(port: 1), eventLoopGroup: PeerLoops.group)
        try io.attach()
        let task = Task { try await io.run() }
        try await eventually("the server to have its engine") { io.engine != nil }
        #expect(io.engine?.isListening == false)
        task.cancel()
        try await task.value
    }
}

/// A small HTTP server that answers with what it was asked, and has a Socket.IO server on its connections.
private final class OtherServer: Sendable {
    let io: SocketIOServer
    let port: Int
    private let group: MultiThreadedEventLoopGroup
    private let listener: any Channel
    private let channels: Awaited<[ObjectIdentifier: any Channel]>

    init() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let io = SocketIOServer(eventLoopGroup: group, logger: logger)
        try io.attach()
        let channels = Awaited<[ObjectIdentifier: any Channel]>([:]) { "\($0.count) connections" }
        self.listener = try await ServerBootstrap(group: group)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channels.update { $0[ObjectIdentifier(channel)] = channel }
                channel.closeFuture.whenComplete { _ in channels.update { $0[ObjectIdentifier(channel)] = nil } }
                return channel.eventLoop.makeCompletedFuture {
                    try io.serve(channel) { try $0.pipeline.syncOperations.addHandler(Answers()) }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.group = group
        self.io = io
        self.channels = channels
        self.port = self.listener.localAddress?.port ?? 0
    }

    var openConnections: Int { self.channels.value.count }

    /// As SwiftNIO's quiescing helper does.
    func quiesce() {
        self.listener.close(promise: nil)
        for channel in self.channels.value.values {
            channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        }
    }

    func close() async throws {
        await self.io.close(timeout: .milliseconds(50))
        try? await self.listener.close()
        for channel in self.channels.value.values { try? await channel.close() }
        try await self.group.shutdownGracefully()
    }

    private final class Answers: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        private var text = ""

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch Self.unwrapInboundIn(data) {
            case .head(let head): self.text = "\(head.method) \(head.uri) "
            case .body(let bytes): self.text += String(buffer: bytes)
            case .end:
                let body = ByteBuffer(string: self.text)
                let headers: HTTPHeaders = ["content-length": "\(body.readableBytes)"]
                let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: headers)
                context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
                context.write(Self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
                context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
            }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if event is ChannelShouldQuiesceEvent { context.close(promise: nil) }
        }
    }
}

private func withOther(_ body: (OtherServer) async throws -> Void) async throws {
    let other = try await OtherServer()
    do {
        try await body(other)
    } catch {
        try await other.close()
        throw error
    }
    try await other.close()
}
