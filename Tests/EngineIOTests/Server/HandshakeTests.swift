import NIOCore
import TestSupport
import Testing

@testable import EngineIO

struct HandshakeTests {
    // MARK: The open packet

    @Test func openPacketOfPolling() async throws {
        try await withServer { server in
            let handshake = try await server.openPolling()
            #expect(handshake.sid.utf8.count == 20)
            #expect(handshake.upgrades == ["websocket"])
            #expect(handshake.pingInterval == 25000)
            #expect(handshake.pingTimeout == 20000)
            #expect(handshake.maxPayload == 1_000_000)
            #expect(server.server.sessionCount == 1)
            #expect(server.session(handshake.sid)?.transport == .polling)
        }
    }

    @Test func configuredTimesAreAnnounced() async throws {
        try await withServer {
            $0.pingInterval = .seconds(7)
            $0.pingTimeout = .milliseconds(1234)
            $0.maxPayload = 77
        } _: { server in
            let handshake = try await server.openPolling()
            #expect(handshake.pingInterval == 7000)
            #expect(handshake.pingTimeout == 1234)
            #expect(handshake.maxPayload == 77)
        }
    }

    @Test func webSocketIsOfferedNoUpgrades() async throws {
        try await withServer { server in
            let client = try await server.client(.websocket)
            #expect(client.handshake.upgrades == [])
            #expect(server.session(client.sid)?.transport == .websocket)
            await client.close()
        }
    }

    @Test(arguments: [(Set([EngineIOTransport.polling]), true), (Set(EngineIOTransport.allCases), false)])
    func noUpgradesAreOffered(transports: Set<EngineIOTransport>, allowUpgrades: Bool) async throws {
        try await withServer {
            $0.transports = transports
            $0.allowUpgrades = allowUpgrades
        } _: { server in
            let handshake = try await server.openPolling()
            #expect(handshake.upgrades == [])
        }
    }

    @Test func initialPacketComesFirst() async throws {
        try await withServer {
            $0.initialPacket = "hello"
        } onOpen: {
            $0.send(text: "second")
        } _: { server in
            for transport in [EIOOptions.Transport.polling, .websocket] {
                let client = try await server.client(transport)
                #expect(try await client.nextText() == "hello")
                #expect(try await client.nextText() == "second")
                await client.close()
            }
        }
    }

    // MARK: Ids

