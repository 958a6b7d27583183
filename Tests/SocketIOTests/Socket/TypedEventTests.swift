import NIOCore
import SocketIO
import TestSupport
import Testing

struct Message: Codable, Sendable, Equatable {
    var text: String
    var file: ByteBuffer?
}

extension Event {
    fileprivate static var message: Event<Message, Int> { .init("message") }
    fileprivate static var ping: Event<> { .init("ping") }
    fileprivate static var name: Event<String> { .init("name") }
}

private enum Chat {
    static let join = AckEvent<[String], String>("join")
    static let leave = AckEvent<Bool>("leave")
    static let square = AckEvent<Int, Int>("square")
}

/// Declared once, events have the types of their arguments on both ends.
@Suite struct TypedEventTests {
    @Test func throughTheWire() async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            io.main.onConnection { socket in
                socket.on(.message) { message, number in
                    recorder.add("\(message.text) \(message.file?.readableBytes ?? -1) \(number)")
                    socket.emit(.message, message, number + 1)
                }
                socket.on(.name) { name in
                    await Task.yield()
                    recorder.add(name)
                }
                socket.once(.ping) { recorder.add("ping") }
                socket.on(Chat.join) { room in [room, "lobby"] }
                socket.on(Chat.leave) { () async in true }
            }
            let client = try await join(port)
            try client.emit(
                "message", "{\"text\":\"hi\",\"file\":\(SIOClient.placeholder(0))}", "1", binary: [[1, 2, 3]])
            let answer = try await client.expectEvent("message")
            #expect(answer.object(0)?["text"] as? String == "hi")
            #expect(answer.attachment(answer.object(0)?["file"]) == [1, 2, 3])
            #expect(answer.int(1) == 2)
            try client.emit("name", "\"x\"")
            try client.emit("ping")
            try client.emit("ping")
            #expect(try await client.emitWithAck("join", "\"a\"").json == "[[\"a\",\"lobby\"]]")
            #expect(try await client.emitWithAck("leave").json == "[true]")
            #expect(Set(try await recorder.wait(count: 3)) == ["hi 3 1", "x", "ping"])
        }
    }

    @Test func everybodyWhoSendsTakesThem() async throws {
        try await withServer { io, port in
            let client = try await join(port)
            let socket = try await onlySocket(io.main)
            socket.volatile.emit(.ping)
            io.emit(.name, "server")
            io.main.emit(.name, "namespace")
            io.to(Room(socket.id)).emit(.name, "operator")
            try await io.fetchSockets().first?.emit(.name, "remote")
            let texts = try await Array(0..<5).asyncMap { _ in try await client.nextEvent().arguments.string(0) ?? "-" }
            #expect(texts.filter { $0 != "-" } == ["server", "namespace", "operator", "remote"])

            async let one = socket.emitWithAck(Chat.square, 3, timeout: .seconds(10))
            try client.acknowledge(try await client.nextEvent(), "9")
            #expect(try await one == 9)
            async let timed = socket.timeout(.seconds(10)).emitWithAck(Chat.square, 4)
            try client.acknowledge(try await client.nextEvent(), "16")
            #expect(try await timed == 16)
            async let many = io.emitWithAck(Chat.square, 5)
            try client.acknowledge(try await client.nextEvent(), "25")
            #expect(try await many == [25])
        }
    }
}

extension Array where Element: Sendable {
    /// The results of `transform`, one after the other.
    func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}

/// What the compiler accepts: each line here is a shape of handler or call that users write. It is compiled, and run once so
/// that nothing of it is dead.
@Suite struct CallShapes {
    @Test func compile() async throws {
        try await withServer { io, port in
            io.use { socket in if socket.id.isEmpty { throw ConnectError("unauthorized") } }
            io.onConnection { socket in
                socket.join("lobby")
                socket.on("chat") { (text: String) in socket.to("lobby").emit("chat", text) }
                socket.on("sum") { (a: Int, b: Int) in a + b }
                socket.on("slow") { (n: Int) in try await Task.sleep(for: .milliseconds(n)) }
                socket.on("pair") { (a: Int) in Ack("ok", a) }
                socket.on("optional") { (a: Int, b: String?) in _ = (a, b) }
                socket.on("none") { socket.emit("none") }
                socket.on("late") { (a: Int, ack: AckReply) in ack("later", a) }
                socket.on("conditional") { (a: Int) in if a > 0 { "x" } else { "y" } }
                socket.on(.message) { m, n in _ = (m.text, n) }
                socket.on(.ping) { socket.emit(.ping) }
                socket.on(Chat.join) { room in
                    socket.join(Room(room))
                    return [room]
                }
                socket.emit("hello", 1, "x", [1.5])
                socket.emit(.message, Message(text: "x"), 2)
                socket.broadcast.volatile.emit("joined", socket.id)
                socket.compress(true).volatile.emit("compressed")
            }
            io.to("lobby").except("muted").compress(false).local.emit("tick", 1)
            let client = try await join(port)
            #expect(try await client.emitWithAck("conditional", "1").string(0) == "x")
            #expect(try await client.emitWithAck("pair", "1").json == "[\"ok\",1]")
            #expect(try await client.emitWithAck("late", "1").json == "[\"later\",1]")
        }
    }
}
