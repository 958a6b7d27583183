import NIOCore
import TestSupport
import Testing

@testable import EngineIO

/// What a server does when its clients do not take what it sends: it waits, it sends less, or it gives them up.
struct BackpressureTests {
    /// Frames of a text message with a key.
    private func send(_ text: String, key: String? = nil, by session: EngineIOSession) -> String {
        var frames = ByteBuffer()
        frames.writeBytes([0x81, UInt8(text.utf8.count + 1), 0x34])
        frames.writeString(text)
        return "\(session.send(frames: frames, key: key))"
    }

    // MARK: ready

    @Test func readyWaitsForAPollingClient() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let session = try server.known(sid)
            try await session.ready(below: 0)
            session.send(text: "abc")
            try await session.ready()
            let isReady = Awaited(false)
            async let ready: Void = {
                try await session.ready(below: 3)
                isReady.update { $0 = true }
            }()
            try await eventually("somebody waits") { session.isAwaited }
            #expect(!isReady.value)
            #expect(try await server.get(sid).text == "4abc")
            try await ready
            #expect(isReady.value)
            #expect(!session.isAwaited)
        }
    }

    /// A producer that waits never has more than a part too many in the outbox, however slow the client is.
    @Test func readyBoundsWhatWaitsForAWebSocket() async throws {
        try await withServer { server in
            let webSocket = try await WSClient.connect(
                port: server.port, path: "/engine.io/?EIO=4&transport=websocket", receiveBuffer: 4096)
            _ = try await webSocket.nextText()
            let session = try #require(server.log.value.sessions.first)
            try await webSocket.connection.pauseReading()
            let part = 200_000
            let parts = 200
            async let sent: Int = {
                var most = 0
                for number in 0..<parts {
                    try await session.ready(below: 100_000)
                    session.send(binary: ByteBuffer(repeating: UInt8(number), count: part))
                    most = max(most, session.bufferedBytes)
                }
                return most
            }()
            try await eventually("the producer waits") { session.isAwaited }
            try await webSocket.connection.resumeReading()
            for number in 0..<parts {
                try await webSocket.expectBinary([UInt8](repeating: UInt8(number), count: part))
            }
            // NIO is given a batch at a time.
            #expect(try await sent <= 100_000 + 2 * part)
        }
    }

    @Test func whoWaitsIsToldOfTheEndAndOfCancellation() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let session = try server.known(sid)
            session.send(text: "abc")
            let cancelled = Task { try await session.ready(below: 0) }
            let waiting = Task { try await session.ready(below: 0) }
            try await eventually("two wait") { session.state.withLock { $0.waiters.count } == 2 }
            cancelled.cancel()
            await #expect(throws: CancellationError.self) { try await cancelled.value }
            #expect(try await server.post(sid, "1").text == "ok")
            await #expect(throws: EngineIOSessionClosedError.self) { try await waiting.value }
            await #expect(throws: EngineIOSessionClosedError.self) { try await session.ready() }
            #expect(session.state.withLock { $0.waiters.isEmpty })
        }
    }

    // MARK: Conflation

    @Test func anEventTakesThePlaceOfTheLastWithItsKey() async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let session = try server.known(sid)
            for (text, key) in [
                ("a1", "a"), ("x", nil), ("b1", "b"), ("a2", "a"), ("y", nil), ("b2", "b"), ("a3", "a"),
            ] as [(String, String?)] {
                #expect(self.send(text, key: key, by: session) == "accepted")
            }
            #expect(try await server.get(sid).text == ["4x", "4y", "4b2", "4a3"].joined(separator: "\u{1E}"))
            #expect(session.bufferedBytes == 0)
            #expect(self.send("a4", key: "a", by: session) == "accepted")
            #expect(try await server.get(sid).text == "4a4")
        }
    }

    @Test func theLatestStateOfManyKeysCostsNoMoreThanTheKeys() async throws {
        try await withServer {
            $0.maxOutboxBytes = 100 * (256 + 20)
        } _: { server in
            let sid = try await server.openPolling().sid
            let session = try server.known(sid)
            for round in 0..<200 {
                for key in 0..<50 { #expect(self.send("\(key)=\(round)", key: "\(key)", by: session) == "accepted") }
            }
            let expected = (0..<50).map { "4\($0)=199" }.joined(separator: "\u{1E}")
            #expect(try await server.get(sid).text == expected)
        }
    }

    /// Against a list that does the same in the plainest way.
    @Test(arguments: 0..<8) func conflationInAnyOrder(seed: Int) {
        var generator = SeededGenerator(state: UInt64(seed + 1))
        var outbox = Outbox()
        var model: [(text: String, key: String?)] = []
        for step in 0..<5_000 {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<3:
                outbox.append(OutboundPacket(frames: ByteBuffer(string: "\(step)")))
                model.append(("\(step)", nil))
            case 3..<(seed % 2 == 0 ? 8 : 5):
                let key = "\(Int.random(in: 0..<(seed < 4 ? 5 : 200), using: &generator))"
                outbox.append(OutboundPacket(frames: ByteBuffer(string: "\(step)"), key: key))
                model.removeAll { $0.key == key }
                model.append(("\(step)", key))
            default:
                let packet = outbox.popFirst().map { String(buffer: $0.frames) }
                #expect(packet == (model.isEmpty ? nil : model.removeFirst().text))
            }
            #expect(outbox.count == model.count)
            #expect(outbox.byteCount == model.reduce(0) { $0 + $1.text.utf8.count })
            #expect(outbox.isEmpty == model.isEmpty)
        }
        #expect(outbox.removeAll().map { String(buffer: $0.frames) } == model.map(\.text))
    }

    // MARK: The total

    @Test func clientsThatDoNotReadAreBoundedTogether() async throws {
        let total = 4 << 20
        try await withServer {
            $0.maxTotalOutboxBytes = total
        } _: { server in
            let payload = ByteBuffer(repeating: 1, count: 10_000)
            let reader = try await server.openWebSocket()
            var idle: [String] = []
            for _ in 0..<50 { idle.append(try await server.openPolling().sid) }
            var frames = ByteBuffer()
            frames.writeBytes([0x82, 126])
            frames.writeInteger(UInt16(10_000))
            frames.writeImmutableBuffer(payload)
            let counted = try #require(server.log.value.sessions.first).state.withLock { $0.limits.total }
            for _ in 0..<40 {
                for session in server.log.value.sessions { session.send(frames: frames) }
                #expect(counted.now.bytes <= total + 11_000)
                try await reader.expectBinary(Array(payload.readableBytesView))
            }
            // As many are left as may hold 40 packets each.
            #expect((40...45).contains(server.log.value.ends.count))
            try await reader.send("4still here")
            try await reader.expectText("4still here")
            for session in server.log.value.sessions.dropFirst() { session.end(reason: .forcedClose, .close) }
            #expect(counted.now == (0, 0))
        }
    }

    @Test func thoseWhoHoldLittleStayUntilTheMaximum() {
        let total = OutboxTotal(max: 8000)
        total.change(from: 0, to: 6900)
        total.change(from: 0, to: 100)
        #expect(!total.isOver(own: 6900))
        total.change(from: 100, to: 200)
        #expect(total.now == (7100, 2))
        #expect(total.isOver(own: 6900))
        #expect(!total.isOver(own: 200))
        total.change(from: 200, to: 1200)
        #expect(total.isOver(own: 1200))
        total.change(from: 6900, to: 0)
        total.change(from: 1200, to: 0)
        #expect(total.now == (0, 0))
    }
}

extension EngineIOSession {
    fileprivate var isAwaited: Bool { self.hasWaiters.load(ordering: .relaxed) }
}

private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var value = self.state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
