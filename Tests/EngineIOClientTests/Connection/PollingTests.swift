import EngineIOCore
import NIOCore
import TestSupport
import Testing

@testable import EngineIOClient

/// Long-polling against a server that a test plays.
struct PollingTests {
    private static func client(
        _ server: ScriptedServer, _ configure: (inout EngineClientConfiguration) -> Void = { _ in },
        onEvent: @escaping @Sendable (ClientEvent) -> Void = { _ in }
    ) throws -> TestClient {
        try TestClient(
            url: server.url,
            {
                $0.transports = [.polling]
                configure(&$0)
            }, onEvent: onEvent)
    }

    @Test func requests() async throws {
        try await withScript { server in
            let client = try Self.client(server) {
                $0.query = [("token", "x y")]
                $0.extraHeaders = [("X-App", "1")]
            }
            client.open()
            let get = try await server.accept()
            let first = try await get.request()
            #expect(first.method == "GET")
            #expect(first.target.hasPrefix("/engine.io/?token=x%20y&EIO=4&transport=polling&t="))
            #expect(first["host"] == "127.0.0.1:\(server.port)")
            #expect(first["accept"] == "*/*")
            #expect(first["x-app"] == "1")
            #expect(first["accept-encoding"] == nil)
            #expect(first.query.sid == nil)
            let cookie = ("Set-Cookie", "lb=node1; Path=/; HttpOnly")
            try await get.answer("200 OK", "0" + handshake(), headers: [cookie])
            // The next GET uses the same connection, the POST has its own.
            let second = try await get.request()
            #expect(second.query.sid == "abc")
            #expect(second["cookie"] == "lb=node1")
            #expect(second.query["t"] != first.query["t"])
            try await client.send("a", "ü")
            try await client.send([1, 2, 3])
            let post = try await server.accept()
            let body = try await post.request()
            #expect(body.method == "POST")
            #expect(body.body == "4a\u{1E}4ü")
            #expect(body["content-type"] == "text/plain;charset=UTF-8")
            #expect(body["cookie"] == "lb=node1")
            #expect(body.query.sid == "abc")
            // One POST at a time.
            try await client.send("b")
            try await post.answer("200 OK", "ok")
            #expect(try await post.request().body == "bAQID\u{1E}4b")
            try await post.answer("200 OK", "ok")
            try await client.send("c")
            #expect(try await post.request().body == "4c")
            #expect(server.waiting == 0)
            try await client.cut()
        }
    }

    @Test func pongAndPackets() async throws {
        try await withScript { server in
            let client = try Self.client(server)
            client.open()
            let get = try await server.accept()
            try await get.openPolling()
            _ = try await get.request()
            // What is unknown at this side, or has no meaning for it, is passed over.
            try await get.answer("200 OK", "2\u{1E}6\u{1E}4a\u{1E}3\u{1E}5\u{1E}bAQI\u{1E}0{}\u{1E}4")
            #expect(try await client.messages(3) == [.text("a"), .binary([1, 2]), .text("")])
            #expect(client.log.value.count(of: .pinged) == 1)
            #expect(try await server.accept().request().body == "3")
            try await client.cut()
        }
    }

    @Test func maxPayload() async throws {
        try await withScript { server in
            let client = try Self.client(server)
            client.open()
            let get = try await server.accept()
            try await get.openPolling(handshake(upgrades: "", maxPayload: 10))
            try await client.opened()
            try await client.send("1", "22", "333", String(repeating: "4", count: 30), "5")
            let post = try await server.accept()
            for expected in [
                "41\u{1E}422\u{1E}4333".prefix(6).description, "4333", "4" + String(repeating: "4", count: 30), "45",
            ] {
                #expect(try await post.request().body == expected)
                try await post.answer("200 OK", "ok")
            }
            try await client.cut()
        }
    }

    @Test func packetsPerPost() async throws {
        try await withScript { server in
            let client = try Self.client(server)
            client.open()
            let get = try await server.accept()
            try await get.openPolling()
            try await client.opened()
            try await client.run { connection in
                for number in 0..<40 { connection.send(text: ByteBuffer(string: "\(number)")) }
                connection.flush()
            }
            let post = try await server.accept()
            for numbers in [0..<16, 16..<32, 32..<40] {
                #expect(try await post.request().body == numbers.map { "4\($0)" }.joined(separator: "\u{1E}"))
                try await post.answer("200 OK", "ok")
            }
            try await client.cut()
        }
    }

    static let answer =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Length: 13\r\n\r\n4grüße\u{1E}bAQI"
    static let chunked =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n4grü\r\n8;x=y\r\nße\u{1E}bAQI\r\n0\r\nA: b\r\n\r\n"

    /// The bytes of an answer may come in any pieces.
    @Test(arguments: [answer, chunked]) func splitAtEveryByte(answer: String) async throws {
        try await withScript { server in
            let client = try Self.client(server)
            client.open()
            let get = try await server.accept()
            try await get.openPolling()
            let bytes = Array(answer.utf8)
            for cut in 1..<bytes.count {
                _ = try await get.request()
                try await get.send(Array(bytes[..<cut]))
                // A round trip on the other connection: the first piece was read before.
                try await client.send("sync")
                if cut == 1 { _ = try await Self.posts(server, client) }
                try await get.send(Array(bytes[cut...]))
                let messages = try await client.messages(cut * 2)
                #expect(messages.suffix(2) == [.text("grüße"), .binary([1, 2])])
            }
            _ = try await get.request()
            for byte in bytes { try await get.send([byte]) }
            #expect(try await client.messages(bytes.count * 2).suffix(2) == [.text("grüße"), .binary([1, 2])])
            try await client.cut()
        }
    }

