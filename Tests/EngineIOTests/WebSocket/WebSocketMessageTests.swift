import NIOCore
import TestSupport
import Testing

@testable import EngineIO

struct WebSocketMessageTests {
    @Test func messagesInBothDirections() async throws {
        try await withServer { server in
            let client = try await server.client(.websocket)
            for text in ["hello", "", "cash money €€€ 王者", "\u{1E}\u{0}"] {
                try client.send(text)
                #expect(try await client.nextText() == text)
            }
            for bytes in [[], [0], (0..<256).map { UInt8(truncatingIfNeeded: $0) }] {
                try client.send(bytes)
                #expect(try await client.nextBinary() == bytes)
            }
            await client.close()
            #expect(try await server.end(client.sid) == "transport close")
        }
    }

    @Test func messageAsLargeAsAllowed() async throws {
        try await withServer {
            $0.maxPayload = 1 << 20
        } _: { server in
            let client = try await server.client(.websocket)
            let text = String(repeating: "é", count: (1 << 19) - 1)
            try client.send(text)
            #expect(try await client.nextText() == text)
            await client.close()
        }
    }

    @Test func base64InATextFrame() async throws {
        try await withServer { server in
            let webSocket = try await server.openWebSocket()
            try await webSocket.send("bAQIDBA==")
            try await webSocket.expectBinary([1, 2, 3, 4])
            try await webSocket.close()
        }
    }

    @Test func closePacketMeansNothing() async throws {
        try await withServer { server in
            let webSocket = try await server.openWebSocket()
            try await webSocket.send("1")
            try await webSocket.send("4x")
            try await webSocket.expectText("4x")
            try await webSocket.close()
            #expect(try await server.onlyEnd() == "transport close")
        }
    }

    @Test func fragmentsAndControlFrames() async throws {
        try await withServer { server in
            let webSocket = try await server.openWebSocket()
            try await webSocket.send(RawFrame(opcode: 1, payload: Array("4a".utf8), isFinal: false))
            try await webSocket.sendPing([7, 8])
            #expect(try await webSocket.next() == .pong([7, 8]))
            try await webSocket.send(RawFrame(opcode: 0, payload: [0xE2, 0x82], isFinal: false))
            try await webSocket.sendPong()
            try await webSocket.send(RawFrame(opcode: 0, payload: [0xAC]))
            try await webSocket.expectText("4a€")
            try await webSocket.close()
        }
    }

    @Test func framesInPieces() async throws {
        try await withServer { server in
            let webSocket = try await server.openWebSocket()
            let bytes = RawFrame(opcode: 1, payload: Array("4piecemeal".utf8)).encoded()
            try await webSocket.connection.send(pieces: bytes.map { [$0] })
            try await webSocket.expectText("4piecemeal")
            try await webSocket.close()
        }
    }

    @Test func manyMessagesInOneRead() async throws {
        try await withServer { server in
            let webSocket = try await server.openWebSocket()
            let frames = (0..<1000).flatMap { RawFrame(opcode: 1, payload: Array("4\($0)".utf8)).encoded() }
            try await webSocket.connection.send(frames)
            for index in 0..<1000 { try await webSocket.expectText("4\(index)") }
            try await webSocket.close()
        }
    }

    @Test func largeMessagesDoNotDelayTheHeartbeat() async throws {
        let text = String(repeating: "a", count: 64 << 10)
        try await withServer {
            $0.pingInterval = .milliseconds(100)
            $0.pingTimeout = .seconds(60)
        } onOpen: { session in
            for _ in 0..<100 { session.send(text: text) }
        } _: { server in
            let client = try await server.client(.websocket)
            for _ in 0..<100 { #expect(try await client.nextText() == text) }
            try await client.waitForCounts("a ping and its pong") { $0.pongs > 0 }
            #expect(client.closed == nil)
            await client.close()
        }
    }

    // MARK: Bytes around the handshake

    @Test func framesRightBehindTheHandshake() async throws {
        try await withServer { server in
            let connection = try await RawConnection.connect(port: server.port)
            let frame = RawFrame(opcode: 1, payload: Array("4early".utf8)).encoded()
            try await connection.send(Array(Self.upgradeRequest("").utf8) + frame)
            try await server.log.wait("the message") { $0.messages.map(\.message) == [.text("early")] ? true : nil }
        }
    }

    @Test func garbageRightBehindTheHandshake() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            for more in ["", "&sid=\(sid)"] {
                let connection = try await RawConnection.connect(port: server.port)
                try await connection.send(Self.upgradeRequest(more) + "\r\n\r\nthis is no frame")
                _ = try await connection.readUntilClose()
            }
            try await eventually("the end of the WebSocket session") { server.server.sessionCount == 1 }
            try await eventually("the end of the upgrade") { server.session(sid)?.isProbing == false }
            #expect(try await server.post(sid, "4on").text == "ok")
        }
    }

    private static func upgradeRequest(_ more: String) -> String {
        "GET /engine.io/?EIO=4&transport=websocket\(more) HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
            + "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    }

    // MARK: Ends

    @Test(arguments: [false, true]) func connectionThatEnds(withReset: Bool) async throws {
        try await withServer { server in
            let webSocket = try await server.openWebSocket()
            if withReset { await webSocket.connection.reset() } else { await webSocket.connection.close() }
            let reason = try await server.onlyEnd()
            #expect(reason == (withReset ? "transport error" : "transport close") || withReset)
            #expect(server.server.sessionCount == 0)
        }
    }

    @Test func closeFrameIsAnswered() async throws {
        try await withServer { server in
            let webSocket = try await server.openWebSocket()
            try await webSocket.sendClose(code: 1000, reason: "bye")
            #expect(try await webSocket.expectClose(answer: false) == 1000)
            try await webSocket.waitForEOF()
            #expect(try await server.onlyEnd() == "transport close")
        }
    }

    /// What a handler sends to others when a session ends leaves at once, though the channel that was read is gone.
    @Test func endOfOneIsToldToAnother() async throws {
        let others = Awaited([EngineIOSession]())
        try await withServer {
            $0.eventLoopCount = 1
        } onOpen: { session in
            others.update { $0.append(session) }
        } onMessage: { session, _ in
            session.close()
            for other in others.value where other !== session { other.send(text: "gone") }
        } _: { server in
            let stays = try await server.openWebSocket()
            let leaves = try await server.openWebSocket()
            try await leaves.send("4bye")
            try await stays.expectText("4gone")
        }
    }

    @Test func messagesAfterCloseAreNotHandled() async throws {
        try await withServer { server in
            let webSocket = try await server.openWebSocket()
            let frames = ["4close me", "4late", "4later"].flatMap {
                RawFrame(opcode: 1, payload: Array($0.utf8)).encoded()
            }
            try await webSocket.connection.send(frames)
            #expect(try await webSocket.expectClose() == nil)
            try await webSocket.waitForEOF()
            #expect(try await server.onlyEnd() == "forced close")
            #expect(server.log.value.messages.map(\.message) == [.text("close me")])
        }
    }
}
