import NIOCore
import SocketIO
import TestSupport
import Testing

/// A server with the MessagePack parser, on the wire.
@Suite struct MessagePackWireTests {
    private static func run(
        _ configure: (inout SocketIOConfiguration) -> Void = { _ in },
        _ body: (SocketIOServer, Int) async throws -> Void
    ) async throws {
        try await withServer { configuration in
            configuration.parser = .messagePack
            configure(&configuration)
        } _: { io, port in
            try await body(io, port)
        }
    }

    /// What the official client sends, byte for byte, and what it gets.
    @Test(arguments: bothTransports)
    func official(_ transport: EIOOptions.Transport) async throws {
        try await Self.run { io, port in
            let reasons = Recorder()
            io.of("/nope").use { _ in throw ConnectError("refused", data: ["why": 1]) }
            io.onConnection { socket in
                #expect(socket.handshake.auth == ["token": 1])
                socket.onDisconnect { (reason: DisconnectReason) in reasons.add("\(reason)") }
                socket.on("ask") { (bytes: ByteBuffer) in Ack("answer", bytes) }
                socket.on("go") { () async throws -> Void in
                    socket.emit("direct", 1, ByteBuffer(bytes: [9]))
                    io.emit("broadcast", ["b": nil] as SocketIOValue)
                    let answer: String = try await socket.emitWithAck("ack me", timeout: .seconds(30))
                    socket.emit("said", answer)
                    socket.disconnect()
                }
            }
            let client = try await PackedClient.open(port, transport)
            try client.session.send(hexBytes("83a47479706500a46461746181a5746f6b656e01a36e7370a12f"))
            let answer = try await client.next()
            #expect(answer["type"] == 0 && answer["nsp"] == "/" && answer["data"]?["sid"]?.stringValue?.count == 20)
            #expect(answer.objectValue?.count == 3 && answer["data"]?.objectValue?.count == 1)
            // Without auth: undefined.
            try client.session.send(hexBytes("83a47479706500a464617461d40000a36e7370a52f6e6f7065"))
            #expect(
                try await client.next() == [
                    "type": 4, "nsp": "/nope", "data": ["message": "refused", "data": ["why": 1]],
                ])
            try client.session.send(hexBytes("83a47479706500a464617461d40000a36e7370a82f756e6b6e6f776e"))
            #expect(
                try await client.next()
                    == ["type": 4, "nsp": "/unknown", "data": ["message": "Invalid namespace"]])
            try client.session.send(
                hexBytes(
                    "85a47479706502a46461746192a361736bc4020102a76f7074696f6e7381a8636f6d7072657373c3a2696400a36e7370a12f"
                ))
            let bytes = SocketIOValue.binary(ByteBuffer(bytes: [1, 2]))
            #expect(try await client.next() == ["type": 3, "nsp": "/", "id": 0, "data": ["answer", bytes]])
            try client.session.send(
                hexBytes("84a47479706502a46461746191a2676fa76f7074696f6e7381a8636f6d7072657373c3a36e7370a12f"))
            let nine = SocketIOValue.binary(ByteBuffer(bytes: [9]))
            #expect(try await client.next() == ["type": 2, "nsp": "/", "data": ["direct", 1, nine]])
            #expect(try await client.next() == ["type": 2, "nsp": "/", "data": ["broadcast", ["b": nil]]])
            let question = try await client.next()
            let id = try #require(question["id"]?.intValue)
            #expect(question["data"] == ["ack me"])
            // A date, which comes as a text.
            var reply = hexBytes("84a47479706503a26964")
            reply += [0xCD, UInt8(id >> 8), UInt8(id & 0xFF)]
            reply += hexBytes("a46461746191d7000000000000000000a36e7370a12f")
            try client.session.send(reply)
            #expect(try await client.next()["data"] == ["said", "1970-01-01T00:00:00.000Z"])
            #expect(try await client.next() == ["type": 1, "nsp": "/"])
            try await reasons.wait(for: "server namespace disconnect")
            await client.session.close()
        }
    }

    @Test(arguments: bothTransports)
    func theClientLeaves(_ transport: EIOOptions.Transport) async throws {
        try await Self.run { io, port in
            let reasons = Recorder()
            io.onConnection { socket in
                socket.onDisconnect { (reason: DisconnectReason) in reasons.add("\(reason)") }
            }
            let client = try await PackedClient.join(port, transport)
            // As Python writes it.
            try client.send(["type": 1, "data": nil, "nsp": "/"])
            try await reasons.wait(for: "client namespace disconnect")
            // And comes back over the same connection.
            try client.send(["type": 0, "nsp": "/"])
            #expect(try await client.next()["type"] == 0)
            await client.session.close()
        }
    }

    /// Handlers take their arguments in their own types.
    @Test func typedHandlers() async throws {
        struct Point: Codable, Sendable, Equatable {
            var x: Double
            var y: Int?
            var tags: [String]
        }
        try await Self.run { io, port in
            io.onConnection { socket in
                socket.on("point") { (point: Point, rest: Arguments) in Ack(point, rest.values.count) }
                socket.on("many") { (a: Int8, b: String?, c: Bool, d: [ByteBuffer], e: UInt64) in
                    Ack(a, b ?? "none", c, d.map(\.readableBytes), e)
                }
            }
            let client = try await PackedClient.join(port)
            let point: SocketIOValue = ["x": 1.5, "y": nil, "tags": ["ü", "\u{0}\""]]
            try client.send(["type": 2, "nsp": "/", "id": 1, "data": ["point", point, 2, 3]])
            let answer = try await client.next()
            #expect(answer["data"]?.arrayValue?.first?["x"] == 1.5)
            #expect(answer["data"]?.arrayValue?.first?["tags"] == ["ü", "\u{0}\""])
            #expect(answer["data"]?.arrayValue?.last == 2)
            let parts: SocketIOValue = [.binary(ByteBuffer(bytes: [1])), .binary(ByteBuffer())]
            try client.send(["type": 2, "nsp": "/", "id": 2, "data": ["many", -7, nil, true, parts, .int(.max)]])
            #expect(try await client.next()["data"] == [-7, "none", true, [1, 0], .int(.max)])
            await client.session.close()
        }
    }

    // MARK: What must not be sent

    struct Wrong: Sendable, CustomTestStringConvertible {
        let name: String
        let message: EIOMessage
        let code: SocketIOError.Code?
        var testDescription: String { self.name }

        init(_ name: String, hex: String, _ code: SocketIOError.Code?) {
            (self.name, self.message, self.code) = (name, .binary(hexBytes(hex)), code)
        }

        init(_ name: String, _ packet: SocketIOValue, _ code: SocketIOError.Code?) {
            self.name = name
            self.message = .binary((try? PackedClient.bytes(packet)) ?? [])
            self.code = code
        }

        init(text: String) {
            (self.name, self.message, self.code) = ("text \(text)", .text(text), .unexpectedMessage)
        }
    }

    private static let one = SocketIOValue.binary(ByteBuffer(bytes: [1]))

    static let wrong: [Wrong] =
        [
            Wrong(text: "2[\"a\"]"), Wrong(text: ""), Wrong("nothing", hex: "", .invalidPacket),
            Wrong("nil", hex: "c0", .invalidPacket), Wrong("an array", hex: "9302a12f91a161", .invalidPacket),
            Wrong("a byte too much", hex: "83a47479706502a46461746191a161a36e7370a12f00", .invalidPacket),
            Wrong("a byte too little", hex: "83a47479706502a46461746191a161a36e7370a1", .invalidPacket),
            Wrong("the byte that is none", hex: "83a47479706502a464617461c1a36e7370a12f", .invalidPacket),
            Wrong("an unknown extension", hex: "83a47479706502a46461746192a161d40501a36e7370a12f", .invalidPacket),
            Wrong("a huge map", hex: "dfffffffff", .invalidPacket),
            Wrong(
                "100,000 arrays",
                hex: "83a47479706502a36e7370a12fa464617461" + String(repeating: "91", count: 100_000) + "c0",
                .nestingTooDeep),
            Wrong("type 5", ["type": 5, "nsp": "/", "data": ["a"]], .invalidPacket),
            Wrong("a text as type", ["type": "2", "nsp": "/", "data": ["a"]], .invalidPacket),
            Wrong("no type", ["nsp": "/", "data": ["a"]], .invalidPacket),
            Wrong("no namespace", ["type": 2, "data": ["a"]], .invalidPacket),
            Wrong("a namespace without slash", ["type": 2, "nsp": "x", "data": ["a"]], .invalidPacket),
            Wrong("a namespace with a comma", ["type": 2, "nsp": "/,2", "data": ["a"]], .invalidPacket),
            Wrong(
                "a long namespace", ["type": 2, "nsp": .string("/" + String(repeating: "x", count: 1024))],
                .limitExceeded),
            Wrong("no data", ["type": 2, "nsp": "/"], .invalidPayload),
            Wrong("an object as data", ["type": 2, "nsp": "/", "data": [:]], .invalidPayload),
            Wrong("no name", ["type": 2, "nsp": "/", "data": []], .invalidPayload),
            Wrong("an object as name", ["type": 2, "nsp": "/", "data": [[:]]], .invalidPayload),
            Wrong("nil as id", ["type": 2, "nsp": "/", "data": ["a"], "id": nil], .invalidPacket),
            Wrong("a negative id", ["type": 2, "nsp": "/", "data": ["a"], "id": -1], .invalidPacket),
            Wrong("a text as id", ["type": 2, "nsp": "/", "data": ["a"], "id": "1"], .invalidPacket),
            Wrong("DISCONNECT with data", ["type": 1, "nsp": "/", "data": [:]], .invalidPayload),
            Wrong("ack without data", ["type": 3, "nsp": "/", "id": 0], .invalidPayload),
            Wrong(
                "too many arguments",
                ["type": 2, "nsp": "/", "data": .array(["a"] + (0...1000).map { .int($0) })], .limitExceeded),
            Wrong(
                "too many binary values",
                ["type": 2, "nsp": "/", "data": .array(["a"] + (0...10).map { _ in Self.one })], .tooManyAttachments),
            Wrong("CONNECT again", ["type": 0, "nsp": "/"], nil),
            Wrong("CONNECT_ERROR", ["type": 4, "nsp": "/", "data": ["message": "x"]], nil),
            Wrong("an event of another namespace", ["type": 2, "nsp": "/other", "data": ["a"]], nil),
        ]
        + ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"].map {
            Wrong("reserved name \($0)", ["type": 2, "nsp": "/", "data": [.string($0)]], .invalidPayload)
        }

    @Test(arguments: Self.wrong) func refused(_ wrong: Wrong) async throws {
        let recorder = Recorder()
        let errors = ErrorRecorder()
        try await Self.run { io, port in
            _ = io.of("/other")
            io.onConnection { socket in
                guard socket.handshake.auth == ["bad": true] else { return }
                socket.onAny { event, _ in recorder.add("event \(event)") }
                socket.onError { errors.add($0) }
                socket.onDisconnect { (reason: DisconnectReason) in recorder.add("\(reason)") }
            }
            let bystander = try await PackedClient.join(port, .polling)
            let client = try await PackedClient.join(port, auth: ["bad": true])
            try client.session.send([wrong.message])
            // All that would follow is ignored.
            try? client.send(["type": 2, "nsp": "/", "data": ["late"]])
            try await client.session.waitForClose()
            try await recorder.wait(for: "forced close")
            #expect(recorder.all == ["forced close"])
            if let code = wrong.code { #expect(errors.codes == [code]) }
            try await bystander.sync()
            #expect(io.main.sockets.count == 1)
            await bystander.session.close()
        }
    }

    @Test(arguments: bothTransports)
    func refusedBeforeConnect(_ transport: EIOOptions.Transport) async throws {
        try await Self.run { io, port in
            for wrong in [
                EIOMessage.text("0"), .binary(hexBytes("83a47479706502a46461746191a161a36e7370a12f")),
                .binary(hexBytes("83a47479706500a36e7370a12fa46461746190")), .binary([0xC1]),
            ] {
                let client = try await PackedClient.open(port, transport)
                try client.session.send([wrong])
                try await client.session.waitForClose()
            }
            try await eventually("the connections are gone") { io.connectionCount == 0 }
        }
    }

    @Test func limitsAreThoseOfTheConfiguration() async throws {
        try await Self.run({ configuration in
            configuration.maxAttachments = 11
            configuration.maxAttachmentBytes = 20
            configuration.maxDepth = 3
        }) { io, port in
            let client = try await PackedClient.join(port)
            let values = (0..<11).map { _ in Self.one }
            try client.send(["type": 2, "nsp": "/", "data": .array(["a"] + values)])
            try client.send(["type": 2, "nsp": "/", "data": ["a", [[1]]]])
            try await client.sync()
            try client.send(["type": 2, "nsp": "/", "data": ["a", [[[1]]]]])
            try await client.session.waitForClose()
            let other = try await PackedClient.join(port)
            try other.send(["type": 2, "nsp": "/", "data": ["a", .binary(ByteBuffer(repeating: 1, count: 21))]])
            try await other.session.waitForClose()
        }
    }
}
