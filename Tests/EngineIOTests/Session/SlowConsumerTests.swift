import NIOCore
import TestSupport
import Testing

@testable import EngineIO

/// A client that does not read costs a bounded amount of memory and then its session.
struct SlowConsumerTests {
    static let limit = 1 << 20
    static let packet = 100_000

    /// Sends until the session refuses; what waits never exceeds the limit by more than a packet.
    private func flood(_ session: EngineIOSession) -> (results: [String], most: Int) {
        let frames = ByteBuffer(repeating: 0, count: Self.packet)
        var framed = ByteBuffer()
        framed.writeBytes([0x82, 127])
        framed.writeInteger(UInt64(Self.packet))
        framed.writeImmutableBuffer(frames)
        var results: [String] = []
        var most = 0
        for _ in 0..<10_000 {
            let result = "\(session.send(frames: framed))"
            most = max(most, session.bufferedBytes)
            if results.last != result { results.append(result) }
            if result == "closed" { break }
        }
        return (results, most)
    }

    @Test func webSocketThatIsNotRead() async throws {
        try await withServer {
            $0.maxOutboxBytes = Self.limit
        } _: { server in
            let webSocket = try await WSClient.connect(
                port: server.port, path: "/engine.io/?EIO=4&transport=websocket", receiveBuffer: 4096)
            _ = try await webSocket.nextText()
            try await webSocket.connection.pauseReading()
            let session = try #require(server.log.value.sessions.first)
            let (results, most) = self.flood(session)
            #expect(results == ["accepted", "overflow", "closed"])
            #expect(most <= Self.limit + Self.packet + 10)
            #expect(most > Self.limit / 2)
            #expect(try await server.onlyEnd() == "transport error")
            #expect(server.server.sessionCount == 0)
            #expect(session.bufferedBytes == 0)
        }
    }

    @Test func pollingClientThatDoesNotPoll() async throws {
        try await withServer {
            $0.maxOutboxBytes = Self.limit
        } _: { server in
            let sid = try await server.openPolling().sid
            let (results, most) = self.flood(try server.known(sid))
            #expect(results == ["accepted", "overflow", "closed"])
            #expect(most <= Self.limit + Self.packet + 10)
            #expect(try await server.end(sid) == "transport error")
            #expect(try await server.get(sid).status == 400)
        }
    }

    @Test func othersAreServedMeanwhile() async throws {
        try await withServer {
            $0.eventLoopCount = 1
        } _: { server in
            let slow = try await WSClient.connect(
                port: server.port, path: "/engine.io/?EIO=4&transport=websocket", receiveBuffer: 4096)
            _ = try await slow.nextText()
            try await slow.connection.pauseReading()
            let session = try #require(server.log.value.sessions.first)
            for _ in 0..<100 { session.send(binary: ByteBuffer(repeating: 0, count: Self.packet)) }
            let other = try await server.client(.websocket)
            for index in 0..<100 {
                try other.send("\(index)")
                #expect(try await other.nextText() == "\(index)")
            }
            await other.close()
            try await slow.connection.resumeReading()
            for _ in 0..<100 { try await slow.expectBinary([UInt8](repeating: 0, count: Self.packet)) }
        }
    }

    @Test func volatilePacketsAreDropped() async throws {
        try await withServer { server in
            let webSocket = try await WSClient.connect(
                port: server.port, path: "/engine.io/?EIO=4&transport=websocket", receiveBuffer: 4096)
            _ = try await webSocket.nextText()
            let session = try #require(server.log.value.sessions.first)
            let small = ByteBuffer(bytes: [0x81, 0x02, 0x34, 0x61])
            try await eventually("an idle connection") { session.bufferedBytes == 0 }
            #expect("\(session.send(frames: small, isVolatile: true))" == "accepted")
            try await webSocket.expectText("4a")
            try await webSocket.connection.pauseReading()
            for _ in 0..<100 { session.send(binary: ByteBuffer(repeating: 0, count: Self.packet)) }
            #expect("\(session.send(frames: small, isVolatile: true))" == "dropped")
            let sid = try await server.openPolling().sid
            #expect("\(try server.known(sid).send(frames: small, isVolatile: true))" == "dropped")
            let get = try await server.waitingGet(sid)
            #expect("\(try server.known(sid).send(frames: small, isVolatile: true))" == "accepted")
            #expect(try await get.reply().text == "4a")
        }
    }

    @Test func handlersThatFallBehindAreBounded() async throws {
        try await withServer {
            $0.maxInboundQueueBytes = 1000
        } _: { server in
            let webSocket = try await server.openWebSocket()
            let session = try #require(server.log.value.sessions.first)
            // Somebody has the turn and keeps it.
            #expect(session.enterGate())
            // At once: it is closed before all of it has come.
            let text = Array(("4" + String(repeating: "x", count: 100)).utf8)
            webSocket.connection.enqueue((0..<20).flatMap { _ in RawFrame(opcode: 1, payload: text).encoded() })
            try await webSocket.expectClose()
            #expect(session.gate.withLock { $0.queuedBytes } <= 1000)
            session.leaveGate(on: session.loop)
            #expect(try await server.onlyEnd() == "transport error")
        }
    }
}
