import SocketIO
import TestSupport
import Testing

/// Beginning and end of a server.
@Suite struct ServingTests {
    @Test func closingDisconnectsAndFreesThePort() async throws {
        let io = SocketIOServer()
        // None that the system gives to others meanwhile.
        let port = try FreePorts.next()
        _ = try await io.start(port: port)
        let clients = try await bothTransports.asyncMap { try await join(port, "/", $0) }
        #expect(io.main.sockets.count == 2)
        #expect(io.connectionCount == 2)
        await io.close(timeout: .seconds(2))
        expectEmpty(io)
        for client in clients { try await client.session.waitForClose() }
        // The port is free: another server takes it.
        let next = SocketIOServer()
        #expect(try await next.start(port: port).port == port)
        await next.close()
    }

    /// A server that never listened, and one that is closed twice, also at the same time.
    @Test func closingMoreThanOnce() async throws {
        let idle = SocketIOServer()
        await idle.close()
        await idle.close()
        let io = SocketIOServer()
        _ = try await io.start(port: 0)
        async let first: Void = io.close()
        async let second: Void = io.close()
        _ = await (first, second)
        await io.close()
        for server in [idle, io] {
            await #expect { try await server.start(port: 0) } throws: { ($0 as? SocketIOError)?.code == .serverClosed }
        }
    }

    @Test func severalAddresses() async throws {
        try await withServer { io, port in
            let second = try #require(try await io.start(host: "127.0.0.1", port: 0).port)
            #expect(second != port)
            let one = try await join(port)
            let two = try await join(second)
            io.emit("x")
            _ = try await one.expectEvent("x")
            _ = try await two.expectEvent("x")
        }
    }

    @Test func portInUse() async throws {
        try await withServer { _, port in
            let other = SocketIOServer()
            await #expect(throws: (any Error).self) { try await other.start(port: port) }
            // It may try again.
            _ = try await other.start(port: 0)
            await other.close()
        }
    }

    @Test func wrongConfiguration() async throws {
        var configuration = SocketIOConfiguration()
        configuration.engine.path = "no slash"
        let io = SocketIOServer(configuration: configuration)
        await #expect(throws: EngineIOConfigurationError.self) { try await io.start(port: 0) }
        await io.close()
    }

    /// As a service it serves until its task is cancelled, then disconnects the clients.
    @Test func asAService() async throws {
        let recorder = Recorder()
        let port = try FreePorts.next()
        let io = SocketIOServer(configuration: SocketIOConfiguration(port: port))
        io.main.onConnection { socket in
            socket.onDisconnect { (reason: DisconnectReason) in recorder.add("\(reason)") }
        }
        let service = Task { try await io.run() }
        let client = Awaited<SIOClient?>(nil)
        try await eventually("it listens") {
            guard let joined = try? await join(port) else { return false }
            client.update { $0 = joined }
            return true
        }
        service.cancel()
        try await service.value
        #expect(recorder.all == ["server shutting down"])
        try await client.value?.session.waitForClose()
        expectEmpty(io)
    }

    /// What clients are told at the end comes before it, on both transports.
    @Test func whatWasSentBeforeArrives() async throws {
        let io = SocketIOServer()
        let port = try #require(try await io.start(port: 0).port)
        let clients = try await bothTransports.asyncMap { try await join(port, "/", $0) }
        for n in 0..<100 { io.emit("n", n) }
        await io.close(timeout: .seconds(60))
        for client in clients {
            for n in 0..<100 { #expect(try await client.expectEvent("n").int(0) == n) }
        }
    }

    /// Clients that join, leave and call meanwhile do no harm.
    @Test func closingUnderTraffic() async throws {
        let recorder = Recorder()
        var configuration = SocketIOConfiguration()
        configuration.engine.eventLoopCount = 4
        let io = SocketIOServer(configuration: configuration)
        io.use { _ in await Task.yield() }
        io.main.onConnection { socket in
            recorder.add("connection")
            socket.join("room")
            socket.on("echo") { (n: Int) in
                io.to("room").emit("n", n)
                return n
            }
            socket.onDisconnect { (_: DisconnectReason) in recorder.add("disconnect") }
        }
        // Nobody else gets this one: they try until nothing listens there.
        let port = try FreePorts.next()
        _ = try await io.start(port: port)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<10 {
                group.addTask {
                    while let client = try? await join(port, "/", bothTransports[index % 2]) {
                        while (try? await client.emitWithAck("echo", "1")) != nil, !Bool.random() {}
                        await client.session.abort()
                    }
                }
            }
            try await eventually("there is traffic") { recorder.count("connection") > 20 }
            await io.close(timeout: .milliseconds(500))
            try await group.waitForAll()
        }
        expectEmpty(io)
        #expect(recorder.count("connection") == recorder.count("disconnect"))
    }
}
