import Foundation
import NIOCore
import SocketIOClient
import SocketIOCore
import TestSupport
import Testing

/// This client against a server that other people wrote.
@Suite(.serialized)
struct PythonServerTests {
    /// Runs `body` with a server of its own.
    private func withServer(_ body: (PythonServer) async throws -> Void) async throws {
        let server = try await PythonServer()
        do {
            try await body(server)
        } catch {
            try await server.kill()
            throw error
        }
        try await server.kill()
    }

    private static let values: [[SocketIOValue]] = [
        [], [1], ["x", .null, true, -1.5], [["deep": [1, ["grüße \u{1F30D}", ""]]]], [.array([]), .object([:])],
    ]
    private static let bytes = ByteBuffer(bytes: Array(0...255))
    private static let binary: [[SocketIOValue]] = [
        [.binary(bytes)], [.binary(ByteBuffer())], ["a", ["b": .binary(bytes), "c": [.binary(bytes), 7]]],
    ]

    @Test(arguments: Way.allCases)
    func echo(_ way: Way) async throws {
        try await self.withServer { server in
            let client = try await way.connect(server.url)
            let seen = Awaited<[[SocketIOValue]]>([])
            client.on("echo") { (rest: Arguments) in seen.update { $0.append(rest.values) } }
            for values in Self.values + Self.binary { client.emit("echo", arguments: values) }
            let expected = Self.values + Self.binary
            let all = try await seen.wait("all") { $0.count == expected.count ? $0 : nil }
            #expect(all == expected)
            #expect(client.transport == (way == .polling ? .polling : .websocket))
            await client.disconnect()
        }
    }