    /// Answers all POSTs from here on.
    private static func posts(_ server: ScriptedServer, _ client: TestClient) async throws -> Task<Void, Never> {
        let post = try await server.accept()
        return Task {
            while (try? await post.request()) != nil { try? await post.answer("200 OK", "ok") }
        }
    }

    @Test func answerThatEndsWithTheConnection() async throws {
        try await withScript { server in
            let client = try Self.client(server)
            client.open()
            let first = try await server.accept()
            _ = try await first.request()
            try await first.send(Array("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n0\(handshake())".utf8))
            first.close()
            let second = try await server.accept()
            #expect(try await second.request().query.sid == "abc")
            try await second.answer("200 OK", "4a", headers: [("Connection", "close")])
            let third = try await server.accept()
            _ = try await third.request()
            #expect(try await client.messages(1) == [.text("a")])
            try await client.cut()
            try await third.closed()
        }
    }

    @Test func informationalAnswersArePassedOver() async throws {
        try await withScript { server in
            let client = try Self.client(server)
            client.open()
            let get = try await server.accept()
            _ = try await get.request()
            try await get.send(
                Array("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n".utf8)
                    + ScriptedConnection.answer("200 OK", "0" + handshake()))
            try await client.opened()
            try await client.cut()
        }
    }

    /// A connection that lay idle longer than the server keeps it is not used for a POST.
    @Test func idleConnectionsAreNotUsed() async throws {
        try await withScript { server in
            let client = try Self.client(server)
            client.open()
            let get = try await server.accept()
            try await get.openPolling()
            try await client.opened()
            try await client.send("a")
            let first = try await server.accept()
            _ = try await first.request()
            try await first.answer("200 OK", "ok", headers: [("Keep-Alive", "timeout=1")])
            try await eventually("the answer") { try await client.run { $0.bufferedBytes } == 0 }
            try await client.send("b")
            let second = try await server.accept()
            #expect(try await second.request().body == "4b")
            try await second.answer("200 OK", "ok", headers: [("Keep-Alive", "max=100, timeout=60")])
            try await eventually("the answer") { try await client.run { $0.bufferedBytes } == 0 }
            try await client.send("c")
            #expect(try await second.request().body == "4c")
            try await client.cut()
        }
    }

    /// The server closes the idle connection of POSTs.
    @Test func closedIdleConnection() async throws {
        try await withScript { server in
            let client = try Self.client(server)
            client.open()
            let get = try await server.accept()
            try await get.openPolling()
            try await client.opened()
            try await client.send("a")
            let first = try await server.accept()
            _ = try await first.request()
            try await first.answer("200 OK", "ok")
            first.close()
            // Gone at the client too: what is sent before it knows is lost with the connection.
            try await eventually("the client to notice") { try await client.run { $0.postLink?.isWritten == false } }
            try await client.send("b")
            let second = try await server.accept()
            #expect(try await second.request().body == "4b")
            try await client.cut()
        }
    }

    @Test func closePacket() async throws {
        try await withScript { server in
            let client = try Self.client(server)
            client.open()
            let get = try await server.accept()
            try await get.openPolling()
            _ = try await get.request()
            try await get.answer("200 OK", "4a\u{1E}1\u{1E}4b")
            let end = try await client.end()
            #expect(end.reason == "transport close")
            #expect(end.error == nil)
            #expect(client.log.value.messages == [.text("a")])
            try await get.closed()
        }
    }

    /// The handler ends the connection in the middle of a payload.
    @Test func cutInsideAPayload() async throws {
        try await withScript { server in
            let box = Awaited<TestClient?>(nil)
            let client = try Self.client(
                server,
                onEvent: { event in
                    if event == .text("stop") { box.value?.connection.cut() }
                })
            box.update { $0 = client }
            client.open()
            let get = try await server.accept()
            try await get.openPolling()
            _ = try await get.request()
            try await get.answer("200 OK", "4a\u{1E}4stop\u{1E}4b")
            #expect(try await client.end().reason == "forced close")
            #expect(client.log.value.messages == [.text("a"), .text("stop")])
            #expect(client.violations.isEmpty)
            box.update { $0 = nil }
        }
    }

    @Test func orderlyCloseWaitsForItsPost() async throws {
        try await withScript { server in
            let client = try Self.client(server)
            client.open()
            let get = try await server.accept()
            try await get.openPolling()
            try await client.opened()
            try await client.send("a")
            try await client.run { $0.close() }
            let post = try await server.accept()
            #expect(try await post.request().body == "4a")
            try await post.answer("200 OK", "ok")
            #expect(try await post.request().body == "1")
            #expect(client.log.value.end == nil)
            try await post.answer("200 OK", "ok")
            #expect(try await client.end().reason == "forced close")
        }
    }

    @Test func orderlyCloseHasADeadline() async throws {
        try await withScript { server in
            let client = try Self.client(server) { $0.closeTimeout = .milliseconds(50) }
            client.open()
            let get = try await server.accept()
            try await get.openPolling()
            try await client.opened()
            // The connection of POSTs is there when the time begins.
            try await client.send("a")
            let post = try await server.accept()
            #expect(try await post.request().body == "4a")
            try await post.answer("200 OK", "ok")
            try await eventually("the answer") { try await client.run { $0.bufferedBytes } == 0 }
            try await client.run { $0.close() }
            #expect(try await post.request().body == "1")
            let end = try await client.end()
            #expect(end.reason == "forced close")
            try await post.closed()
        }
    }
}
