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

    /// Events keep their order although each passes asynchronously, as long as the middlewares do not wait for different
    /// things; what is still on its way when the client leaves is dropped.
    @Test func orderAndEnd() async throws {
        let recorder = Recorder()
        let door = Door()
        try await withServer { io, port in
            io.main.onConnection { socket in
                socket.use { event in if event.name == "late" { try await door.pass() } }
                socket.on("n") { (n: Int) in recorder.add("\(n)") }
                socket.on("late") { recorder.add("late") }
                socket.onDisconnect { (_: DisconnectReason) in recorder.add("disconnect") }
            }
            let client = try await join(port)
            for n in 0..<50 { try client.emit("n", "\(n)") }
            try client.emit("late")
            try await client.sync()
            try client.disconnect()
            try await recorder.wait(for: "disconnect")
            door.open()
            try await client.connect()
            try await client.sync()
            #expect(recorder.all == (0..<50).map { "\($0)" } + ["disconnect"])
        }
    }
}