    /// All kinds of packets in MessagePack.
    @Test(arguments: Way.allCases)
    func messagePack(_ way: Way) async throws {
        let server = try await PythonServer(serializer: "msgpack")
        do {
            var configuration = way.configuration
            configuration.parser = .messagePack
            let client = SocketIOClient(server.url, configuration: configuration)
            let seen = Awaited<[[SocketIOValue]]>([])
            client.on("echo") { (rest: Arguments) in seen.update { $0.append(rest.values) } }
            client.on("question") { (value: SocketIOValue) in Ack(value, "answered") }
            let answers = Awaited<[[SocketIOValue]]>([])
            client.on("answer") { (rest: Arguments) in answers.update { $0.append(rest.values) } }
            try await client.connect(timeout: .seconds(30))
            let expected = Self.values + Self.binary
            for values in expected { client.emit("echo", arguments: values) }
            #expect(try await seen.wait("all") { $0.count == expected.count ? $0 : nil } == expected)
            for values in expected where !values.isEmpty {
                #expect(try await client.emitWithAck("echo-ack", arguments: values, timeout: .seconds(20)) == values)
            }
            client.emit("ask", Self.bytes)
            #expect(
                try await answers.wait("the answer") { $0.first } == [.binary(Self.bytes), "answered"])
            let auth = client.of("/auth", auth: ["token": "wrong"])
            let refusal = await #expect(throws: ConnectError.self) { try await auth.connect(timeout: .seconds(20)) }
            #expect(refusal?.message == "not authorized" && refusal?.data == ["code": 401])
            auth.auth = ["token": "secret"]
            try await auth.connect(timeout: .seconds(20))
            auth.emit("kick")
            try await eventually("the server's word") { !auth.active }
            #expect(client.connected)
            await client.disconnect()
        } catch {
            try await server.kill()
            throw error
        }
        try await server.kill()
    }

    /// More than fits one request, in both directions.
    @Test(arguments: Way.allCases)
    func order(_ way: Way) async throws {
        try await self.withServer { server in
            let client = SocketIOClient(server.url, configuration: way.configuration)
            let echoes = client.events("echo", limit: 10_000, as: Int.self)
            let flood = client.events("flood", limit: 10_000, as: Int.self)
            client.open()
            // While it is connecting and upgrading too.
            for number in 0..<500 { client.emit("echo", number) }
            client.emit("flood", 500)
            var next = 0
            for await number in echoes {
                #expect(number == next)
                next += 1
                if next == 500 { break }
            }
            next = 0
            for await number in flood {
                #expect(number == next)
                next += 1
                if next == 500 { break }
            }
            await client.disconnect()
        }
    }

    @Test(arguments: Way.allCases)
    func acknowledgements(_ way: Way) async throws {
        try await self.withServer { server in
            let client = try await way.connect(server.url)
            for values in Self.values + Self.binary where !values.isEmpty {
                let answer = try await client.emitWithAck("echo-ack", arguments: values, timeout: .seconds(20))
                #expect(answer == values)
            }
            client.on("question") { (value: SocketIOValue) in
                await Task.yield()
                return Ack(value, "answered")
            }
            let answers = Awaited<[[SocketIOValue]]>([])
            client.on("answer") { (rest: Arguments) in answers.update { $0.append(rest.values) } }
            client.emit("ask", 7)
            client.emit("ask", Self.bytes)
            let all = try await answers.wait("both answers") { $0.count == 2 ? $0 : nil }
            #expect(all == [[7, "answered"], [.binary(Self.bytes), "answered"]])
            // Nobody answers this event.
            await #expect(throws: SocketIOError.self) {
                _ = try await client.emitWithAck("echo", 1, timeout: .milliseconds(200), as: Int.self)
            }
            await client.disconnect()
        }
    }

    @Test(arguments: Way.allCases)
    func namespaces(_ way: Way) async throws {
        try await self.withServer { server in
            let root = try await way.connect(server.url)
            let custom = root.of("/custom")
            let auth = root.of("/auth", auth: ["token": "secret"])
            try await custom.connect(timeout: .seconds(20))
            try await auth.connect(timeout: .seconds(20))
            #expect(Set([root.id, custom.id, auth.id]).count == 3)
            for client in [root, custom, auth] {
                #expect(try await client.emitWithAck("echo-ack", client.namespace, as: String.self) == client.namespace)
            }
            // One leaves, the others stay.
            custom.emit("kick")
            try await eventually("the server's word") { !custom.active }
            #expect(root.connected && auth.connected)
            try await custom.connect(timeout: .seconds(20))
            #expect(try await custom.emitWithAck("echo-ack", 1, as: Int.self) == 1)
            for client in [root, custom, auth] { await client.disconnect() }
        }
    }

    @Test(arguments: Way.allCases)
    func refusals(_ way: Way) async throws {
        try await self.withServer { server in
            let client = SocketIOClient(
                server.url + "/auth", auth: ["token": "wrong"], configuration: way.configuration)
            let refusal = await #expect(throws: ConnectError.self) { try await client.connect(timeout: .seconds(20)) }
            #expect(refusal?.message == "not authorized")
            #expect(refusal?.data == ["code": 401])
            #expect(!client.active)
            client.auth = ["token": "secret"]
            try await client.connect(timeout: .seconds(20))
            let nowhere = client.of("/nowhere")
            let unknown = await #expect(throws: ConnectError.self) { try await nowhere.connect(timeout: .seconds(20)) }
            #expect(unknown?.message == "Unable to connect")
            #expect(client.connected)
            await client.disconnect()
        }
    }

    @Test(arguments: Way.allCases)
    func largeMessages(_ way: Way) async throws {
        try await self.withServer { server in
            let client = try await way.connect(server.url)
            // Of a POST, python-engineio on aiohttp reads no more than what has come in one piece.
            let count = way == .polling ? 10_000 : 900_000
            let text = String(repeating: "x", count: count)
            let isSame = try await client.emitWithAck("echo-ack", text, timeout: .seconds(30), as: String.self) == text
            #expect(isSame)
            let large = try await client.emitWithAck("large", 900_000, timeout: .seconds(30), as: String.self)
            #expect(large.utf8.count == 900_000)
            let bytes = ByteBuffer(repeating: 7, count: count / 4 * 3)
            let isSameBinary =
                try await client.emitWithAck("echo-ack", bytes, timeout: .seconds(30), as: ByteBuffer.self) == bytes
            #expect(isSameBinary)
            // Its limit is a million bytes, which it has said in its handshake.
            let error = await #expect(throws: EngineClientError.self) {
                let text = String(repeating: "x", count: 1_000_000)
                _ = try await client.emitWithAck("echo-ack", text, as: String.self)
            }
            #expect(error?.code == .payloadTooLarge)
            #expect(client.connected)
            await client.disconnect()
        }
    }

    /// Killed and started again under traffic: each event arrives at least once, in order.
    @Test(arguments: Way.allCases)
    func restarts(_ way: Way) async throws {
        let log = NSTemporaryDirectory() + "notes-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: log) }
        var server = try await PythonServer(log: log)
        var configuration = way.configuration
        configuration.retries = 10_000
        configuration.ackTimeout = .seconds(1)
        configuration.requestTimeout = .seconds(2)
        let client = SocketIOClient(server.url, configuration: configuration)
        let custom = client.of("/custom")
        try await client.connect(timeout: .seconds(30))
        try await custom.connect(timeout: .seconds(30))
        let losses = Awaited(0)
        client.onDisconnect { end in if end.willReconnect { losses.update { $0 += 1 } } }
        for round in 0..<3 {
            for number in 0..<40 { client.emit("note", round * 40 + number) }
            if round == 2 { break }
            try await eventually("some have arrived") {
                Self.notes(log).last ?? -1 >= round * 40 + 5
            }
            try await server.kill()
            try await losses.wait("the loss", timeout: .seconds(30)) { $0 > round ? true : nil }
            server = try await PythonServer(port: server.port, log: log)
        }
        try await eventually("all have arrived", timeout: .seconds(60)) { Self.notes(log).last == 119 }
        var next = 0
        for number in Self.notes(log) {
            #expect(number <= next)
            if number == next { next += 1 }
        }
        #expect(next == 120)
        // The other namespace has come back as well.
        try await custom.connect(timeout: .seconds(30))
        #expect(try await custom.emitWithAck("echo-ack", 1, timeout: .seconds(20), as: Int.self) == 1)
        await custom.disconnect()
        await client.disconnect()
        try await server.kill()
    }

    private static func notes(_ log: String) -> [Int] {
        guard let text = try? String(contentsOfFile: log, encoding: .utf8) else { return [] }
        return text.split(separator: "\n").compactMap { Int($0) }
    }
}
