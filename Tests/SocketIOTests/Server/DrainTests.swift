import Logging
import ServiceLifecycle
import TestSupport
import Testing

@testable import SocketIO

/// A server that ends takes leave of its clients one batch after the other.
@Suite struct DrainTests {
    @Test func batches() {
        func sizes(_ count: Int, _ drain: DrainConfiguration) -> [Int] {
            var left = count
            return (0..<drain.batchCount).map { batch in
                let size = drain.batchSize(of: left, batch: batch)
                left -= size
                return size
            }
        }
        let ten = DrainConfiguration(duration: .seconds(1), interval: .milliseconds(100))
        #expect(sizes(100, ten) == Array(repeating: 10, count: 10))
        #expect(sizes(95, ten).reduce(0, +) == 95)
        #expect(sizes(95, ten).allSatisfy { (9...10).contains($0) })
        #expect(sizes(3, ten) == [1, 1, 1, 0, 0, 0, 0, 0, 0, 0])
        #expect(sizes(7, DrainConfiguration(duration: .zero)) == [7])
        #expect(sizes(7, DrainConfiguration(duration: .milliseconds(10), interval: .seconds(1))) == [7])
        #expect(sizes(2, DrainConfiguration(duration: .nanoseconds(3), interval: .zero)) == [1, 1, 0])
        #expect(DrainConfiguration(duration: .seconds(-1), interval: .seconds(-1)).batchCount == 1)
    }

    /// Records the end of each socket, and how many there still are then.
    private func observe(_ io: SocketIOServer) -> Awaited<[Int]> {
        let left = Awaited<[Int]>([]) { "\($0)" }
        io.onConnection { socket in
            socket.onDisconnect { (_: DisconnectReason) in left.update { $0.append(io.main.local.socketCount) } }
        }
        return left
    }

    @Test func hundredClientsLeaveInBatches() async throws {
        try await withGrowingLimit("batches that are apart", from: .milliseconds(500)) { duration -> Bool? in
            let left = try await withServer { io, port in
                let left = self.observe(io)
                var clients: [SIOClient] = []
                for index in 0..<100 { clients.append(try await join(port, "/", bothTransports[index % 2])) }
                let drain = DrainConfiguration(duration: duration, interval: duration / 10, timeout: .seconds(60))
                async let end: Void = io.drain(drain)
                // Those whose turn has not come are served, and new ones refused.
                _ = try await left.wait("the first to leave") { $0.isEmpty ? nil : true }
                let served = await withTaskGroup(of: Bool.self) { group in
                    for client in clients { group.addTask { (try? await client.sync()) != nil } }
                    return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
                }
                await end
                for client in clients {
                    #expect(try await client.session.waitForClose().reason == "transport close")
                    #expect(client.protocolError == nil)
                }
                return served > 0 ? left.value : []
            }
            if left.isEmpty { return nil }
            #expect(left.count == 100)
            // When the first batch left most were there; in the end nobody was.
            return left.prefix(10).allSatisfy { $0 >= 70 } && left.last == 0 ? true : nil
        }
    }

    /// What a client has asked for, and what it was asked, is finished first.
    @Test(arguments: bothTransports) func whatIsUnderWayIsFinished(_ transport: EIOOptions.Transport) async throws {
        let door = Door()
        let errors = ErrorRecorder()
        try await withServer {
            $0.onError = errors.hook
        } _: { io, port in
            let left = self.observe(io)
            let started = Recorder()
            io.onConnection { socket in
                socket.on("slow") { (n: Int) async throws -> Int in
                    started.add("slow")
                    try await door.pass()
                    return n + 1
                }
                socket.on("ask") { () async throws -> Void in
                    started.add("ask")
                    let answer: Int = try await socket.emitWithAck("question")
                    started.add("answer \(answer)")
                }
                socket.on("plain") { started.add("plain") }
            }
            let caller = try await join(port, "/", transport)
            let asked = try await join(port, "/", transport)
            let idle = try await join(port, "/", transport)
            async let answer = caller.emitWithAck("slow", "41")
            try asked.emit("ask")
            let question = try await asked.nextEvent()
            try await started.wait(for: "slow")
            // Nothing runs for this one; only an answer is waited for, by somebody else.
            let questioned = try await join(port, "/", transport)
            let socket = try #require(io.main.socket(id: try questioned.id()))
            let own = Task<Int, any Error> { try await socket.emitWithAck("question") }
            let ownQuestion = try await questioned.nextEvent()
            async let end: Void = io.drain(
                DrainConfiguration(duration: .zero, timeout: .seconds(60), closeTimeout: .seconds(60)))
            // Who has nothing to wait for leaves.
            try await idle.session.waitForClose()
            _ = try await left.wait("the idle one to leave") { $0.isEmpty ? nil : true }
            #expect(left.value == [3])
            // Meanwhile the others are served.
            try caller.emit("plain")
            try await started.wait(for: "plain")
            try await caller.sync()
            try questioned.acknowledge(ownQuestion, "8")
            #expect(try await own.value == 8)
            try await questioned.session.waitForClose()
            try asked.acknowledge(question, "7")
            try await asked.session.waitForClose()
            try await started.wait(for: "answer 7")
            #expect(io.connectionCount == 1)
            door.open()
            #expect(try await answer.int(0) == 42)
            try await caller.session.waitForClose()
            await end
            #expect(errors.all.isEmpty)
            #expect(left.value.count == 4)
        }
    }

