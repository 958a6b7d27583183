import SocketIO
import SocketIOClient
import TestSupport
import Testing

/// Servers that go and come back at the same port.
struct ReconnectionTests {
    private let record = Recorder()

    private func restart(_ io: SocketIOServer, _ port: Int, setUp: (SocketIOServer) -> Void = { _ in }) async throws
        -> SocketIOServer
    {
        await io.close(timeout: .seconds(1))
        let next = makeServer()
        setUp(next)
        try await listen(next, port)
        return next
    }

    @Test(arguments: Way.allCases)
    func comesBack(_ way: Way) async throws {
        let first = makeServer()
        let port = try await startAtAFreePort(first)
        let client = try await connect(port, "", way.configuration)
        client.onDisconnect { self.record.add("disconnect \($0.willReconnect)") }
        client.onReconnect { _ in self.record.add("reconnect") }
        client.onConnect { self.record.add("connect") }
        let id = client.id
        await first.close(timeout: .seconds(1))
        try await self.record.wait(for: "disconnect true")
        client.emit("echo", "kept")
        client.volatile.emit("echo", "gone")
        let answers = client.events("echo", as: String.self)
        let second = makeServer()
        try await listen(second, port)
        for await answer in answers {
            #expect(answer == "kept")
            break
        }
        #expect(self.record.all == ["disconnect true", "reconnect", "connect"])
        #expect(client.id != id)
        #expect(try await client.emitWithAck("echo", 1, as: Int.self) == 1)
        await client.disconnect()
        await second.close(timeout: .seconds(1))
    }

    @Test func underTraffic() async throws {
        let first = makeServer()
        let port = try await startAtAFreePort(first)
        let client = try await connect(port)
        let isOver = Flag()
        let traffic = Task {
            var answered = 0
            while !isOver.isSet {
                if (try? await client.emitWithAck("echo", answered, timeout: .seconds(5), as: Int.self)) == answered {
                    answered += 1
                } else {
                    await Task.yield()
                }
            }
            return answered
        }
        var io = first
        for _ in 0..<3 {
            let next = try await self.restart(io, port)
            try await eventually("the client is back") { next.connectionCount == 1 && client.connected }
            #expect(try await client.emitWithAck("echo", "there", as: String.self) == "there")
            io = next
        }
        isOver.set()
        #expect(await traffic.value > 0)
        await client.disconnect()
        await io.close(timeout: .seconds(1))
    }

    @Test func retriesOverARestart() async throws {
        let received = Awaited<[Int]>([])
        let setUp: (SocketIOServer) -> Void = { io in
            io.onConnection { socket in
                socket.on("n") { (number: Int) in
                    received.update { $0.append(number) }
                    return true
                }
            }
        }
        let first = makeServer()
        setUp(first)
        let port = try await startAtAFreePort(first)
        var configuration = Way.websocket.configuration
        configuration.retries = 100
        configuration.ackTimeout = .milliseconds(500)
        let client = try await connect(port, "", configuration)
        for number in 0..<200 { client.emit("n", number) }
        try await received.wait("some") { $0.count >= 20 ? true : nil }
        let second = try await self.restart(first, port, setUp: setUp)
        for number in 200..<400 { client.emit("n", number) }
        let all = try await received.wait("all", timeout: .seconds(60)) { $0.last == 399 ? $0 : nil }
        #expect(inOrderAtLeastOnce(all, 400))
        await client.disconnect()
        await second.close(timeout: .seconds(1))
    }

    /// What came to a WebSocket begins with one the next time, if that is wanted.
    @Test(arguments: [true, false]) func rememberedUpgrade(isRemembered: Bool) async throws {
        try await withServer(setUp: { io in
            io.onConnection { self.record.add($0.handshake.query["transport"] ?? "none") }
        }) { _, port in
            let proxy = try await FaultyProxy.start(toPort: port)
            var configuration = Way.upgrade.configuration
            configuration.rememberUpgrade = isRemembered
            let client = SocketIOClient("http://127.0.0.1:\(proxy.port)", configuration: configuration)
            try await self.record.wait(count: 1)
            try await eventually("the upgrade") { client.transport == .websocket }
            proxy.closeAll()
            #expect(try await self.record.wait(count: 2) == ["polling", isRemembered ? "websocket" : "polling"])
            try await client.connect(timeout: .seconds(30))
            #expect(try await client.emitWithAck("echo", 1, as: Int.self) == 1)
            await client.disconnect()
            await proxy.stop()
        }
    }

    @Test func theServerDisconnects() async throws {
        try await withServer { io, port in
            let client = try await connect(port)
            client.onDisconnect { self.record.add("\($0.reason) \($0.willReconnect)") }
            io.disconnectSockets()
            try await self.record.wait(for: "io server disconnect false")
            #expect(!client.active)
            try await client.connect()
            io.disconnectSockets(close: true)
            try await eventually { self.record.count("io server disconnect false") == 2 }
            #expect(!client.active)
        }
    }

    @Test func backgroundAndForeground() async throws {
        try await withServer { io, port in
            let client = try await connect(port, "", Way.upgrade.configuration)
            client.background()
            try await eventually("the server knows") { io.connectionCount == 0 && client.state == .suspended }
            let answer = Task { try await client.emitWithAck("echo", 5, as: Int.self) }
            client.foreground()
            #expect(try await answer.value == 5)
            // Between two polls the server learns of a client's end by its next ping only.
            try await eventually { client.transport == .websocket }
            client.networkChanged(available: false)
            try await eventually("the server notices the cut") { io.connectionCount == 0 }
            client.networkChanged(available: true)
            #expect(try await client.emitWithAck("echo", 6, as: Int.self) == 6)
            client.networkChanged(available: true)
            #expect(try await client.emitWithAck("echo", 7, as: Int.self) == 7)
            await client.disconnect()
        }
    }
}

/// Whether a list has all numbers, each for the first time in order.
private func inOrderAtLeastOnce(_ list: [Int], _ count: Int) -> Bool {
    var next = 0
    for number in list {
        if number > next { return false }
        if number == next { next += 1 }
    }
    return next == count
}
