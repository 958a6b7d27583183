import NIOCore
import SocketIO
import SocketIOClient
import TestSupport
import Testing

extension Event {
    fileprivate static var note: Event<Note, Int> { .init("note") }
}

private struct Note: Codable, Sendable, Equatable {
    var text: String
}

/// The client and the server of this package.
struct EchoTests {
    @Test(arguments: Way.allCases)
    func events(_ way: Way) async throws {
        try await withServer { _, port in
            let client = try await connect(port, "", way.configuration)
            let record = Recorder()
            client.on("echo") { (rest: Arguments) in record.add("\(rest.values)") }
            client.emit("echo", 1, "x", ["a": [true]])
            client.emit("echo")
            client.emit("echo", ByteBuffer(bytes: [1, 2, 3]), ["deep": ByteBuffer()])
            #expect(
                try await record.wait(count: 3) == [
                    #"[1, "x", {"a":[true]}]"#, "[]", #"[<3 bytes>, {"deep":<0 bytes>}]"#,
                ])
            await client.disconnect()
        }
    }

    @Test(arguments: Way.allCases)
    func acknowledgementsBothWays(_ way: Way) async throws {
        try await withServer(setUp: { io in
            io.onConnection { socket in
                socket.on("ask me") { (question: String) in
                    try await socket.emitWithAck("question", question, timeout: .seconds(20), as: String.self)
                }
            }
        }) { _, port in
            let client = try await connect(port, "", way.configuration)
            client.on("question") { (question: String) in
                await Task.yield()
                return question + "!"
            }
            for number in 0..<20 {
                #expect(try await client.emitWithAck("ask me", "\(number)", as: String.self) == "\(number)!")
            }
            let bytes = ByteBuffer(repeating: 7, count: 100_000)
            #expect(try await client.emitWithAck("echo", bytes, as: ByteBuffer.self) == bytes)
            await client.disconnect()
        }
    }

    @Test func typedKeys() async throws {
        let record = Recorder()
        try await withServer(setUp: { io in
            io.onConnection { socket in
                socket.on(.note) { note, number in socket.emit(.note, Note(text: note.text + "!"), number + 1) }
            }
        }) { _, port in
            let client = try await connect(port)
            client.on(.note) { note, number in record.add("\(note.text) \(number)") }
            client.emit(.note, Note(text: "hello"), 1)
            #expect(try await record.wait(count: 1) == ["hello! 2"])
            await client.disconnect()
        }
    }

    @Test(arguments: Way.allCases)
    func manyEventsInOrder(_ way: Way) async throws {
        try await withServer { _, port in
            // While the connection is being upgraded too.
            var configuration = way.configuration
            configuration.autoConnect = false
            let client = SocketIOClient("http://127.0.0.1:\(port)", configuration: configuration)
            let numbers = client.events("echo", limit: 10_000, as: Int.self)
            client.open()
            for number in 0..<3000 {
                client.emit("echo", number)
                if number % 100 == 0 { await Task.yield() }
            }
            var next = 0
            for await number in numbers {
                #expect(number == next)
                next += 1
                if next == 3000 { break }
            }
            await client.disconnect()
        }
    }

    @Test func upgrades() async throws {
        try await withServer { io, port in
            let client = try await connect(port, "", Way.upgrade.configuration)
            try await eventually { client.transport == .websocket }
            let polling = try await connect(port, "", Way.polling.configuration)
            #expect(polling.transport == .polling)
            #expect(io.connectionCount == 2)
            await client.disconnect()
            await polling.disconnect()
        }
    }

    @Test func namespaces() async throws {
        try await withServer(setUp: { io in
            io.of("/admin").onConnection { socket in
                socket.on("who") { "admin \(socket.handshake.auth["x"] ?? .null)" }
            }
            io.onConnection { socket in socket.on("who") { "root" } }
        }) { io, port in
            let root = try await connect(port)
            let admin = root.of("/admin", auth: ["x": 1])
            try await admin.connect()
            #expect(try await root.emitWithAck("who", as: String.self) == "root")
            #expect(try await admin.emitWithAck("who", as: String.self) == "admin 1")
            #expect(io.connectionCount == 1)
            #expect(root.id != admin.id)
            await root.disconnect()
            #expect(try await admin.emitWithAck("who", as: String.self) == "admin 1")
            await admin.disconnect()
        }
    }

    @Test func queryAndHeaders() async throws {
        try await withServer(setUp: { io in
            io.onConnection { socket in
                socket.on("handshake") {
                    Ack(
                        socket.handshake.query["a"] ?? "-", socket.handshake.query["b"] ?? "-",
                        socket.handshake.headers.first(name: "x-test") ?? "-")
                }
            }
        }) { _, port in
            var configuration = Way.polling.configuration
            configuration.query = ["b": "2 &"]
            configuration.extraHeaders = ["X-Test": "yes"]
            let client = SocketIOClient("http://127.0.0.1:\(port)?a=1", configuration: configuration)
            let handshake = try await client.emitWithAck("handshake", arguments: [])
            #expect(handshake == ["1", "2 &", "yes"])
            await client.disconnect()
        }
    }
}