    @Test func newClientsAreRefused() async throws {
        let door = Door()
        let refusals = Awaited<[EngineIOConnectionError]>([])
        try await withServer {
            $0.engine.retryAfter = .seconds(3)
            $0.engine.onConnectionError = { error in refusals.update { $0.append(error) } }
        } _: { io, port in
            io.onConnection { socket in
                socket.on("slow") { () async throws -> Void in try await door.pass() }
            }
            let client = try await join(port, "/", .polling)
            try client.emit("slow")
            try await client.sync()
            async let end: Void = io.drain(DrainConfiguration(duration: .zero, timeout: .seconds(60)))
            for transport in bothTransports {
                try await eventually("it drains") {
                    do {
                        try await open(port, transport).session.abort()
                        return false
                    } catch let refused as EIORefused {
                        #expect(refused.reply.status == 503)
                        #expect(refused.reply.headers["retry-after"] == "3")
                        return true
                    }
                }
            }
            #expect(Set(refusals.value.map { $0.context["name"] }) == ["SERVER_CLOSING"])
            #expect(refusals.value.allSatisfy { $0.limit == nil && $0.code == 4 })
            // Nor does it ask a load balancer for more.
            let health = await io.health(timeout: .seconds(60))
            #expect(health.phase == .draining && health.isAlive && !health.isReady)
            // One that is there goes on, and may change its transport, for which it needs another connection.
            try await client.session.upgrade()
            try await client.sync()
            door.open()
            try await client.session.waitForClose()
            await end
        }
    }

    @Test func whoTakesTooLongIsDisconnected() async throws {
        let log = LogLines(level: .warning)
        let door = Door()
        try await withServer(logger: log.logger) { io, port in
            let recorder = Recorder()
            io.onConnection { socket in
                socket.on("slow") { () async throws -> Void in try await door.pass() }
                socket.onDisconnect { (reason: DisconnectReason) in recorder.add("\(reason)") }
            }
            let client = try await join(port)
            try client.emit("slow")
            try await client.sync()
            let socket = try await onlySocket(io.main)
            let answer = Task<Int, any Error> { try await socket.emitWithAck("question") }
            _ = try await client.nextEvent()
            await io.drain(
                DrainConfiguration(duration: .milliseconds(20), timeout: .milliseconds(200), closeTimeout: .seconds(60))
            )
            await #expect {
                try await answer.value
            } throws: {
                ($0 as? SocketIOError)?.code == .disconnected
            }
            try await client.session.waitForClose()
            #expect(recorder.all == ["server shutting down"])
            try await log.wait(for: "before all was finished [\"socketio.connections\": 1]")
        }
        door.open()
    }

    /// Whoever shuts the server down loses patience.
    @Test func cancelling() async throws {
        let door = Door()
        try await withServer { io, port in
            io.onConnection { socket in
                socket.on("slow") { () async throws -> Void in try await door.pass() }
            }
            let busy = try await join(port)
            try busy.emit("slow")
            try await busy.sync()
            let idle = try await join(port)
            let hours = DrainConfiguration(duration: .seconds(7200), interval: .seconds(3600), timeout: .seconds(3600))
            let drain = Task { await io.drain(hours) }
            try await eventually("one to have its turn") { io.engine?.isDraining == true }
            drain.cancel()
            await drain.value
            try await busy.session.waitForClose()
            try await idle.session.waitForClose()
        }
        door.open()
    }

    @Test func withoutClients() async throws {
        try await withServer { io, _ in await io.drain(DrainConfiguration(duration: .seconds(3600))) }
        let idle = SocketIOServer()
        await idle.drain()
    }

    /// A graceful shutdown drains if that is configured.
    @Test func asAService() async throws {
        let door = Door()
        let port = try FreePorts.next()
        var configuration = SocketIOConfiguration(port: port)
        configuration.drain = DrainConfiguration(duration: .milliseconds(50), timeout: .seconds(60))
        let io = SocketIOServer(configuration: configuration)
        io.onConnection { socket in
            socket.on("slow") { () async throws -> Int in
                try await door.pass()
                return 1
            }
        }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let group = ServiceGroup(services: [io], logger: logger)
        let service = Task { try await group.run() }
        let joined = Awaited<SIOClient?>(nil)
        try await eventually("it listens") {
            guard let client = try? await join(port) else { return false }
            joined.update { $0 = client }
            return true
        }
        let client = try #require(joined.value)
        async let answer = client.emitWithAck("slow")
        try await eventually("it runs") { io.connections.first?.runningHandlers.load(ordering: .relaxed) == 1 }
        await group.triggerGracefulShutdown()
        try await eventually("it drains") { io.engine?.isDraining == true }
        #expect(io.connectionCount == 1)
        door.open()
        #expect(try await answer.int(0) == 1)
        try await service.value
        try await client.session.waitForClose()
        expectEmpty(io)
    }
}
