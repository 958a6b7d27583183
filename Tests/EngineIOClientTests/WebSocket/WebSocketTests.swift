import EngineIOCore
import NIOCore
import TestSupport
import Testing

@testable import EngineIOClient

/// A WebSocket from the beginning, against a server that a test plays.
struct WebSocketTests {
    private static func client(
        _ server: ScriptedServer, _ configure: (inout EngineClientConfiguration) -> Void = { _ in }
    ) throws -> TestClient {
        try TestClient(url: server.url) {
            $0.transports = [.websocket]
            configure(&$0)
        }
    }

    private static func opened(
        _ server: ScriptedServer, _ configure: (inout EngineClientConfiguration) -> Void = { _ in }
    ) async throws -> (TestClient, ScriptedConnection) {
        let client = try self.client(server, configure)
        client.open()
        let connection = try await server.accept()
        // The handshake comes right behind the answer, in the same read.
        try await connection.acceptWebSocket(ScriptedConnection.frame("0" + handshake(upgrades: "")))
        try await client.opened()
        return (client, connection)
    }

    @Test func messages() async throws {
        try await withScript { server in
            let (client, connection) = try await Self.opened(server)
            try await client.run { connection in
                connection.send(text: ByteBuffer(string: "grüße"))
                connection.send(binary: ByteBuffer(bytes: [1, 2]))
                connection.send(text: ByteBuffer())
                connection.flush()
            }
            #expect(
                try await connection.frame() == ScriptedFrame(opcode: 1, payload: Array("4grüße".utf8), isMasked: true))
            #expect(try await connection.frame() == ScriptedFrame(opcode: 2, payload: [1, 2], isMasked: true))
            #expect(try await connection.frame() == ScriptedFrame(opcode: 1, payload: [0x34], isMasked: true))
            try await connection.send(
                ScriptedConnection.frame("4a") + ScriptedConnection.frame(2, []) + ScriptedConnection.frame("bAQI=")
                    + ScriptedConnection.frame("2") + ScriptedConnection.frame("6"))
            #expect(try await client.messages(3) == [.text("a"), .binary([]), .binary([1, 2])])
            #expect(try await connection.frame().text == "3")
            try await client.cut()
            try await connection.closed()
        }
    }

    /// From the answer to the handshake on, the bytes may come in any pieces.
    @Test func splitAtEveryByte() async throws {
        let frames =
            ScriptedConnection.frame("0" + handshake()) + ScriptedConnection.frame("4grüße")
            + ScriptedConnection.frame(1, Array("4fr".utf8), isFinal: false) + ScriptedConnection.frame(9, [7])
            + ScriptedConnection.frame(0, Array("agment".utf8)) + ScriptedConnection.frame(2, Array(0...200))
        let expected: [ClientEvent] = [.text("grüße"), .text("fragment"), .binary(Array(0...200))]
        let count =
            ScriptedConnection.switching(
                ScriptedRequest(method: "", target: "", headers: [], body: "")
            ).count + frames.count
        try await withThrowingTaskGroup(of: Void.self) { group in
            for start in 0..<4 {
                group.addTask {
                    try await withScript { server in
                        for cut in stride(from: start + 1, to: count, by: 4) {
                            let client = try Self.client(server)
                            client.open()
                            let connection = try await server.accept()
                            let bytes = ScriptedConnection.switching(try await connection.request()) + frames
                            try await connection.send(Array(bytes[..<cut]))
                            if cut % 2 == 0 { await Task.yield() }
                            try await connection.send(Array(bytes[cut...]))
                            #expect(try await client.messages(3) == expected)
                            // The ping in the middle was answered.
                            #expect(
                                try await connection.frame() == ScriptedFrame(opcode: 10, payload: [7], isMasked: true))
                            try await client.cut()
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func byteByByte() async throws {
        try await withScript { server in
            let client = try Self.client(server)
            client.open()
            let connection = try await server.accept()
            let bytes =
                ScriptedConnection.switching(try await connection.request())
                + ScriptedConnection.frame("0" + handshake()) + ScriptedConnection.frame("4grüße")
            for byte in bytes { try await connection.send([byte]) }
            #expect(try await client.messages(1) == [.text("grüße")])
            try await client.cut()
        }
    }

    @Test(arguments: [
        ("400 Bad Request", "Transport unknown", EngineClientError.Code.transportUnknown),
        ("401 Unauthorized", "", .unauthorized),
        ("403 Forbidden", "not you", .forbidden), ("404 Not Found", "", .notFound), ("302 Found", "", .redirected),
        ("503 Service Unavailable", "", .serverUnavailable), ("200 OK", "<html>", .notSocketIO),
        ("200 OK", "96:0{\"sid\":\"x\"}", .unsupportedProtocol), ("200 OK", "0{\"sid\":\"x\"}", .webSocketHandshake),
    ])
    func refused(status: String, body: String, code: EngineClientError.Code) async throws {
        try await withScript { server in
            let client = try Self.client(server)
            client.open()
            let connection = try await server.accept()
            let request = try await connection.request()
            #expect(request["sec-websocket-version"] == "13")
            #expect(request.query.transport == "websocket")
            try await connection.answer(status, body)
            let end = try await client.end()
            #expect(end.reason == "transport error")
            #expect(end.error?.code == code)
            let isQuoted = !body.isEmpty && code != .unsupportedProtocol
            #expect(end.error?.serverMessage == (isQuoted ? body : nil))
            try await connection.closed()
        }
    }

    @Test(arguments: ["accept", "upgrade", "extension", "protocol"]) func wrongHandshake(what: String) async throws {
        try await withScript { server in
            let client = try Self.client(server)
            client.open()
            let connection = try await server.accept()
            let request = try await connection.request()
            let more =
                what == "extension"
                ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "Sec-WebSocket-Protocol: x\r\n"
            switch what {
            case "accept": try await connection.send(ScriptedConnection.switching(request, accept: "AAAA"))
            case "upgrade":
                try await connection.send(
                    Array("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n".utf8))
            default: try await connection.send(ScriptedConnection.switching(request, more: more))
            }
            #expect(try await client.end().error?.code == .webSocketHandshake)
            try await connection.closed()
        }
    }

    @Test(
        arguments: [
            ([0x81, 0x81, 0, 0, 0, 0, 0x34], 1002, EngineClientError.Code.webSocketProtocol),
            ([0xC1, 0x01, 0x34], 1002, .webSocketProtocol),
            ([0x83, 0x00], 1002, .webSocketProtocol), ([0x80, 0x00], 1002, .webSocketProtocol),
            ([0x81, 0x02, 0x34, 0xFF], 1007, .webSocketProtocol),
            ([0x82, 0x7F, 0, 0, 0, 0, 1, 0, 0, 0], 1009, .messageTooLarge),
            ([0x89, 0x7E, 0, 0x7E], 1002, .webSocketProtocol),
        ] as [([UInt8], Int, EngineClientError.Code)])
    func violations(bytes: [UInt8], closeCode: Int, code: EngineClientError.Code) async throws {
        try await withScript { server in
            let (client, connection) = try await Self.opened(server) { $0.maxMessageBytes = 1000 }
            try await connection.send(ScriptedConnection.frame("4before") + bytes)
            let end = try await client.end()
            #expect(end.reason == "transport error")
            #expect(end.error?.code == code)
            // What came before counts.
            #expect(client.log.value.messages == [.text("before")])
            let frame = try await connection.frame()
            #expect(frame.opcode == 8)
            #expect(frame.payload == [UInt8(closeCode >> 8), UInt8(closeCode & 0xFF)])
            try await connection.closed()
        }
    }

    @Test(arguments: ["", "7", "x4"]) func noPacket(text: String) async throws {
        try await withScript { server in
            let (client, connection) = try await Self.opened(server)
            try await connection.send(
                ScriptedConnection.frame("4before") + ScriptedConnection.frame(text) + ScriptedConnection.frame("4x"))
            let end = try await client.end()
            #expect(end.reason == "parse error")
            #expect(end.error?.code == .invalidPacket)
            #expect(client.log.value.messages == [.text("before")])
            try await connection.closed()
        }
    }

    @Test(
        arguments: [
            ([], nil), ([0x03, 0xE8], nil), ([0x03, 0xE9], .closedByServer), ([0x03, 0xF1], .payloadTooLarge),
            ([0x0F, 0xA0] + Array("why".utf8), .closedByServer),
        ] as [([UInt8], EngineClientError.Code?)])
    func closeFrames(payload: [UInt8], code: EngineClientError.Code?) async throws {
        try await withScript { server in
            let (client, connection) = try await Self.opened(server)
            try await connection.send(ScriptedConnection.frame("4last") + ScriptedConnection.frame(8, payload))
            let end = try await client.end()
            #expect(end.reason == (code == .payloadTooLarge ? "transport error" : "transport close"))
            #expect(end.error?.code == code)
            #expect(end.error?.serverMessage == (payload.count > 2 ? "why" : nil))
            #expect(client.log.value.messages == [.text("last")])
            // It is answered with the same code.
            #expect(
                try await connection.frame()
                    == ScriptedFrame(opcode: 8, payload: Array(payload.prefix(2)), isMasked: true))
            try await connection.closed()
        }
    }

    @Test func orderlyClose() async throws {
        try await withScript { server in
            let (client, connection) = try await Self.opened(server)
            try await client.run { connection in
                connection.send(text: ByteBuffer(string: "last"))
                connection.close()
            }
            #expect(try await connection.frame().text == "4last")
            #expect(try await connection.frame() == ScriptedFrame(opcode: 8, payload: [], isMasked: true))
            // Nothing is received any more, and the end is told when the server has answered.
            try await connection.sendFrame("4late")
            #expect(client.log.value.end == nil)
            try await connection.send(ScriptedConnection.frame(8, []))
            #expect(try await client.end().reason == "forced close")
            #expect(client.log.value.messages.isEmpty)
            try await connection.closed()
        }
    }

    @Test func orderlyCloseHasADeadline() async throws {
        try await withScript { server in
            let (client, connection) = try await Self.opened(server) { $0.closeTimeout = .milliseconds(50) }
            let end = try await client.close()
            #expect(end.reason == "forced close")
            try await connection.closed()
        }
    }

    @Test(arguments: [0, 1, 5]) func lostInTheMiddle(of bytes: Int) async throws {
        try await withScript { server in
            let (client, connection) = try await Self.opened(server)
            try await connection.send(
                ScriptedConnection.frame("4whole") + ScriptedConnection.frame("4half of it").prefix(bytes))
            connection.close()
            let end = try await client.end()
            #expect(end.reason == "transport close")
            #expect(end.error?.code == .connectionLost)
            #expect(client.log.value.messages == [.text("whole")])
        }
    }

    @Test(arguments: ["4early", "0{}", "<html>", "1"]) func noHandshake(text: String) async throws {
        try await withScript { server in
            let client = try Self.client(server)
            client.open()
            let connection = try await server.accept()
            try await connection.acceptWebSocket(ScriptedConnection.frame(text))
            let end = try await client.end()
            #expect(end.error?.code == .notSocketIO)
            try await connection.closed()
        }
    }

    /// A server that reads nothing: what waits is bounded, and the end says so.
    @Test func outboundLimit() async throws {
        try await withScript { server in
            let (client, connection) = try await Self.opened(server) { $0.maxOutboundBytes = 100_000 }
            try await connection.channel.setOption(.autoRead, value: false).get()
            let sent = try await client.run { connection in
                // A single one may be larger.
                connection.send(binary: ByteBuffer(repeating: 1, count: 8 << 20))
                connection.flush()
                let before = connection.bufferedBytes
                connection.send(text: ByteBuffer(string: "x"))
                return before
            }
            #expect(sent > 100_000)
            let end = try await client.end()
            #expect(end.reason == "transport error")
            #expect(end.error?.code == .outboundLimit)
            connection.close()
        }
    }
}
