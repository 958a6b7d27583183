import TestSupport
import Testing

@testable import EngineIO

/// What RFC 6455 §4.2.1 demands of a handshake, each demand alone left unmet; and how its answer leaves.
struct UpgradeRequestTests {
    private static let line = "GET /engine.io/?EIO=4&transport=websocket HTTP/1.1"

    private static let fields = [
        "Host: a", "Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]

    private static func request(_ line: String = Self.line, _ fields: [String] = Self.fields) -> String {
        ([line] + fields).joined(separator: "\r\n") + "\r\n\r\n"
    }

    /// The field at `index` changed.
    private static func request(_ index: Int, _ field: String...) -> String {
        var fields = Self.fields
        fields.replaceSubrange(index...index, with: field)
        return Self.request(Self.line, fields)
    }

    static let refused: [String] =
        Self.fields.indices.map { index in
            var fields = Self.fields
            fields.remove(at: index)
            return Self.request(Self.line, fields)
        } + [
            Self.request(1, "Connection: keep-alive"), Self.request(1, "Connection: Upgraded"),
            Self.request(2, "Upgrade: h2c"), Self.request(2, "Upgrade: websocket/13"),
            Self.request(3, "Sec-WebSocket-Version: 8"), Self.request(3, "Sec-WebSocket-Version: 13, 8"),
            Self.request(3, "Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 13"),
            Self.request(4, "Sec-WebSocket-Key:"), Self.request(4, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ"),
            Self.request(4, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ===="),
            Self.request(4, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j_Q=="),
            Self.request(4, Self.fields[4], Self.fields[4]),
            Self.request(4, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ=="),
            Self.request("POST /engine.io/?EIO=4&transport=websocket HTTP/1.1"),
            Self.request("GET /engine.io/?EIO=4&transport=websocket HTTP/1.0"),
        ]

    @Test(arguments: Self.refused) func incompleteHandshakeIsRefused(request: String) async throws {
        try await withServer { server in
            let connection = try await RawConnection.connect(port: server.port)
            try await connection.send(request)
            let status = try await connection.read(exactly: 12)
            #expect(String(decoding: status, as: UTF8.self) == "HTTP/1.1 400", "\(request)")
            #expect(server.log.value.sessions.isEmpty)
        }
    }

    @Test func completeOneIsAccepted() async throws {
        try await withServer { server in
            for request in [Self.request(), Self.request(2, "upgrade: WebSocket, h2c")] {
                let connection = try await RawConnection.connect(port: server.port)
                try await connection.send(request)
                let answer = String(decoding: try await connection.read(atLeast: 130), as: UTF8.self)
                #expect(answer.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
                #expect(answer.contains("\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
            }
        }
    }

    /// The answer leaves whether or not the session has something to send, and on time or later.
    @Test(arguments: [false, true]) func answerLeaves(isDecidedLater: Bool) async throws {
        try await withServer {
            if isDecidedLater {
                $0.allowRequest = { _ in
                    await Task.yield()
                    return .allow
                }
            }
        } _: { server in
            let webSocket = try await server.openWebSocket()
            try await webSocket.send("4hi")
            #expect(try await webSocket.nextText() == "4hi")
            let sid = try await server.openPolling().sid
            let probe = try await server.probe(sid)
            try await probe.send("2probe")
            try await probe.expectText("3probe")
        }
    }

    /// What has come while the application was asked is not lost.
    @Test func framesBehindAHandshakeThatIsDecidedLater() async throws {
        let gate = Awaited(false) { "\($0)" }
        try await withServer {
            $0.allowRequest = { _ in
                _ = try? await gate.wait("the gate") { $0 ? true : nil }
                return .allow
            }
        } _: { server in
            let connection = try await RawConnection.connect(port: server.port)
            let first = RawFrame(opcode: 1, payload: Array("4first".utf8)).encoded()
            let second = RawFrame(opcode: 1, payload: Array("4second".utf8)).encoded()
            try await connection.send(Array(Self.request().utf8) + first + second.prefix(3))
            try await connection.send(Array(second.dropFirst(3)))
            gate.update { $0 = true }
            #expect(try await server.messages(2) == [.text("first"), .text("second")])
        }
    }

    @Test func requestThatComesByteByByte() async throws {
        try await withServer { server in
            let connection = try await RawConnection.connect(port: server.port)
            for byte in Self.request().utf8 { try await connection.send([byte]) }
            let answer = try await connection.read(atLeast: 130)
            #expect(String(decoding: answer, as: UTF8.self).hasPrefix("HTTP/1.1 101 "))
        }
    }

    /// A body of chunks, in pieces, with another request behind it.
    @Test func chunksInPieces() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let connection = try await RawConnection.connect(port: server.port)
            let post =
                "POST \(TestServer.path(sid)) HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\n4ab\r\n2\r\ncd\r\n0\r\nX: y\r\n\r\n"
            let get = "GET \(TestServer.path(sid)) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            for byte in (post + get).utf8 { try await connection.send([byte]) }
            let answers = String(decoding: try await connection.readUntilClose(), as: UTF8.self)
            #expect(answers.contains("\r\n\r\nokHTTP/1.1 200 OK\r\n"))
            #expect(answers.hasSuffix("\r\n\r\n4abcd"))
        }
    }
}
