import TestSupport
import Testing

@testable import EngineIO

/// A body over `maxPayload`: 413, nothing is delivered, the session goes on.
struct BodyLimitTests {
    private func check(
        _ server: TestServer, _ body: HTTPBody, _ headers: [(String, String)] = []
    ) async throws {
        let sid = try await server.openPolling().sid
        let reply = try await server.http.request("POST", TestServer.path(sid), headers: headers, body: body)
        #expect(reply.status == 413)
        #expect(reply.body.isEmpty)
        #expect(server.session(sid)?.isOpen == true)
        #expect(server.log.value.messages.isEmpty)
        #expect(try await server.post(sid, "4aaaa").text == "ok")
        #expect(try await server.get(sid).text == "4aaaa")
        #expect(server.log.value.ends.isEmpty)
    }

    @Test func announcedLength() async throws {
        try await withServer {
            $0.maxPayload = 5
        } _: { server in
            try await self.check(server, .text("4aaaaa"))
        }
    }

    @Test func chunks() async throws {
        try await withServer {
            $0.maxPayload = 5
        } _: { server in
            let chunks = HTTPBody.text("3\r\n4aa\r\n3\r\naaa\r\n0\r\n\r\n")
            try await self.check(server, chunks, [("Transfer-Encoding", "chunked")])
        }
    }

    @Test func refusedBeforeTheBodyHasCome() async throws {
        try await withServer {
            $0.maxPayload = 5
        } _: { server in
            let sid = try await server.openPolling().sid
            let post = try await server.http.start("POST", TestServer.path(sid), body: .declared(length: 1 << 40))
            #expect(try await post.reply().status == 413)
            try await post.connection.waitForClose()
            #expect(server.session(sid)?.isOpen == true)
        }
    }

    @Test func answerSurvivesAClientThatGoesOnSending() async throws {
        try await withServer {
            $0.maxPayload = 1000
        } _: { server in
            let sid = try await server.openPolling().sid
            let body = [UInt8](repeating: 0x34, count: 500_000)
            let reply = try await server.http.request("POST", TestServer.path(sid), body: .bytes(body))
            #expect(reply.status == 413)
            #expect(server.session(sid)?.isOpen == true)
        }
    }

    @Test func bodiesOfOtherPathsAreLimitedToo() async throws {
        try await withServer {
            $0.maxPayload = 1000
            $0.fallback = { _ in EngineIOResponse(status: .ok) }
        } _: { server in
            for (count, status) in [(1001, 413), (1000, 200)] {
                let body = HTTPBody.bytes([UInt8](repeating: 0x34, count: count))
                let reply = try await server.http.request("POST", "/other", body: body)
                #expect(reply.status == status)
            }
        }
    }

    @Test func largeHeadsAreRefused() async throws {
        try await withServer { server in
            let line = "GET \(TestServer.path()) HTTP/1.1\r\nHost: a\r\n"
            let kilobyte = String(repeating: "y", count: 1000)
            let heads = [
                line + String(repeating: "X: \(kilobyte)\r\n", count: 80),
                line + "X: " + String(repeating: kilobyte, count: 20),
                line + String(repeating: "X: y\r\n", count: 200),
                "GET /engine.io/?" + String(repeating: kilobyte, count: 20),
            ]
            for head in heads {
                let connection = try await RawConnection.connect(port: server.port)
                connection.enqueue(Array(head.utf8))
                let answer = String(decoding: try await connection.readUntilClose(), as: UTF8.self)
                #expect(answer.hasPrefix("HTTP/1.1 431 "))
            }
            #expect(server.server.sessionCount == 0)
        }
    }
}
