import TestSupport
import Testing

@testable import EngineIO

struct HeaderHookTests {
    private func withHooks(_ body: (TestServer) async throws -> Void) async throws {
        try await withServer({
            $0.initialHeaders = { headers, request in
                headers.add(name: "x-initial", value: request.query["transport"] ?? "")
                headers.add(name: "set-cookie", value: "mine=1")
            }
            $0.responseHeaders = { headers, request in
                headers.add(name: "x-every", value: request.method.rawValue)
            }
        }) { server in
            try await body(server)
        }
    }

    @Test func initialHeadersComeOnce() async throws {
        try await self.withHooks { server in
            let first = try await server.http.request("GET", TestServer.path())
            #expect(first.headers["x-initial"] == "polling")
            #expect(first.headers["set-cookie"] == "mine=1")
            #expect(first.headers["x-every"] == "GET")
            let sid = try #require(server.log.value.sessions.first).id
            let post = try await server.post(sid, "4x")
            #expect(post.headers["x-initial"] == nil)
            #expect(post.headers["x-every"] == "POST")
            let get = try await server.get(sid)
            #expect(get.headers["x-initial"] == nil)
            #expect(get.headers["x-every"] == "GET")
            let webSocket = try await server.probe(sid)
            #expect(webSocket.handshake.headers["x-initial"] == nil)
            #expect(webSocket.handshake.headers["x-every"] == "GET")
        }
    }

    @Test func initialHeadersOfAWebSocket() async throws {
        try await self.withHooks { server in
            let webSocket = try await server.webSocket()
            #expect(webSocket.handshake.headers["x-initial"] == "websocket")
            #expect(webSocket.handshake.headers.all("x-every") == ["GET"])
        }
    }

    @Test func everyRequestOnOneConnection() async throws {
        try await self.withHooks { server in
            let http = server.http
            let sid = try await server.openPolling(http).sid
            try server.known(sid).send(text: "x")
            let get = try await http.request("GET", TestServer.path(sid))
            #expect(get.headers["x-initial"] == nil)
            #expect(get.headers.all("x-every") == ["GET"])
        }
    }

    @Test func pollingAnswersAreNotStored() async throws {
        try await withServer { server in
            let reply = try await server.http.request("GET", TestServer.path())
            #expect(reply.headers["cache-control"] == "no-store")
        }
    }

    @Test(arguments: [
        "Mozilla/5.0 (compatible;MSIE 8.0; Windows NT 6.1; Trident/4.0)",
        "Mozilla/5.0 (Windows NT 6.3; Trident/7.0; rv:11.0) like Gecko",
    ])
    func internetExplorer(agent: String) async throws {
        try await withServer { server in
            let reply = try await server.http.request("GET", TestServer.path(), headers: [("User-Agent", agent)])
            #expect(reply.headers["x-xss-protection"] == "0")
            #expect(try await server.http.request("GET", TestServer.path()).headers["x-xss-protection"] == nil)
        }
    }

    /// A hook that writes what can't stand in a header is answered for with 500, and opens nothing.
    @Test func headersThatCannotBeSent() async throws {
        let fields = [
            ("x", "a\r\nset-cookie: evil=1"), ("x: y\r\nset-cookie", "evil=1"), ("", "x"), ("x", "\u{0}"),
        ]
        for (name, value) in fields {
            try await withServer {
                $0.responseHeaders = { headers, _ in headers.add(name: name, value: value) }
            } _: { server in
                let reply = try await server.http.request("GET", TestServer.path())
                #expect(reply.status == 500)
                #expect(reply.headers["connection"] == "close")
                #expect(reply.headers["set-cookie"] == nil)
                let refused = try await #require(throws: WSRefused.self) { try await server.webSocket() }
                #expect(refused.status == 500)
                #expect(refused.reply.headers["set-cookie"] == nil)
                try await eventually("the session of the WebSocket to end") { server.server.sessionCount <= 1 }
            }
        }
    }
}
