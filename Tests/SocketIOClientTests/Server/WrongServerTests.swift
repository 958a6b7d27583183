import EngineIOClient
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIOClient

/// Servers that are none, or old, or break the rules, and connections that go wrong: each with an error of its own that says what
/// can be done.
struct WrongServerTests {
    private let record = Recorder()

    private static func configuration(_ transport: SocketIOClientConfiguration.Transport) -> SocketIOClientConfiguration
    {
        var configuration = SocketIOClientConfiguration.quick
        configuration.transports = [transport]
        configuration.forceNew = true
        configuration.autoConnect = false
        configuration.reconnection.isEnabled = false
        return configuration
    }

    /// What `connect()` throws.
    private func failure(_ server: RawServer, _ transport: SocketIOClientConfiguration.Transport) async throws
        -> any Error
    {
        let client = SocketIOClient(server.url, configuration: Self.configuration(transport))
        do {
            try await client.connect(timeout: .seconds(30))
            throw PeerError("it is connected")
        } catch {
            #expect(client.state == .disconnected)
            return error
        }
    }

    @Test func aWebPage() async throws {
        let server = try await RawServer(http: { _ in
            RawServer.answer("<!DOCTYPE html><html><body>Welcome</body></html>", type: "text/html")
        })
        let polling = try await self.failure(server, .polling)
        #expect(code(of: polling) == "not a socket.io server")
        #expect("\(polling)".contains("right port and path"))
        let webSocket = try await self.failure(server, .websocket)
        #expect(code(of: webSocket) == "not a socket.io server")
        #expect("\(webSocket)".contains("right port and path"))
        try await server.close()
    }

    /// `connect()` does not wait for a web page to become a server, whichever transport comes first.
    @Test(arguments: [[.websocket], [.websocket, .polling], [.polling]] as [[SocketIOClientConfiguration.Transport]])
    func aWebPageIsNotWaitedFor(transports: [SocketIOClientConfiguration.Transport]) async throws {
        let server = try await RawServer(http: { _ in RawServer.answer("<html>Welcome</html>", type: "text/html") })
        for triesAll in [false, true] {
            var configuration = Self.configuration(.websocket)
            configuration.transports = transports
            configuration.tryAllTransports = triesAll
            configuration.reconnection.isEnabled = true
            let client = SocketIOClient(server.url, configuration: configuration)
            let error = await thrown { try await client.connect(timeout: .seconds(60)) }
            #expect(error == "not a socket.io server")
            await client.disconnect()
        }
        try await server.close()
    }

