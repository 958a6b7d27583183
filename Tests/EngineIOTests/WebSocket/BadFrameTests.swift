import TestSupport
import Testing

@testable import EngineIO

/// Frames that break the rules: the close code says which, the session ends, nobody else is disturbed.
struct BadFrameTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let frames: [RawFrame]
        let code: UInt16?
        var reason = "transport error"
        var testDescription: String { self.name }
    }

    static let hello = Array("4hello".utf8)
    static let big = [UInt8](repeating: 0x34, count: 101)

    static let cases: [Case] = [
        Case(name: "unmasked", frames: [RawFrame(opcode: 1, payload: Self.hello, isMasked: false)], code: 1002),
        Case(name: "RSV1", frames: [RawFrame(opcode: 1, payload: Self.hello, reserved: 4)], code: 1002),
        Case(name: "RSV2", frames: [RawFrame(opcode: 2, payload: Self.hello, reserved: 2)], code: 1002),
        Case(name: "RSV3", frames: [RawFrame(opcode: 9, reserved: 1)], code: 1002),
        Case(name: "opcode 3", frames: [RawFrame(opcode: 3, payload: Self.hello)], code: 1002),
        Case(name: "opcode 11", frames: [RawFrame(opcode: 11)], code: 1002),
        Case(name: "bad UTF-8", frames: [RawFrame(opcode: 1, payload: [0x34, 0xFF])], code: 1007),
        Case(name: "surrogate", frames: [RawFrame(opcode: 1, payload: [0x34, 0xED, 0xA0, 0x80])], code: 1007),
        Case(
            name: "UTF-8 cut off by the end",
            frames: [
                RawFrame(opcode: 1, payload: [0x34, 0xE2], isFinal: false), RawFrame(opcode: 0, payload: [0x82]),
            ], code: 1007),
        Case(name: "continuation of nothing", frames: [RawFrame(opcode: 0, payload: Self.hello)], code: 1002),
        Case(
            name: "message inside another",
            frames: [
                RawFrame(opcode: 1, payload: Self.hello, isFinal: false), RawFrame(opcode: 1, payload: Self.hello),
            ], code: 1002),
        Case(name: "fragmented ping", frames: [RawFrame(opcode: 9, isFinal: false)], code: 1002),
        Case(
            name: "long ping", frames: [RawFrame(opcode: 9, payload: [UInt8](repeating: 0, count: 126))], code: 1002),
        Case(
            name: "length not minimal", frames: [RawFrame(opcode: 1, payload: Self.hello, lengthForm: .bits64)],
            code: 1002),
        Case(
            name: "length with the high bit",
            frames: [RawFrame(opcode: 2, declaredLength: 1 << 63, lengthForm: .bits64)], code: 1002),
        Case(name: "close frame of one byte", frames: [RawFrame(opcode: 8, payload: [3])], code: 1002),
        Case(name: "close code 1005", frames: [RawFrame(opcode: 8, payload: [3, 0xED])], code: 1002),
        Case(name: "too big", frames: [RawFrame(opcode: 1, payload: Self.big)], code: 1009),
        Case(
            name: "announced as too big", frames: [RawFrame(opcode: 2, declaredLength: 1 << 40, lengthForm: .bits64)],
            code: 1009),
        Case(
            name: "too big in fragments",
            frames: [
                RawFrame(opcode: 2, payload: Array(Self.big.prefix(60)), isFinal: false),
                RawFrame(opcode: 0, payload: Array(Self.big.prefix(40)), isFinal: false),
                RawFrame(opcode: 0, payload: [0], isFinal: false),
            ], code: 1009),
        Case(
            name: "endless empty fragments",
            frames: [RawFrame(opcode: 2, isFinal: false)]
                + Array(repeating: RawFrame(opcode: 0, isFinal: false), count: 2000),
            code: 1009),
        Case(name: "empty text frame", frames: [RawFrame(opcode: 1)], code: nil, reason: "parse error"),
        Case(
            name: "unknown packet", frames: [RawFrame(opcode: 1, payload: Array("abc".utf8))], code: nil,
            reason: "parse error"),
        Case(name: "ping packet", frames: [RawFrame(opcode: 1, payload: Array("2".utf8))], code: nil),
    ]

    @Test(arguments: Self.cases) func badFrame(bad: Case) async throws {
        try await withServer {
            $0.maxPayload = 100
        } _: { server in
            let other = try await server.openWebSocket()
            let webSocket = try await server.openWebSocket()
            try await webSocket.send("4first")
            try await webSocket.expectText("4first")
            try await webSocket.connection.send(bad.frames.flatMap { $0.encoded() })
            #expect(try await webSocket.expectClose() == bad.code)
            try await webSocket.waitForEOF()
            #expect(try await server.onlyEnd() == bad.reason)
            #expect(server.log.value.messages.map(\.message) == [.text("first")])
            try await other.send("4on")
            try await other.expectText("4on")
            #expect(server.server.sessionCount == 1)
        }
    }

    /// Messages before the violation in the same read count.
    @Test func messagesBeforeItCount() async throws {
        try await withServer { server in
            let webSocket = try await server.openWebSocket()
            let good = RawFrame(opcode: 1, payload: Self.hello).encoded()
            let bad = RawFrame(opcode: 3).encoded()
            try await webSocket.connection.send(good + bad + good)
            #expect(try await webSocket.expectClose(skipping: true) == 1002)
            #expect(try await server.onlyEnd() == "transport error")
            #expect(server.log.value.messages.map(\.message) == [.text("hello")])
        }
    }

    @Test(arguments: [
        RawFrame(opcode: 1, payload: Array("2".utf8)), RawFrame(opcode: 1, payload: Array("4x".utf8)),
        RawFrame(opcode: 1, payload: Array("2probe2".utf8)), RawFrame(opcode: 1), RawFrame(opcode: 2, payload: [1]),
        RawFrame(opcode: 1, payload: [0xFF]), RawFrame(opcode: 3), RawFrame(opcode: 8),
    ])
    func wrongProbeClosesTheWebSocketOnly(frame: RawFrame) async throws {
        try await withServer { server in
            let sid = try await server.openPolling().sid
            let webSocket = try await server.probe(sid)
            try await webSocket.send(frame)
            try await webSocket.expectClose()
            try await webSocket.waitForEOF()
            try await eventually("the end of the upgrade") { server.session(sid)?.isProbing == false }
            #expect(try await server.post(sid, "4still usable").text == "ok")
            #expect(try await server.get(sid).text == "4still usable")
            // And another try may succeed.
            let second = try await server.probe(sid)
            try await second.send("2probe")
            try await second.expectText("3probe")
        }
    }

    @Test func clientThatFloodsPingsAndReadsNothing() async throws {
        try await withServer { server in
            let webSocket = try await server.openWebSocket()
            try await webSocket.connection.pauseReading()
            let ping = RawFrame(opcode: 9, payload: [UInt8](repeating: 1, count: 125)).encoded()
            let batch = Array(repeating: ping, count: 1000).flatMap { $0 }
            for _ in 0..<100 { try await webSocket.connection.send(batch) }
            try await webSocket.send("4alive")
            #expect(try await server.messages(1) == [.text("alive")])
        }
    }
}
