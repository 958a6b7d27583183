import SocketIO
import TestSupport
import Testing

/// Middlewares that see each event of a socket.
@Suite struct PacketMiddlewareTests {
    @Test func inOrderAndMayRewrite() async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            io.main.onConnection { socket in
                socket.use { event in
                    recorder.add("first \(event.name) \(event.arguments)")
                    if event.name == "join" {
                        event.name = "joined"
                        event.arguments = [.int((event.arguments.first?.intValue ?? 0) + 1), "added"]
                    }
                }
                socket.use { event in
                    await Task.yield()
                    recorder.add("second \(event.name)")
                }
                socket.onAny { event, _ in recorder.add("any \(event)") }
                socket.on("joined") { (n: Int, text: String) in
                    recorder.add("joined \(n) \(text)")
                    return n
                }
                socket.on("join") { recorder.add("never") }
            }
            let client = try await join(port)
            #expect(try await client.emitWithAck("join", "41").json == "[42]")
            #expect(recorder.all == ["first join [41]", "second joined", "any joined", "joined 42 added"])
        }
    }

    @Test func errorStopsTheEvent() async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            io.main.onConnection { socket in
                socket.onError { recorder.add("\($0)") }
                socket.use { event in
                    if event.name == "refused" { throw TestError("no") }
                }
                socket.use { event in recorder.add("passed \(event.name)") }
                socket.on("refused") { recorder.add("handler") }
            }
            let client = try await join(port)
            try client.sendRaw("25[\"refused\",1]")
            try await client.sync()
            #expect(recorder.all == ["\(TestError("no"))", "passed sync"])
            #expect(client.protocolError == nil)
        }
    }

    /// What comes behind an event that is passing waits for it, the client's leaving too; acknowledgements do not.
    @Test func orderAndEnd() async throws {
        let recorder = Recorder()
        let door = Door()
        try await withServer { io, port in
            io.main.onConnection { socket in
                socket.use { event in if event.name == "late" { try await door.pass() } }
                socket.use { event in
                    if event.name == "ask" { recorder.add(try await socket.emitWithAck("question")) }
                }
                socket.on("n") { (n: Int) in recorder.add("\(n)") }
                socket.on("late") { recorder.add("late") }
                socket.on("ask") { recorder.add("ask") }
                socket.onDisconnect { (_: DisconnectReason) in recorder.add("disconnect") }
            }
            let client = try await join(port)
            try client.emit("ask")
            try client.acknowledge(try await client.nextEvent(), "\"answer\"")
            for n in 0..<50 { try client.emit("n", "\(n)") }
            try client.emit("late")
            try client.emit("n", "50")
            try client.disconnect()
            try await recorder.wait(for: "49")
            #expect(!recorder.all.contains("disconnect"))
            door.open()
            try await recorder.wait(for: "disconnect")
            try await client.connect()
            try await client.sync()
            let expected = ["answer", "ask"] + (0..<50).map { "\($0)" } + ["late", "50", "disconnect"]
            #expect(recorder.all == expected)
        }
    }
}
