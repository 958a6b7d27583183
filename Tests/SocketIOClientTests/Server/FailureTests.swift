import EngineIOClient
import NIOCore
import SocketIO
import SocketIOClient
import TestSupport
import Testing

/// What goes wrong is told, each in its own way.
struct FailureTests {
    /// The first thing that goes wrong with an attempt.
    private func failure(_ url: String, _ change: (inout SocketIOClientConfiguration) -> Void = { _ in }) async throws
        -> String
    {
        var configuration = Way.upgrade.configuration
        configuration.reconnection.isEnabled = false
        configuration.autoConnect = false
        change(&configuration)
        let client = SocketIOClient(url, configuration: configuration)
        do {
            try await client.connect(timeout: .seconds(30))
            return "connected"
        } catch {
            // It says what can be done about it.
            #expect("\(error)".count > 30, "\(error)")
            #expect(!client.active)
            return code(of: error)
        }
    }

    @Test func nobodyListens() async throws {
        let port = try FreePorts.next()
        #expect(try await self.failure("http://127.0.0.1:\(port)") == "connection refused")
        #expect(
            try await self.failure("http://127.0.0.1:\(port)") { $0.transports = [.websocket] } == "connection refused")
    }

    @Test func noSuchHost() async throws {
        #expect(try await self.failure("http://no-such-host.invalid") == "dns failure")
    }

    @Test func noSuchScheme() async throws {
        #expect(try await self.failure("gopher://127.0.0.1") == "invalid configuration")
    }

    @Test func theServerSpeaksNoTLS() async throws {
        try await withServer { _, port in
            let failure = try await self.failure("https://127.0.0.1:\(port)")
            #expect(failure == "tls not spoken")
        }
    }

    @Test func anotherPath() async throws {
        try await withServer { _, port in
            let failure = try await self.failure("http://127.0.0.1:\(port)") { $0.path = "/elsewhere/" }
            #expect(failure == "not found")
        }
    }

    @Test func aWebServer() async throws {
        try await withServer(configure: {
            $0.engine.path = "/elsewhere/"
            $0.engine.fallback = { _ in EngineIOResponse(status: .ok, body: ByteBuffer(string: "<html></html>")) }
        }) { _, port in
            let failure = try await self.failure("http://127.0.0.1:\(port)")
            #expect(failure == "not a socket.io server")
        }
    }

    @Test func theServerRefusesTheRequest() async throws {
        try await withServer(configure: { $0.engine.allowRequest = { _ in .refuse(reason: "not you") } }) { _, port in
            let failure = try await self.failure("http://127.0.0.1:\(port)")
            #expect(failure == "forbidden")
        }
    }

    @Test func aTransportThatTheServerDoesNotOffer() async throws {
        try await withServer(configure: { $0.engine.transports = [.websocket] }) { _, port in
            #expect(
                try await self.failure("http://127.0.0.1:\(port)") { $0.transports = [.polling] } == "transport unknown"
            )
            let client = SocketIOClient(
                "http://127.0.0.1:\(port)",
                configuration: {
                    var configuration = Way.upgrade.configuration
                    configuration.tryAllTransports = true
                    return configuration
                }())
            try await client.connect(timeout: .seconds(30))
            #expect(client.transport == .websocket)
            await client.disconnect()
        }
    }

    @Test(arguments: Way.allCases)
    func moreThanTheServerTakes(_ way: Way) async throws {
        try await withServer(configure: { $0.engine.maxPayload = 1000 }) { _, port in
            let record = Recorder()
            let client = try await connect(port, "", way.configuration)
            record.watch(client)
            client.emit("echo", String(repeating: "x", count: 1000))
            try await record.wait(for: "error payload too large")
            #expect(
                await thrown {
                    _ = try await client.emitWithAck("echo", ByteBuffer(repeating: 1, count: 1001), as: Int.self)
                } == "payload too large")
            if way == .polling {
                // It would be larger than that on its way.
                #expect(
                    await thrown {
                        _ = try await client.emitWithAck("echo", ByteBuffer(repeating: 1, count: 800), as: Int.self)
                    } == "payload too large")
            }
            // The connection has not suffered.
            #expect(
                try await client.emitWithAck("echo", String(repeating: "x", count: 900), as: String.self).count == 900)
            #expect(record.all == ["error payload too large"])
            await client.disconnect()
        }
    }

    @Test(arguments: Way.allCases)
    func moreThanTheClientTakes(_ way: Way) async throws {
        // Between two polls the server learns of a client's end by its next ping only.
        try await withServer(
            configure: {
                $0.engine.pingInterval = .milliseconds(500)
                $0.engine.pingTimeout = .seconds(8)
            },
            setUp: { io in
                io.onConnection { socket in socket.on("much") { String(repeating: "x", count: 20_000) } }
            }
        ) { _, port in
            var configuration = way.configuration
            configuration.maxMessageBytes = 10_000
            let client = try await connect(port, "", configuration)
            let record = Recorder()
            client.onDisconnect { record.add("\($0.error.map { code(of: $0) } ?? "-") \($0.willReconnect)") }
            #expect(await thrown { _ = try await client.emitWithAck("much", as: String.self) } == "disconnected")
            #expect(try await record.wait(count: 1) == ["message too large true"])
            await client.disconnect()
        }
    }

    @Test func moreAttachmentsThanTheClientTakes() async throws {
        try await withServer(setUp: { io in
            io.onConnection { socket in
                socket.on("eleven") { socket.emit("many", arguments: (0..<11).map { _ in .binary(ByteBuffer()) }) }
            }
        }) { _, port in
            let client = try await connect(port)
            let record = Recorder()
            client.onDisconnect { record.add("\($0.reason) \($0.error.map { code(of: $0) } ?? "-")") }
            client.emit("eleven")
            #expect(try await record.wait(count: 1) == ["parse error too_many_attachments"])
            await client.disconnect()
        }
    }

    @Test func theServerIsClosed() async throws {
        let io = makeServer()
        let port = try #require(try await io.start(port: 0).port)
        var configuration = Way.websocket.configuration
        configuration.reconnection.isEnabled = false
        let client = try await connect(port, "", configuration)
        let record = Recorder()
        client.onDisconnect { record.add("\($0.reason) \($0.willReconnect)") }
        await io.close(timeout: .seconds(1))
        #expect(try await record.wait(count: 1) == ["transport close false"])
        try await eventually { client.state == .disconnected }
    }
}
