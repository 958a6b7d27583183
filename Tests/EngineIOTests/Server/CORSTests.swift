import TestSupport
import Testing

@testable import EngineIO

struct CORSTests {
    static let origin = ("Origin", "http://example.com")
    static let preflight = [
        Self.origin, ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "x-a"),
    ]

    @Test func preflightOfTheReflectedOrigin() async throws {
        try await withServer {
            $0.cors = EngineIOCORS(origin: .reflected)
            $0.cors.allowedHeaders = ["my-header"]
            $0.cors.credentials = true
        } _: { server in
            let reply = try await server.http.request("OPTIONS", TestServer.path(), headers: Self.preflight)
            #expect(reply.status == 204)
            #expect(reply.body.isEmpty)
            #expect(reply.headers["access-control-allow-origin"] == "http://example.com")
            #expect(reply.headers["access-control-allow-methods"] == "GET,HEAD,PUT,PATCH,POST,DELETE")
            #expect(reply.headers["access-control-allow-headers"] == "my-header")
            #expect(reply.headers["access-control-allow-credentials"] == "true")
        }
    }

    @Test func requestOfAListedOrigin() async throws {
        try await withServer {
            $0.cors = .origins("http://example.com")
            $0.cors.credentials = true
        } _: { server in
            let reply = try await server.http.request("GET", TestServer.path(), headers: [Self.origin])
            #expect(reply.status == 200)
            #expect(reply.headers["access-control-allow-origin"] == "http://example.com")
            #expect(reply.headers["access-control-allow-credentials"] == "true")
            #expect(reply.headers["vary"] == "Origin")
            #expect(reply.headers["access-control-allow-methods"] == nil)
            #expect(reply.headers["access-control-allow-headers"] == nil)
            let sid = try #require(server.log.value.sessions.first).id
            let post = try await server.post(sid, "4x", headers: [Self.origin])
            #expect(post.headers["access-control-allow-origin"] == "http://example.com")
        }
    }

    @Test func preflightOfAnotherOrigin() async throws {
        try await withServer {
            $0.cors = .origins("http://good.example")
        } _: { server in
            let reply = try await server.http.request("OPTIONS", TestServer.path(), headers: Self.preflight)
            #expect(reply.status == 204)
            #expect(reply.headers["access-control-allow-origin"] == nil)
        }
    }

    @Test func allOptionsAreHonoured() async throws {
        try await withServer {
            $0.cors = .origins("http://example.com")
            $0.cors.methods = ["GET", "PUT", "POST"]
            $0.cors.allowedHeaders = ["my-header"]
            $0.cors.exposedHeaders = ["my-exposed-header"]
            $0.cors.credentials = true
            $0.cors.maxAge = 123
            $0.cors.successStatus = 200
        } _: { server in
            let reply = try await server.http.request("OPTIONS", TestServer.path(), headers: Self.preflight)
            #expect(reply.status == 200)
            #expect(reply.headers["access-control-allow-methods"] == "GET,PUT,POST")
            #expect(reply.headers["access-control-allow-headers"] == "my-header")
            #expect(reply.headers["access-control-expose-headers"] == "my-exposed-header")
            #expect(reply.headers["access-control-allow-credentials"] == "true")
            #expect(reply.headers["access-control-max-age"] == "123")
        }
    }

    @Test func refusalsCarryTheHeaders() async throws {
        try await withServer {
            $0.cors = .origins("http://example.com")
            $0.cors.credentials = true
        } _: { server in
            let path = "/engine.io/?EIO=4&transport=websocket"
            let reply = try await server.http.request("GET", path, headers: [Self.origin])
            #expect(reply.status == 400)
            #expect(reply.headers["access-control-allow-origin"] == "http://example.com")
            #expect(reply.headers["access-control-allow-credentials"] == "true")
        }
    }

    @Test func messagesFlow() async throws {
        try await withServer {
            $0.cors = EngineIOCORS(origin: .reflected)
        } _: { server in
            var options = server.options()
            options.headers = [Self.origin]
            let client = try await EIOClient.open(options)
            try client.send("a")
            #expect(try await client.nextText() == "a")
            try await client.upgrade()
            try client.send("b")
            #expect(try await client.nextText() == "b")
            await client.close()
        }
    }

    @Test func deniedByDefault() async throws {
        try await withServer { server in
            let reply = try await server.http.request("GET", TestServer.path(), headers: [Self.origin])
            #expect(!reply.headers.fields.contains { $0.name.lowercased().hasPrefix("access-control") })
        }
    }

    // MARK: WebSocket, where browsers don't ask

    @Test func webSocketOfAnotherOriginIsRefused() async throws {
        try await withServer {
            $0.cors = .origins("http://good.example")
        } _: { server in
            let refused = try await #require(throws: WSRefused.self) {
                try await server.webSocket(headers: [Self.origin])
            }
            #expect(refused.status == 400)
            #expect(refused.reply.text == "Forbidden")
            #expect(server.log.value.refusals.first?.code == 4)
            #expect(server.log.value.refusals.first?.context["name"] == "ORIGIN_NOT_ALLOWED")
            let sid = try await server.openPolling().sid
            await #expect(throws: WSRefused.self) {
                try await server.webSocket("EIO=4&transport=websocket&sid=\(sid)", headers: [Self.origin])
            }
            #expect(server.session(sid)?.isProbing == false)
        }
    }

    @Test func webSocketOfAllowedOriginsOpens() async throws {
        try await withServer {
            $0.cors = .origins("http://example.com")
        } _: { server in
            _ = try await server.webSocket(headers: [Self.origin])
            // The server's own pages, and clients that are no pages.
            _ = try await server.webSocket(headers: [("Origin", "http://127.0.0.1:\(server.port)")])
            _ = try await server.webSocket()
            #expect(server.log.value.sessions.count == 3)
        }
    }
}
