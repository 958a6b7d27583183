import SocketIO
import TestSupport
import Testing

/// Whoever waits for something is told when it can't come any more.
@Suite struct WaiterTests {
    @Test func afterCloseNobodyWaits() async throws {
        let recorder = Recorder()
        let door = Door()
        let io = SocketIOServer()
        io.of("/slow").use { _ in
            recorder.add("middleware")
            try await door.pass()
            recorder.add("middleware ends")
        }
        let port = try #require(try await io.start(port: 0).port)
        let client = try await join(port)
        try client.sendRaw("0/slow,")
        try await recorder.wait(for: "middleware")
        let socket = try await onlySocket(io.main)
        let sequence = socket.events("n", as: Int.self)
        let waiters: [Task<Void, Never>] = [
            Task { _ = try? await socket.emitWithAck("q", as: Int.self) },
            Task { _ = try? await socket.emitWithAck("q", timeout: .seconds(3600), as: Int.self) },
            Task { _ = try? await io.timeout(.seconds(3600)).emitWithAck("q", as: Int.self) },
            Task { for await _ in sequence {} },
        ]
        try await eventually("all wait") { socket.pendingAckCount == 3 }
        await io.close()
        for waiter in waiters { try await withTimeout { await waiter.value } }
        #expect(socket.pendingAckCount == 0)
        expectEmpty(io)
        // A socket that is left over answers as one that is disconnected.
        await #expect(throws: SocketIOError.self) {
            try await socket.emitWithAck("q", timeout: .seconds(1), as: Int.self)
        }
        let none: [Int] = try await io.emitWithAck("q")
        #expect(none.isEmpty)
        socket.emit("x")
        io.emit("x")
        socket.join("a")
        socket.disconnect(close: true)
        #expect(socket.rooms.isEmpty)
        // A middleware that ends only now joins nobody.
        door.open()
        try await recorder.wait(for: "middleware ends")
        #expect(io.of("/slow").sockets.isEmpty)
    }

    /// A client that does not read is closed when too much waits for it; the others go on.
    @Test func clientThatNeverReads() async throws {
        let recorder = Recorder()
        try await withServer {
            $0.engine.maxOutboxBytes = 1 << 20
        } _: { io, port in
            io.main.onConnection { socket in
                socket.onDisconnect { (reason: DisconnectReason) in recorder.add("\(socket.id) \(reason)") }
            }
            var options = EIOOptions(port: port, transport: .websocket)
            options.receiveBuffer = 8192
            let deaf = try await SIOClient.open(options)
            try await deaf.connect()
            let other = try await join(port)
            try await deaf.session.pauseReading()
            let text = String(repeating: "x", count: 100_000)
            let id = try deaf.id()
            for n in 0..<1000 where io.main.socket(id: id) != nil {
                io.emit("n", n, text)
                #expect(try await other.expectEvent("n").int(0) == n)
                let buffered = io.main.socket(id: id)?.connection.session.bufferedBytes ?? 0
                #expect(buffered <= (1 << 20) + 110_000)
            }
            try await recorder.wait(for: "\(id) transport error")
            try await other.sync()
            #expect(io.main.sockets.count == 1)
        }
    }
}
