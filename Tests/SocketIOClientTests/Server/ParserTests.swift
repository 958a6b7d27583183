import NIOCore
import SocketIO
import TestSupport
import Testing

@testable import SocketIOClient

private struct Note: Codable, Sendable, Equatable {
    var text: String
    var bytes: ByteBuffer
    var numbers: [Double]
    var extra: [String: Int?]
}

/// The client and the server of this package, with other parsers than the default one.
struct ParserTests {
    enum Kind: String, CaseIterable, Sendable {
        case messagePack
        case backwards

        var choice: ParserChoice { self == .messagePack ? .messagePack : .custom(BackwardsParser()) }
    }

    private func run(
        _ kind: Kind,
        configure: (inout SocketIOConfiguration) -> Void = { _ in },
        setUp: (SocketIOServer) -> Void = { _ in },
        _ body: (SocketIOServer, Int) async throws -> Void
    ) async throws {
        try await withServer(
            configure: { configuration in
                configuration.parser = kind.choice
                configure(&configuration)
            }, setUp: setUp
        ) { io, port in try await body(io, port) }
    }

    private func connect(_ port: Int, _ namespace: String = "", _ way: Way, _ kind: Kind) async throws
        -> SocketIOClient
    {
        var configuration = way.configuration
        configuration.parser = kind.choice
        return try await SocketIOClientTests.connect(port, namespace, configuration)
    }

    private static let values: [[SocketIOValue]] = [
        [], [1], ["x", .null, true, -1.5, 0.1, .int(.max), .int(.min), 1e300],
        [["deep": [1, ["grüße \u{1F30D}\u{0}\"\\", ""]]]], [.array([]), .object([:]), .object(["": .array([])])],
        [.binary(ByteBuffer(bytes: 0...255)), .binary(ByteBuffer())],
        ["a", ["b": .binary(ByteBuffer(bytes: [1, 2])), "c": [.binary(ByteBuffer(bytes: [3])), 7]]],
        [["_placeholder": false, "num": 0]],
    ]

    @Test(arguments: Kind.allCases, Way.allCases)
    func echo(_ kind: Kind, _ way: Way) async throws {
        try await self.run(kind) { _, port in
            let client = try await self.connect(port, "", way, kind)
            let seen = Awaited<[[SocketIOValue]]>([])
            client.on("echo") { (rest: Arguments) in seen.update { $0.append(rest.values) } }
            for values in Self.values { client.emit("echo", arguments: values) }
            let all = try await seen.wait("all") { $0.count == Self.values.count ? $0 : nil }
            #expect(all == Self.values)
            for values in Self.values where !values.isEmpty {
                #expect(try await client.emitWithAck("echo", arguments: values, timeout: .seconds(30)) == values)
            }
            let note = Note(
                text: "ü", bytes: ByteBuffer(bytes: [1, 2, 3]), numbers: [0.5, 1, -3], extra: ["a": 1, "b": 2])
            #expect(try await client.emitWithAck("echo", note, as: Note.self) == note)
            let text = String(repeating: "0123456789", count: 20_000)
            let isSame = try await client.emitWithAck("echo", text, as: String.self) == text
            #expect(isSame)
            await client.disconnect()
        }
    }