    @Test func generatedIDsAreUsed() async throws {
        try await withServer {
            $0.generateID = { request in
                await Task.yield()
                return "id-" + (request.query["n"] ?? "")
            }
        } _: { server in
            #expect(
                try await server.http.request("GET", TestServer.path(nil, "&n=1")).text.contains("\"sid\":\"id-1\""))
            let webSocket = try await server.webSocket("EIO=4&transport=websocket&n=2")
            #expect(try await webSocket.nextText().contains("\"sid\":\"id-2\""))
        }
    }

    @Test func failingGeneratorRefuses() async throws {
        struct Failure: Error {}
        try await withServer {
            $0.generateID = { _ in throw Failure() }
        } _: { server in
            let reply = try await server.http.request("GET", TestServer.path())
            #expect(reply.status == 400)
            #expect(reply.text == #"{"code":3,"message":"Bad request"}"#)
            let refused = try await #require(throws: WSRefused.self) { try await server.webSocket() }
            #expect(refused.reply.text == "Bad request")
            let refusals = server.log.value.refusals
            #expect(refusals.map(\.code) == [3, 3])
            #expect(refusals.allSatisfy { $0.context["name"] == "ID_GENERATION_ERROR" })
            #expect(server.server.sessionCount == 0)
        }
    }

    @Test(arguments: ["same", ""]) func idsThatCannotBeRefuse(id: String) async throws {
        try await withServer {
            $0.generateID = { _ in id }
        } _: { server in
            let first = try await server.http.request("GET", TestServer.path())
            #expect(first.status == (id.isEmpty ? 400 : 200))
            #expect(try await server.http.request("GET", TestServer.path()).status == 400)
            await #expect(throws: WSRefused.self) { try await server.webSocket() }
            #expect(server.server.sessionCount == (id.isEmpty ? 0 : 1))
        }
    }

    @Test func simultaneousDuplicatesOpenOneSession() async throws {
        try await withServer {
            $0.eventLoopCount = 4
            $0.generateID = { $0.query["n"] ?? "" }
        } _: { server in
            for round in 0..<20 {
                let path = TestServer.path(nil, "&n=\(round)")
                var replies: [PendingReply] = []
                for _ in 0..<8 { replies.append(try await server.http.start("GET", path)) }
                var opened = 0
                for reply in replies where try await reply.reply().status == 200 { opened += 1 }
                #expect(opened == 1)
            }
            #expect(server.server.sessionCount == 20)
            #expect(server.log.value.sessions.count == 20)
        }
    }

    // MARK: The request

    @Test func requestIsVisible() async throws {
        try await withServer { server in
            for transport in [EIOOptions.Transport.polling, .websocket] {
                var options = server.options(transport)
                options.query = "token=a%20b&token=c&x"
                options.headers = [("X-Mine", "yes")]
                let client = try await EIOClient.open(options)
                let request = try server.known(client.sid).request
                #expect(request.query["token"] == "c")
                #expect(request.query["x"] == "")
                #expect(request.query["EIO"] == "4")
                #expect(request.headers.first(name: "x-mine") == "yes")
                #expect(request.address == "127.0.0.1")
                #expect(request.remoteAddress?.port ?? 0 > 0)
                #expect(!request.isSecure)
                #expect(request.url.hasPrefix("/engine.io/?token="))
                await client.close()
            }
        }
    }

    @Test func requestStaysThatOfTheHandshake() async throws {
        try await withServer { server in
            let client = try await server.client()
            try await client.upgrade(headers: [("X-Late", "1")])
            let request = try server.known(client.sid).request
            #expect(request.query["transport"] == "polling")
            #expect(!request.headers.contains(name: "x-late"))
            await client.close()
        }
    }

    @Test func trustedProxiesNameTheClient() async throws {
        try await withServer {
            $0.trustedProxies = ["127.0.0.0/8"]
        } _: { server in
            let forwarded = [("X-Forwarded-For", "203.0.113.7, 127.0.0.9")]
            _ = try await server.http.request("GET", TestServer.path(), headers: forwarded)
            _ = try await server.webSocket(headers: [("Forwarded", "for=\"[2001:db8::1]:4711\"")])
            _ = try await server.http.request("GET", TestServer.path())
            #expect(
                server.log.value.sessions.map(\.request.address) == ["203.0.113.7", "2001:db8::1", "127.0.0.1"])
        }
    }

    @Test func strangersNameNobody() async throws {
        try await withServer { server in
            _ = try await server.http.request("GET", TestServer.path(), headers: [("X-Forwarded-For", "203.0.113.7")])
            #expect(server.log.value.sessions.map(\.request.address) == ["127.0.0.1"])
        }
    }

    // MARK: Paths

    @Test func anotherPathIsNotOurs() async throws {
        try await withServer { server in
            #expect(try await server.http.request("GET", "/other").status == 404)
            #expect(try await server.http.request("GET", "/engine.io?EIO=4&transport=polling").status == 404)
            let refused = try await #require(throws: WSRefused.self) {
                try await WSClient.connect(port: server.port, path: "/other")
            }
            #expect(refused.status == 404)
        }
    }

    @Test func otherPathsGoToTheFallback() async throws {
        try await withServer {
            $0.fallback = { request in
                await Task.yield()
                return EngineIOResponse(status: .accepted, headers: ["x-url": request.url], body: request.body)
            }
        } _: { server in
            let reply = try await server.http.request("POST", "/other?x", body: .text("body"))
            #expect(reply.status == 202)
            #expect(reply.headers["x-url"] == "/other?x")
            #expect(reply.text == "body")
            let ours = try await server.http.request("GET", "/engine.io/")
            #expect(ours.text == #"{"code":0,"message":"Transport unknown"}"#)
        }
    }

    @Test func pathWithoutTrailingSlash() async throws {
        try await withServer {
            $0.addTrailingSlash = false
        } _: { server in
            for path in ["/engine.io?EIO=4&transport=polling", "/engine.io/x?EIO=4&transport=polling"] {
                let reply = try await server.http.request("GET", path)
                #expect(reply.status == 200)
            }
        }
    }
}
