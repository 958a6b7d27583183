import TestSupport
import Testing

@testable import EngineIO

struct RefusalTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let method: String
        let query: String
        let code: Int
        let context: [String: String]
        var testDescription: String { "\(self.method) \(self.query)" }
    }

    static let messages = [
        "Transport unknown", "Session ID unknown", "Bad handshake method", "Bad request", "Forbidden",
        "Unsupported protocol version",
    ]

    static let cases = [
        Case(method: "GET", query: "EIO=4&transport=tobi", code: 0, context: ["transport": "tobi"]),
        Case(method: "GET", query: "EIO=4&transport=constructor", code: 0, context: ["transport": "constructor"]),
        Case(method: "GET", query: "EIO=4&transport=__proto__", code: 0, context: ["transport": "__proto__"]),
        Case(method: "GET", query: "EIO=4", code: 0, context: ["transport": ""]),
        Case(method: "GET", query: "", code: 0, context: ["transport": ""]),
        Case(method: "GET", query: "EIO=4&transport=polling&sid=test", code: 1, context: ["sid": "test"]),
        Case(method: "POST", query: "EIO=4&transport=polling&sid=test", code: 1, context: ["sid": "test"]),
        Case(method: "GET", query: "EIO=4&transport=polling&sid=__proto__", code: 1, context: ["sid": "__proto__"]),
        Case(method: "POST", query: "EIO=4&transport=polling&sid=toString", code: 1, context: ["sid": "toString"]),
        Case(method: "OPTIONS", query: "EIO=4&transport=polling", code: 2, context: ["method": "OPTIONS"]),
        Case(method: "POST", query: "EIO=4&transport=polling", code: 2, context: ["method": "POST"]),
        Case(
            method: "GET", query: "EIO=4&transport=websocket", code: 3, context: ["name": "TRANSPORT_HANDSHAKE_ERROR"]),
        Case(method: "GET", query: "EIO=3&transport=polling", code: 5, context: ["protocol": "3"]),
        Case(method: "GET", query: "transport=polling", code: 5, context: ["protocol": ""]),
    ]

    @Test(arguments: Self.cases) func refusedRequest(refused: Case) async throws {
        try await withServer { server in
            let reply = try await server.http.request(refused.method, "/engine.io/?" + refused.query)
            #expect(reply.status == 400)
            #expect(reply.headers["content-type"] == "application/json")
            #expect(reply.text == #"{"code":\#(refused.code),"message":"\#(Self.messages[refused.code])"}"#)
            let error = try #require(server.log.value.refusals.first)
            #expect(error.code == refused.code)
            #expect(error.message == Self.messages[refused.code])
            #expect(error.context == refused.context)
            #expect(error.request.url == "/engine.io/?" + refused.query)
            #expect(server.server.sessionCount == 0)
        }
    }

    @Test(arguments: [
        ("EIO=4&transport=__proto__", 0), ("EIO=4&transport=websocket&sid=nope", 1), ("EIO=4", 0), ("", 0),
        ("EIO=4&transport=websocket&sid=toString", 1), ("EIO=4&transport=polling", 3), ("EIO=3&transport=websocket", 5),
    ])
    func refusedUpgrade(query: String, code: Int) async throws {
        try await withServer { server in
            let refused = try await #require(throws: WSRefused.self) { try await server.webSocket(query) }
            #expect(refused.status == 400)
            #expect(refused.reply.text == Self.messages[code])
            #expect(refused.reply.headers["content-type"] == "text/html")
            #expect(server.log.value.refusals.map(\.code) == [code])
        }
    }

    @Test func handshakesThatAreNoneAreRefused() async throws {
        try await withServer { server in
            for broken in [("Sec-WebSocket-Key", ""), ("Sec-WebSocket-Version", "12")] {
                let refused = try await #require(throws: WSRefused.self) {
                    try await server.webSocket(headers: [broken])
                }
                #expect(refused.status == 400)
            }
            #expect(server.log.value.sessions.isEmpty)
        }
    }

    // MARK: The transport of a session

    @Test func pollingSessionIsNoWebSocket() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let reply = try await server.http.request("GET", "/engine.io/?EIO=4&transport=websocket&sid=\(sid)")
            #expect(reply.status == 400)
            #expect(reply.text == #"{"code":3,"message":"Bad request"}"#)
            #expect(server.log.value.refusals.first?.context["name"] == "TRANSPORT_MISMATCH")
            #expect(try await server.post(sid, "4on").text == "ok")
            #expect(try await server.get(sid).text == "4on")
        }
    }

    @Test func webSocketSessionDoesNotPoll() async throws {
        try await withServer { server in
            let client = try await server.client(.websocket)
            for reply in [
                try await server.get(client.sid), try await server.post(client.sid, "4x"),
                try await server.post(client.sid, "4x", headers: [("Content-Type", "application/octet-stream")]),
            ] {
                #expect(reply.status == 400)
                #expect(reply.text == #"{"code":3,"message":"Bad request"}"#)
            }
            try client.send("on")
            #expect(try await client.nextText() == "on")
            await client.close()
        }
    }

    @Test func endedSessionIsUnknown() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            #expect(try await server.post(sid, "1").text == "ok")
            #expect(try await server.get(sid).text == #"{"code":1,"message":"Session ID unknown"}"#)
            #expect(try await server.post(sid, "4x").text == #"{"code":1,"message":"Session ID unknown"}"#)
            await #expect(throws: WSRefused.self) { try await server.probe(sid) }
        }
    }

    @Test(arguments: ["PUT", "DELETE", "OPTIONS", "HEAD"]) func otherMethodsForASession(method: String) async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let reply = try await server.http.request(method, TestServer.path(sid))
            #expect(reply.status == 500)
            #expect(reply.body.isEmpty)
            #expect(server.session(sid)?.isOpen == true)
        }
    }

    // MARK: The application's decision

    @Test(arguments: ["Thou shall not pass", nil]) func allowRequestRefuses(reason: String?) async throws {
        try await withServer {
            $0.allowRequest = { request in
                await Task.yield()
                return request.query["let"] == "in" ? .allow : .refuse(reason: reason)
            }
        } _: { server in
            let reply = try await server.http.request("GET", TestServer.path())
            #expect(reply.status == 403)
            #expect(reply.text == #"{"code":4,"message":"\#(reason ?? "Forbidden")"}"#)
            let refused = try await #require(throws: WSRefused.self) { try await server.webSocket() }
            #expect(refused.status == 400)
            #expect(refused.reply.text == reason ?? "Forbidden")
            #expect(server.log.value.refusals.map(\.code) == [4, 4])
            #expect(server.log.value.refusals.map(\.message) == ["Forbidden", "Forbidden"])
            #expect(server.log.value.refusals.map { $0.context["message"] } == [reason, reason])
            #expect(try await server.http.request("GET", TestServer.path(nil, "&let=in")).status == 200)
            _ = try await server.webSocket("EIO=4&transport=websocket&let=in")
        }
    }

    @Test func reasonIsQuoted() async throws {
        try await withServer {
            $0.allowRequest = { _ in .refuse(reason: "a\"b\\c\n\u{1}€") }
        } _: { server in
            let reply = try await server.http.request("GET", TestServer.path())
            #expect((try reply.json() as? [String: Any])?["message"] as? String == "a\"b\\c\n\u{1}€")
        }
    }

    @Test func clientThatLeavesBeforeTheDecisionLeavesNothing() async throws {
        let events = Awaited([String]())
        try await withServer {
            $0.allowRequest = { request in
                guard request.query["let"] == nil else { return .allow }
                events.update { $0.append("asked") }
                // Until the client has left: the task is cancelled then.
                _ = try? await Task.sleep(for: .seconds(60))
                events.update { $0.append(Task.isCancelled ? "cancelled" : "late") }
                return .allow
            }
        } _: { server in
            let request = try await server.http.start("GET", TestServer.path())
            try await events.wait("the question") { $0 == ["asked"] ? true : nil }
            await request.abort()
            try await events.wait("its end") { $0 == ["asked", "cancelled"] ? true : nil }
            let reply = try await server.http.request("GET", TestServer.path(nil, "&let=in"))
            #expect(reply.status == 200)
            #expect(server.log.value.sessions.count == 1)
        }
    }

    @Test func sessionsAreLimited() async throws {
        try await withServer {
            $0.maxSessions = 2
        } _: { server in
            let first = try await server.openPolling().sid
            let webSocket = try await server.openWebSocket()
            #expect(try await server.http.request("GET", TestServer.path()).status == 503)
            let refused = try await #require(throws: WSRefused.self) { try await server.webSocket() }
            #expect(refused.status == 503)
            // Those that are there go on, and one that leaves makes room.
            try await webSocket.send("4on")
            try await webSocket.expectText("4on")
            #expect(try await server.post(first, "1").text == "ok")
            try await eventually("room") { server.server.sessionCount == 1 }
            #expect(try await server.http.request("GET", TestServer.path()).status == 200)
        }
    }
}