    @Test(arguments: Kind.allCases, Way.allCases)
    func acknowledgementsOfTheClient(_ kind: Kind, _ way: Way) async throws {
        try await self.run(
            kind,
            setUp: { io in
                io.onConnection { socket in
                    socket.on("ask me") { (value: SocketIOValue) in
                        try await socket.emitWithAck("question", value, timeout: .seconds(30), as: SocketIOValue.self)
                    }
                    socket.on("ask nobody") {
                        do {
                            return try await socket.emitWithAck("nobody", timeout: .milliseconds(20), as: String.self)
                        } catch {
                            return "\((error as? SocketIOError)?.code.rawValue ?? "?")"
                        }
                    }
                }
            }
        ) { _, port in
            let client = try await self.connect(port, "", way, kind)
            client.on("question") { (value: SocketIOValue) in
                await Task.yield()
                return Ack(value, "more")
            }
            for value: SocketIOValue in [1, nil, ["a": .binary(ByteBuffer(bytes: [1]))]] {
                #expect(try await client.emitWithAck("ask me", value, as: SocketIOValue.self) == value)
            }
            #expect(try await client.emitWithAck("ask nobody", as: String.self) == "ack_timeout")
            #expect(
                await thrown { _ = try await client.emitWithAck("none", timeout: .milliseconds(20), as: Int.self) }
                    == "ack_timeout")
            await client.disconnect()
        }
    }

    @Test(arguments: Kind.allCases, Way.allCases)
    func joiningAndLeaving(_ kind: Kind, _ way: Way) async throws {
        let record = Recorder()
        try await self.run(
            kind,
            setUp: { io in
                io.of("/auth").use { socket in
                    guard socket.handshake.auth["token"] == "secret" else {
                        throw ConnectError("not authorized", data: ["code": 401])
                    }
                }
                for namespace in [io.main, io.of("/auth")] {
                    namespace.onConnection { socket in
                        socket.on("kick") { socket.disconnect() }
                        socket.onDisconnect { (reason: DisconnectReason) in record.add("\(namespace.name) \(reason)") }
                    }
                }
            }
        ) { io, port in
            let root = try await self.connect(port, "", way, kind)
            let client = root.of("/auth", auth: ["token": "wrong"])
            let refusal = await #expect(throws: ConnectError.self) { try await client.connect(timeout: .seconds(30)) }
            #expect(refusal?.message == "not authorized" && refusal?.data == ["code": 401])
            client.auth = ["token": "secret"]
            try await client.connect(timeout: .seconds(30))
            let nowhere = root.of("/nowhere")
            let unknown = await #expect(throws: ConnectError.self) { try await nowhere.connect(timeout: .seconds(30)) }
            #expect(unknown?.message == "Invalid namespace")
            #expect(io.connectionCount == 1)
            await client.disconnect()
            try await record.wait(for: "/auth client namespace disconnect")
            let ended = Awaited<DisconnectReason?>(nil)
            root.onDisconnect { end in ended.update { $0 = end.reason } }
            root.emit("kick")
            #expect(try await ended.wait("the end") { $0 } == .ioServerDisconnect)
            try await record.wait(for: "/ server namespace disconnect")
            await root.disconnect()
        }
    }

    @Test(arguments: Kind.allCases)
    func broadcasts(_ kind: Kind) async throws {
        try await self.run(
            kind,
            setUp: { io in
                io.onConnection { socket in
                    socket.on("join") { (room: String) in
                        socket.join(Room(room))
                        return true
                    }
                }
            }
        ) { io, port in
            var clients: [SocketIOClient] = []
            let record = Recorder()
            for (number, way) in [Way.polling, .websocket, .upgrade].enumerated() {
                let client = try await self.connect(port, "", way, kind)
                client.on("said") { (text: String, bytes: ByteBuffer) in
                    record.add("\(number) \(text) \(bytes.readableBytes)")
                }
                client.on("number?") { number }
                _ = try await client.emitWithAck("join", number == 0 ? "a" : "b", as: Bool.self)
                clients.append(client)
            }
            io.emit("said", "all", ByteBuffer(bytes: [1]))
            io.to("b").emit("said", "b", ByteBuffer(bytes: [1, 2]))
            io.except("b").conflating("x").emit("said", "not b", ByteBuffer())
            let socket = try #require(io.main.sockets[clients[1].id ?? ""])
            socket.broadcast.emit("said", "others", ByteBuffer())
            #expect(
                try await record.wait(count: 8).sorted() == [
                    "0 all 1", "0 not b 0", "0 others 0", "1 all 1", "1 b 2", "2 all 1", "2 b 2", "2 others 0",
                ])
            #expect(try await io.timeout(.seconds(30)).emitWithAck("number?", as: Int.self).sorted() == [0, 1, 2])
            io.volatile.emit("said", "volatile", ByteBuffer())
            socket.volatile.emit("said", "volatile", ByteBuffer())
            #expect(try await socket.emitWithAck("number?", timeout: .seconds(30), as: Int.self) == 1)
            for client in clients { await client.disconnect() }
        }
    }

    /// What was missed comes once, in order, with its binary data.
    @Test(arguments: Kind.allCases, Way.allCases)
    func recovery(_ kind: Kind, _ way: Way) async throws {
        try await self.run(kind, configure: { $0.connectionStateRecovery = .init() }) { io, port in
            let client = try await self.connect(port, "", way, kind)
            let record = Recorder()
            // Behind them comes the offset.
            client.on("n") { (number: Int, rest: Arguments) in
                record.add("\(number) \(rest.values.first?.binaryValue?.readableBytes ?? -1)")
            }
            client.onConnect { [weak client] in record.add("recovered \(client?.recovered ?? false)") }
            let id = try #require(client.id)
            let socket = try #require(io.main.sockets[id])
            socket.join("room")
            io.emit("n", 0)
            try await record.wait(for: "0 -1")
            socket.connection.session.close()
            try await eventually("the client is gone") { io.main.sockets[id] !== socket }
            io.to("room").emit("n", 1, ByteBuffer(bytes: [1]))
            socket.emit("n", 2)
            io.to("other").emit("n", 3)
            io.emit("n", 4, ByteBuffer(bytes: [1, 2]))
            try await record.wait(for: "4 2")
            try await eventually("the client is back") { client.connected }
            io.volatile.to("room").emit("n", 5, ByteBuffer())
            io.to("room").emit("n", 6)
            try await record.wait(for: "6 -1")
            #expect(client.id == id && client.recovered)
            let numbers = record.all.filter { !$0.hasPrefix("recovered") && $0 != "5 0" }
            #expect(numbers == ["0 -1", "1 1", "2 -1", "4 2", "6 -1"])
            #expect(record.count("recovered true") == 1)
            await client.disconnect()
        }
    }

    /// A message that the server would not take is not sent.
    @Test(arguments: Kind.allCases, [Way.polling, .websocket])
    func tooLarge(_ kind: Kind, _ way: Way) async throws {
        try await self.run(kind, configure: { $0.engine.maxPayload = 10_000 }) { io, port in
            let client = try await self.connect(port, "", way, kind)
            // In base64 of base64, or in one of them, or as it is.
            let most = (kind, way) == (.messagePack, .websocket) ? 9900 : kind == .messagePack ? 7000 : 5000
            let bytes = ByteBuffer(repeating: 7, count: most)
            #expect(try await client.emitWithAck("echo", bytes, as: ByteBuffer.self) == bytes)
            let more = ByteBuffer(repeating: 7, count: 10_000)
            #expect(
                await thrown { _ = try await client.emitWithAck("echo", more, as: ByteBuffer.self) }
                    == "payload too large")
            // Nobody else's message is concerned.
            #expect(try await client.emitWithAck("echo", 1, as: Int.self) == 1)
            #expect(io.connectionCount == 1)
            await client.disconnect()
        }
    }

    /// Two sides with different parsers don't understand each other, and say so.
    @Test func mismatch() async throws {
        for (server, client) in [(ParserChoice.messagePack, ParserChoice.json), (.json, .messagePack)] {
            try await withServer(configure: { $0.parser = server }) { io, port in
                var configuration = Way.websocket.configuration
                configuration.parser = client
                configuration.reconnection.isEnabled = false
                await #expect(throws: (any Error).self) {
                    _ = try await SocketIOClientTests.connect(port, "", configuration)
                }
                try await eventually("the server has closed the connection") { io.connectionCount == 0 }
            }
        }
    }

    /// A server that does not speak MessagePack after all ends the connection with "parse error".
    @Test func theServerSendsSomethingElse() async throws {
        let record = Recorder()
        try await self.run(.messagePack) { io, port in
            let client = try await self.connect(port, "", .websocket, .messagePack)
            client.onDisconnect { record.add("\($0.reason) \(code(of: $0.error ?? TestError()))") }
            let socket = try #require(io.main.sockets.values.first)
            socket.connection.session.send(binary: ByteBuffer(bytes: [0xC1]))
            #expect(try await record.wait(count: 1) == ["parse error invalid_packet"])
            // And comes back.
            try await eventually("the client is back") { client.connected }
            #expect(try await client.emitWithAck("echo", 1, as: Int.self) == 1)
            await client.disconnect()
        }
    }

    /// Clients share a connection if they have the same parser.
    @Test func sharing() {
        func make(_ namespace: String, _ parser: ParserChoice) -> SocketIOClient {
            var configuration = SocketIOClientConfiguration.quick
            configuration.autoConnect = false
            configuration.path = "/parsers/"
            configuration.parser = parser
            return SocketIOClient("http://127.0.0.1:1\(namespace)", configuration: configuration)
        }
        let custom = ParserChoice.custom(BackwardsParser())
        let choices: [ParserChoice] = [.json, .messagePack, custom, .custom(BackwardsParser())]
        let first = choices.map { make("/a", $0) }
        let second = choices.map { make("/b", $0) }
        for (index, client) in second.enumerated() {
            for (other, sharing) in first.enumerated() {
                #expect((client.core.manager === sharing.core.manager) == (index == other))
            }
        }
        #expect(Set(choices).count == 4 && choices.map { "\($0)" } == ["default", "msgpack", "custom", "custom"])
    }
}
