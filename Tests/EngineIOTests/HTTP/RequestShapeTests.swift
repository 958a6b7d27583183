import TestSupport
import Testing

@testable import EngineIO

/// Requests that are written so that two readers may understand them differently.
struct RequestShapeTests {
    static let post = "POST /engine.io/?EIO=4&transport=polling&sid=<sid> HTTP/1.1\r\nHost: a\r\n"

    static let smuggled: [String] = [
        // Two ways to say where the body ends.
        Self.post + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n4a\r\n0\r\n\r\n",
        Self.post + "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n4a\r\n0\r\n\r\n",
        Self.post + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n4ab",
        Self.post + "Content-Length: 2, 3\r\n\r\n4ab",
        Self.post + "Content-Length: +2\r\n\r\n4a",
        Self.post + "Content-Length: 0x2\r\n\r\n4a",
        Self.post + "Content-Length: -1\r\n\r\n4a",
        Self.post + "Content-Length: 18446744073709551617\r\n\r\n4a",
        Self.post + "Transfer-Encoding: chunked, identity\r\n\r\n2\r\n4a\r\n0\r\n\r\n",
        // Chunks that are none.
        Self.post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n4a\r\n0\r\n\r\n",
        Self.post + "Transfer-Encoding: chunked\r\n\r\n-2\r\n4a\r\n0\r\n\r\n",
        Self.post + "Transfer-Encoding: chunked\r\n\r\n2\r\n4abc\r\n0\r\n\r\n",
        Self.post + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n4a\r\n0\r\n\r\n",
        // Lines.
        Self.post + "Content-Length : 2\r\n\r\n4a",
        Self.post + "X: y\nContent-Length: 2\r\n\r\n4a",
        Self.post + "X: a\r\n b\r\nContent-Length: 2\r\n\r\n4a",
        Self.post + "X: a\u{0}b\r\nContent-Length: 2\r\n\r\n4a",
        "POST /engine.io/?EIO=4&transport=polling&sid=<sid> HTTP/1.1\nHost: a\nContent-Length: 2\n\n4a",
        "POST /engine.io/?EIO=4&transport=polling&sid=<sid> HTTP/9.9\r\nHost: a\r\n\r\n",
        "nonsense\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}",
    ]

    @Test(arguments: Self.smuggled) func ambiguousRequestIsNotTaken(request: String) async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let connection = try await RawConnection.connect(port: server.port)
            try await connection.send(request.replacing("<sid>", with: sid))
            let answer = String(decoding: try await connection.readUntilClose(), as: UTF8.self)
            #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4") || answer.hasPrefix("HTTP/1.1 505"), "\(answer)")
            #expect(server.log.value.messages.isEmpty)
            // Another client is not disturbed.
            let other = try await server.client()
            try other.send("x")
            #expect(try await other.nextText() == "x")
            await other.close()
        }
    }

    @Test func invalidOriginIsRefused() async throws {
        try await withServer { server in
            for origin in ["a\u{7F}b", "a\u{1}b"] {
                let reply = try await server.http.request("GET", TestServer.path(), headers: [("Origin", origin)])
                #expect(reply.status == 400)
            }
            #expect(server.server.sessionCount == 0)
        }
    }

    // MARK: Pipelining

    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let http = server.http
            var posts: [PendingReply] = []
            for index in 0..<20 {
                posts.append(try await http.start("POST", TestServer.path(sid), body: .text("4\(index)")))
            }
            let get = try await http.start("GET", TestServer.path(sid))
            for post in posts { #expect(try await post.reply().text == "ok") }
            #expect(try await get.reply().text == (0..<20).map { "4\($0)" }.joined(separator: "\u{1E}"))
        }
    }

    @Test func requestBehindAWaitingGetWaits() async throws {
        try await withServer { server in
            let http = server.http
            let sid = try await server.openPolling(http).sid
            let get = try await http.start("GET", TestServer.path(sid))
            try await eventually("the GET to wait") { server.session(sid)?.hasPoll == true }
            let post = try await http.start("POST", TestServer.path(sid), body: .text("4behind"))
            try server.known(sid).send(text: "first")
            #expect(try await get.reply().text == "4first")
            #expect(try await post.reply().text == "ok")
            #expect(try await server.get(sid).text == "4behind")
        }
    }

    @Test func endlessPipeliningIsCut() async throws {
        try await withServer { server in
            let http = server.http
            let sid = try await server.openPolling(http).sid
            let get = try await http.start("GET", TestServer.path(sid))
            try await eventually("the GET to wait") { server.session(sid)?.hasPoll == true }
            let more = Array(repeating: "GET /other HTTP/1.1\r\nHost: a\r\n\r\n", count: 3000).joined()
            get.connection.enqueue(Array(more.utf8))
            #expect(try await server.end(sid) == "transport error")
            await #expect(throws: ConnectionEnded.self) { try await get.reply() }
        }
    }
}
