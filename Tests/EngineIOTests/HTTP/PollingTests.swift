import TestSupport
import Testing

@testable import EngineIO

struct PollingTests {
    @Test func messagesInBothDirections() async throws {
        try await withServer { server in
            let client = try await server.client()
            try client.send("hello")
            #expect(try await client.nextText() == "hello")
            try client.send("cash money €€€ 王者")
            #expect(try await client.nextText() == "cash money €€€ 王者")
            try client.send("")
            #expect(try await client.nextText() == "")
            let bytes = (0..<5).map { UInt8($0) }
            try client.send(bytes)
            #expect(try await client.nextBinary() == bytes)
            await client.close()
            #expect(try await server.end(client.sid) == "transport close")
        }
    }

    @Test func payloadsKeepTheirOrder() async throws {
        try await withServer { server in
            let client = try await server.client()
            let messages = (0..<200).map { $0 % 3 == 0 ? EIOMessage.binary([UInt8($0)]) : .text("\($0)") }
            try client.send(messages)
            for message in messages { #expect(try await client.nextMessage() == message) }
            await client.close()
        }
    }

    @Test func aMegabyteInPieces() async throws {
        try await withServer {
            $0.maxPayload = 2_000_000
        } _: { server in
            let sid = try await server.openPolling().sid
            let text = String(repeating: "aé€𝄞", count: 100_000)
            let body = Array(("4" + text).utf8)
            let pieces = stride(from: 0, to: body.count, by: 99_991).map {
                Array(body[$0..<min($0 + 99_991, body.count)])
            }
            let reply = try await server.http.request("POST", TestServer.path(sid), body: .pieces(pieces))
            #expect(reply.text == "ok")
            #expect(try await server.get(sid).text == "4" + text)
        }
    }

    @Test func chunkedPost() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let body = HTTPBody.chunked([Array("4".utf8), [0xE2], [0x82, 0xAC], Array("\u{1E}4b".utf8)])
            let reply = try await server.http.request("POST", TestServer.path(sid), body: body)
            #expect(reply.text == "ok")
            #expect(try await server.messages(2) == [.text("€"), .text("b")])
        }
    }

    @Test func clientThatAsksBeforeItSendsIsInvited() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let connection = try await RawConnection.connect(port: server.port)
            let head =
                "POST \(TestServer.path(sid)) HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
            try await connection.send(head)
            let goOn = "HTTP/1.1 100 Continue\r\n\r\n"
            #expect(try await connection.read(exactly: goOn.utf8.count) == Array(goOn.utf8))
            try await connection.send("4a")
            #expect(
                String(decoding: try await connection.read(atLeast: 15), as: UTF8.self).hasPrefix("HTTP/1.1 200 OK"))
        }
    }

    @Test func requestsWithConnectionClose() async throws {
        try await withServer { server in
            var options = server.options()
            options.headers = [("Connection", "close")]
            let client = try await EIOClient.open(options)
            try client.send("hi")
            #expect(try await client.nextText() == "hi")
            await client.close()
            #expect(try await server.end(client.sid) == "transport close")
        }
    }

    @Test func largeAnswerWithConnectionCloseIsWhole() async throws {
        try await withServer {
            // No ping among the packets, however long it takes to make them.
            $0.pingInterval = .seconds(600)
        } _: { server in
            let sid = try await server.openPolling().sid
            let text = String(repeating: "x", count: 8 << 20)
            try server.known(sid).send(text: text)
            let http = HTTPClient1(port: server.port, receiveBuffer: 4096)
            let reply = try await http.request("GET", TestServer.path(sid), headers: [("Connection", "close")])
            #expect(reply.body.count == text.utf8.count + 1)
            #expect(reply.headers["connection"] == "close")
        }
    }

    @Test func answersAreBounded() async throws {
        try await withServer {
            // No ping among the packets, however long it takes to make them.
            $0.pingInterval = .seconds(600)
        } _: { server in
            let sid = try await server.openPolling().sid
            let text = String(repeating: "x", count: 300_000)
            for _ in 0..<10 { try server.known(sid).send(text: text) }
            var packets = 0
            var answers = 0
            while packets < 10 {
                let reply = try await server.get(sid)
                #expect(reply.body.count < (1 << 20) + 300_100)
                packets += reply.text.split(separator: "\u{1E}").count
                answers += 1
            }
            #expect(packets == 10)
            #expect(answers > 2)
        }
    }

    @Test func packetsThatMeanNothingHere() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            #expect(try await server.post(sid, "0\u{1E}5\u{1E}6\u{1E}3\u{1E}3probe\u{1E}4ok").text == "ok")
            #expect(try await server.messages(1) == [.text("ok")])
            #expect(server.session(sid)?.isOpen == true)
        }
    }

    @Test(arguments: ["", "abc", "4a\u{1E}", "4a\u{1E}abc\u{1E}4b", "7", "4a\u{1E}\u{1E}4b"])
    func invalidPayloadEndsTheSession(body: String) async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            #expect(try await server.post(sid, body).text == "ok")
            #expect(try await server.end(sid) == "parse error")
            // What came before it counts.
            #expect(server.log.value.messages.map(\.message) == (body.hasPrefix("4a") ? [.text("a")] : []))
            #expect(server.server.sessionCount == 0)
        }
    }

    @Test func bodyThatIsNotUTF8EndsTheSession() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let reply = try await server.http.request(
                "POST", TestServer.path(sid), body: .bytes([0x34, 0x61, 0x1E, 0x34, 0xFF]))
            #expect(reply.text == "ok")
            #expect(try await server.end(sid) == "parse error")
            #expect(server.log.value.messages.map(\.message) == [.text("a")])
        }
    }

    @Test func tooManyPacketsEndTheSession() async throws {
        try await withServer {
            $0.maxPacketsPerPayload = 3
        } _: { server in
            let sid = try await server.openPolling().sid
            #expect(try await server.post(sid, "4a\u{1E}4b\u{1E}4c").text == "ok")
            #expect(server.session(sid)?.isOpen == true)
            #expect(try await server.post(sid, "4d\u{1E}4e\u{1E}4f\u{1E}4g").text == "ok")
            #expect(try await server.end(sid) == "parse error")
        }
    }

    @Test func octetStreamEndsTheSession() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let get = try await server.waitingGet(sid)
            let reply = try await server.post(sid, "4a", headers: [("Content-Type", "application/octet-stream")])
            #expect(reply.status == 400)
            #expect(reply.body.isEmpty)
            #expect(try await server.end(sid) == "transport error")
            #expect(try await get.reply().text == "1")
            #expect(server.log.value.messages.isEmpty)
        }
    }

    @Test func pingOfAClientEndsTheSession() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            #expect(try await server.post(sid, "2\u{1E}4late").text == "ok")
            #expect(try await server.end(sid) == "transport error")
            #expect(server.log.value.messages.isEmpty)
        }
    }
}
