import SocketIO
import TestSupport
import Testing

/// The README's code, so that it compiles and does what it says.
@Suite struct ReadmeTests {
    struct Message: Codable, Sendable {
        var user: String
        var text: String
    }

    @Test func opening() async throws {
        let io = SocketIOServer()
        io.onConnection { socket in
            socket.join("lobby")
            socket.on("message") { (message: Message) in
                socket.to("lobby").emit("message", message)
                return "received"  // the client's acknowledgement
            }
            socket.onDisconnect { reason in print(socket.id, "has left:", reason) }
        }
        let port = try #require(try await io.start(port: 0).port)
        let (one, two) = (try await join(port), try await join(port))
        let reply = try await one.emitWithAck("message", #"{"user":"ann","text":"hello"}"#)
        #expect(reply.string(0) == "received")
        #expect(try await two.expectEvent("message").object(0)?["text"] as? String == "hello")
        await io.close()
    }

    private struct File {
        var chunks: AsyncStream<String> {
            AsyncStream { continuation in
                for number in 0..<20 { continuation.yield(String(repeating: "\(number % 10)", count: 100_000)) }
                continuation.finish()
            }
        }
    }

    @Test func slowClients() async throws {
        let io = SocketIOServer()
        io.onConnection { socket in
            socket.on("sync") { true }
        }
        let port = try #require(try await io.start(port: 0).port)
        let client = try await join(port)
        let socket = try await onlySocket(io.main)
        socket.join("room")
        let file = File()
        let (x, y) = (1, 2)
        func send() async throws {
            for try await chunk in file.chunks {
                try await socket.ready()  // until at most 64 KiB wait for this client
                socket.emit("chunk", chunk)
            }
        }
        async let sent: Void = send()
        for number in 0..<20 {
            #expect(try await client.expectEvent("chunk").string(0)?.first == "\(number % 10)".first)
        }
        try await sent
        io.to("room").volatile.emit("cursor", x, y)
        io.to("room").conflating("price").emit("price", 9.5)
        let names = try await client.eventsSoFar()
        #expect(names.last == "price")
        await io.close()
    }

    struct Credentials: Decodable { var token: String }

    struct Draft: Codable, Sendable { var text: String }

    actor Store {
        func save(_ draft: Draft) throws -> Int { draft.text.count }
        func isAdmin(_ token: String) -> Bool { token == "secret" }
    }

    @Test func snippets() async throws {
        let store = Store()
        let io = SocketIOServer()
        io.onConnection { socket in
            socket.on("sum") { (a: Int, b: Int) in a + b }
            socket.on("save") { (draft: Draft) in try await store.save(draft) }
            socket.on("pair") { (name: String) in Ack(name, 200) }
            socket.on("later") { (id: Int, reply: AckReply) in Task { reply("done \(id)") } }
            socket.on("anything") { (arguments: Arguments) in socket.emit("anything", arguments: arguments.values) }
            socket.on(.typing) { user, isTyping in socket.broadcast.volatile.emit(.typing, user, isTyping) }
        }
        let admin = io.of("/admin")
        admin.use { socket in
            let credentials = try socket.handshake.auth(as: Credentials.self)
            guard await store.isAdmin(credentials.token) else {
                throw ConnectError("not authorized", data: ["code": 401])
            }
        }
        let tenants = io.of(/^\/tenant-\d+$/)
        tenants.onConnection { socket in socket.emit("welcome", socket.namespace.name) }

        let port = try #require(try await io.start(port: 0).port)
        let client = try await join(port)
        #expect(try await client.emitWithAck("sum", "1", "2").int(0) == 3)
        #expect(try await client.emitWithAck("save", #"{"text":"four"}"#).int(0) == 4)
        #expect(try await client.emitWithAck("pair", "\"x\"").int(1) == 200)
        #expect(try await client.emitWithAck("later", "7").string(0) == "done 7")
        try client.emit("anything", "1", "[2]")
        #expect(try await client.expectEvent("anything").count == 2)
        await #expect(throws: SIORefused.self) { try await client.connect("/admin", auth: #"{"token":"no"}"#) }
        try await client.connect("/admin", auth: #"{"token":"secret"}"#)
        try await client.connect("/tenant-7")
        #expect(try await client.expectEvent("welcome", namespace: "/tenant-7").string(0) == "/tenant-7")
        await io.close()
    }
}

extension Event { fileprivate static var typing: Event<String, Bool> { .init("typing") } }
