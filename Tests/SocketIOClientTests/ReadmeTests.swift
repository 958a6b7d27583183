import SocketIO
import SocketIOClient
import TestSupport
import Testing

/// The README's code on the client, so that it compiles and does what it says.
@Suite struct ReadmeTests {
    struct Message: Codable, Sendable {
        var user: String
        var text: String
    }

    /// Declared once, for both sides.
    enum Chat {
        static let message = Event<Message>("message")
        static let typing = Event<String, Bool>("typing")
        static let count = AckEvent<Int>("count")
    }

    @Test func aClientAndAServerWithTheSameKeys() async throws {
        let io = SocketIOServer()
        io.of("/chat").onConnection { socket in
            socket.on(Chat.message) { message in socket.emit(Chat.message, message) }
            socket.on(Chat.count) { io.of("/chat").sockets.count }
            socket.on(Chat.typing) { user, isTyping in socket.emit(Chat.typing, user, !isTyping) }
        }
        let port = try #require(try await io.start(port: 0).port)
        let heard = Awaited<[String]>([])
        let client = SocketIOClient("http://127.0.0.1:\(port)/chat", auth: ["token": "abc"])
        client.on("message") { (message: Message) in heard.update { $0.append(message.text) } }
        client.on(Chat.typing) { user, isTyping in heard.update { $0.append("\(user) \(isTyping)") } }
        client.onDisconnect { gone in heard.update { $0.append("gone: \(gone.reason)") } }
        try await client.connect()
        client.emit("message", Message(user: "ann", text: "hello"))
        client.emit(Chat.typing, "ann", true)
        let count: Int = try await client.emitWithAck("count", timeout: .seconds(5))
        #expect(count == 1)
        let sameCount = try await client.emitWithAck(Chat.count)
        #expect(sameCount == 1)
        try await heard.wait("both events") { $0 == ["hello", "ann false"] ? () : nil }
        await client.disconnect()
        try await heard.wait("the end") { $0.last == "gone: io client disconnect" ? () : nil }
        await io.close()
    }
}