    /// What stands before the server knows no WebSocket and answers with a page of its own: polling is tried if that is wanted.
    @Test func aProxyWithoutWebSockets() async throws {
        let polls = Counter()
        let server = try await RawServer(http: { head in
            if head.lowercased().contains("upgrade: websocket") {
                return RawServer.answer("<html>proxy</html>", type: "text/html")
            }
            if head.hasPrefix("POST") { return RawServer.answer("ok") }
            switch polls.next() {
            case 1: return RawServer.answer(RawServer.handshake())
            case 2: return RawServer.answer(#"40{"sid":"x"}"#)
            default: return RawServer.Reaction()
            }
        })
        var configuration = Self.configuration(.websocket)
        configuration.transports = [.websocket, .polling]
        configuration.tryAllTransports = true
        let client = SocketIOClient(server.url, configuration: configuration)
        try await client.connect(timeout: .seconds(30))
        #expect(client.transport == .polling)
        await client.disconnect()
        try await server.close()
    }

    /// Before Socket.IO 4.5 servers do not say how much they take.
    @Test func aServerThatNamesNoLimit() async throws {
        let server = try await RawServer(webSocket: [
            RawServer.frames(#"0{"sid":"raw","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#),
            RawServer.frames(#"40{"sid":"x"}"#), RawServer.frames("430[1]"),
        ])
        let client = SocketIOClient(server.url, configuration: Self.configuration(.websocket))
        try await client.connect(timeout: .seconds(30))
        let text = String(repeating: "x", count: 1_500_000)
        #expect(try await client.emitWithAck("big", text, timeout: .seconds(30), as: Int.self) == 1)
        await client.disconnect()
        try await server.close()
    }

    /// Socket.IO 2: another framing over polling; over WebSocket it joins the client by itself and names no session.
    @Test func protocol3Only() async throws {
        let server = try await RawServer(
            http: { _ in
                RawServer.answer(
                    #"85:0{"sid":"old","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":5000}2:40"#)
            },
            webSocket: [
                RawServer.frames(#"0{"sid":"old","upgrades":[],"pingInterval":25000,"pingTimeout":5000}"#, "40"),
                RawServer.frames("40"),
            ])
        let polling = try await self.failure(server, .polling)
        #expect(code(of: polling) == "unsupported protocol version")
        #expect("\(polling)".contains("needs Socket.IO 3 or newer"))
        let webSocket = try await self.failure(server, .websocket)
        #expect(code(of: webSocket) == "unsupported_protocol")
        #expect("\(webSocket)".contains("update it"))
        try await server.close()
    }

    @Test func theVersionIsRefused() async throws {
        let server = try await RawServer(http: { _ in
            RawServer.answer(#"{"code":5,"message":"Unsupported protocol version"}"#, status: "400 Bad Request")
        })
        #expect(code(of: try await self.failure(server, .polling)) == "unsupported protocol version")
        try await server.close()
    }

    /// The server takes the connection and says nothing of the namespace.
    @Test func noAnswerToTheJoin() async throws {
        let server = try await RawServer(webSocket: [RawServer.frames(RawServer.handshake())])
        var configuration = Self.configuration(.websocket)
        configuration.joinTimeout = .milliseconds(50)
        let client = SocketIOClient(server.url, configuration: configuration)
        let error = await #expect(throws: SocketIOError.self) { try await client.connect() }
        #expect(error?.code == .joinTimeout)
        #expect(error?.message.contains("middleware") == true)
        try await server.close()
    }

    // MARK: After it was connected

    /// How a client ends that was connected by the first answers.
    private func end(_ reactions: [RawServer.Reaction], pings: (Int, Int) = (25_000, 20_000)) async throws
        -> Disconnection
    {
        let open = RawServer.frames(RawServer.handshake(pingInterval: pings.0, pingTimeout: pings.1))
        let server = try await RawServer(webSocket: [open] + reactions)
        let client = SocketIOClient(server.url, configuration: Self.configuration(.websocket))
        let end = Awaited<Disconnection?>(nil)
        client.onDisconnect { value in end.update { $0 = value } }
        try await client.connect(timeout: .seconds(30))
        client.emit("hello")
        let result = try await end.wait("the end") { $0 }
        try await server.close()
        return result
    }

    @Test func aServerThatFallsSilent() async throws {
        let end = try await self.end([RawServer.frames(#"40{"sid":"x"}"#)], pings: (3000, 2000))
        #expect(end.reason == .pingTimeout)
        #expect((end.error as? EngineClientError)?.code == .pingTimeout)
        #expect("\(try #require(end.error))".contains("does it speak protocol 4"))
    }

    @Test func theConnectionEndsInTheMiddleOfAPacket() async throws {
        let header = #"451-["file",{"_placeholder":true,"num":0}]"#
        let end = try await self.end([
            RawServer.frames(#"40{"sid":"x"}"#), RawServer.frames(header, closes: true),
        ])
        #expect(end.reason == .transportClose)
        let error = try #require(end.error as? SocketIOError)
        #expect(error.code == .incompletePacket)
        #expect((error.cause as? EngineClientError)?.code == .connectionLost)
        #expect(error.message.contains("the packet is lost"))
    }

    @Test(arguments: [
        ("4{", "parse error"), ("x", "parse error"), (#"451-["a",{"_placeholder":true,"num":7}]"#, "parse error"),
        (#"42["disconnect"]"#, "parse error"),
    ])
    func malformedPackets(text: String, reason: String) async throws {
        let end = try await self.end([RawServer.frames(#"40{"sid":"x"}"#), RawServer.frames(text, "bAQ==")])
        #expect(end.reason.rawValue == reason)
        #expect("\(try #require(end.error))".count > 20)
    }
}
