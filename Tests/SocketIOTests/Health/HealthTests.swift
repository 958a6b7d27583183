import EngineIO
import Foundation
import NIOCore
import SocketIO
import SocketIOTesting
import TestSupport
import Testing

/// What a server says to probes.
struct HealthTests {
    @Test func overTheLifeOfAServer() async throws {
        var configuration = SocketIOConfiguration()
        configuration.engine.eventLoopCount = 2
        let io = SocketIOServer(configuration: configuration)
        io.onConnection { socket in socket.on("sync") { true } }
        var health = await io.health()
        #expect(health.phase == .idle)
        #expect(health.isAlive && !health.isReady)
        #expect(health.loops == 0)
        #expect(health.problems == ["the server does not listen yet"])

        let port = try #require(try await io.start(port: 0).port)
        let client = try await join(port)
        health = await io.health(timeout: .seconds(60))
        #expect(health.phase == .listening)
        #expect(health.isAlive && health.isReady && health.isAdapterReady)
        #expect(health.loops == 2 && health.answeringLoops == 2)
        #expect(health.sessions == 1 && health.sockets == 1)
        #expect(health.problems == [])

        await client.close()
        await io.close(timeout: .seconds(1))
        health = await io.health()
        #expect(health.phase == .closed)
        #expect(health.isAlive && !health.isReady)
        #expect(health.sessions == 0 && health.sockets == 0 && health.loops == 0)
        #expect(health.problems == ["the server is closed"])
    }

    @Test func whileClosing() async throws {
        var configuration = SocketIOConfiguration()
        configuration.engine.eventLoopCount = 1
        let io = SocketIOServer(configuration: configuration)
        let port = try #require(try await io.start(port: 0).port)
        // A client that answers no close frame: it takes the time that closing may take.
        let webSocket = try await WSClient.connect(port: port, path: "/socket.io/?EIO=4&transport=websocket")
        _ = try await webSocket.nextText()
        let isClosed = Flag()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await io.close(timeout: .seconds(60))
                isClosed.set()
            }
            try await eventually("draining") { await io.health(timeout: .seconds(60)).phase == .draining }
            let health = await io.health(timeout: .seconds(60))
            #expect(health.phase == .draining)
            #expect(health.isAlive && !health.isReady)
            #expect(health.loops == 1 && health.answeringLoops == 1)
            #expect(health.problems == ["the server is being closed"])
            #expect(!isClosed.isSet)
            await webSocket.connection.close()
            try await group.waitForAll()
        }
        #expect(await io.health().phase == .closed)
    }

    /// A server that takes leave of its clients admits no new ones, and says so.
    @Test func whileDraining() async throws {
        let door = Door()
        let hasStarted = Awaited(false)
        var configuration = SocketIOConfiguration()
        configuration.engine.eventLoopCount = 1
        let io = SocketIOServer(configuration: configuration)
        io.onConnection { socket in
            socket.on("wait") { () async throws -> Bool in
                hasStarted.update { $0 = true }
                try await door.pass()
                return true
            }
        }
        let port = try #require(try await io.start(port: 0).port)
        let client = try await join(port)
        try client.emit("wait")
        try await hasStarted.wait("the handler") { $0 ? true : nil }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await io.drain(DrainConfiguration(duration: .zero, timeout: .seconds(600)))
            }
            try await eventually("draining") { await io.health(timeout: .seconds(60)).phase == .draining }
            let health = await io.health(timeout: .seconds(60))
            #expect(health.isAlive && !health.isReady)
            #expect(health.sockets == 1)
            #expect(health.problems == ["the server is being closed"])
            door.open()
            try await group.waitForAll()
        }
        #expect(await io.health().phase == .closed)
        await client.close()
    }

    @Test func loopThatIsBlocked() async throws {
        try await withServer(loops: 2) { io, port in
            let gate = DispatchSemaphore(value: 0)
            defer { gate.signal() }
            let isBlocked = Awaited(false)
            io.onConnection { socket in
                socket.on("block") { () -> Bool in
                    isBlocked.update { $0 = true }
                    gate.wait()
                    return true
                }
            }
            let client = try await join(port)
            try client.emit("block")
            try await isBlocked.wait("the handler") { $0 ? true : nil }
            // The other one has long answered when the time is up.
            try await withGrowingLimit("one loop of two", from: .milliseconds(200)) { limit in
                let health = await io.health(timeout: limit)
                #expect(health.loops == 2)
                #expect(health.answeringLoops < 2)
                #expect(!health.isAlive && !health.isReady)
                guard health.answeringLoops == 1 else { return nil as Bool? }
                #expect(health.problems == ["1 of 2 event loops have not answered in time"])
                return true
            }
            gate.signal()
            #expect(await io.health(timeout: .seconds(60)).isReady)
            await client.close()
        }
    }

    @Test func adapterThatIsNotReady() async throws {
        let isReady = Flag()
        try await withServer {
            $0.adapter = { AdapterWithStatus(InMemoryAdapter($0), isReady: isReady) }
        } _: { io, _ in
            _ = io.of("/b")
            _ = io.of("/a")
            var health = await io.health(timeout: .seconds(60))
            #expect(!health.isAdapterReady)
            #expect(health.isReady, "its own clients are served")
            #expect(health.problems == ["adapter of / and 2 more: nobody is there"])
            isReady.set()
            health = await io.health(timeout: .seconds(60))
            #expect(health.isAdapterReady && health.problems == [])
        }
    }

    @Test func isCodable() async throws {
        let io = SocketIOServer()
        let health = await io.health()
        let json = try JSONEncoder().encode(health)
        #expect(try JSONDecoder().decode(ServerHealth.self, from: json) == health)
        #expect(String(decoding: json, as: UTF8.self).contains("\"phase\":\"idle\""))
    }

    @Test func askingWhileItIsClosed() async throws {
        for _ in 0..<20 {
            let io = SocketIOServer()
            try await io.start(port: 0)
            async let health = io.health(timeout: .seconds(60))
            await io.close(timeout: .zero)
            #expect(await health.isAlive)
        }
    }
}

/// An adapter that says that it is not ready.
private struct AdapterWithStatus: Adapter {
    let adapter: InMemoryAdapter
    let isReady: Flag

    init(_ adapter: InMemoryAdapter, isReady: Flag) {
        self.adapter = adapter
        self.isReady = isReady
    }

    var status: AdapterStatus { self.isReady.isSet ? .ready : .notReady(reason: "nobody is there") }

    func start() {}
    func close() async {}
    func broadcast(_ packet: BroadcastPacket, to target: BroadcastTarget) {
        self.adapter.broadcast(packet, to: target)
    }
    func broadcastWithAck(_ packet: BroadcastPacket, to target: BroadcastTarget, collector: AckCollector) {
        self.adapter.broadcastWithAck(packet, to: target, collector: collector)
    }
    func fetchSockets(_ target: BroadcastTarget) async throws -> ClusterAnswer<SocketDescription> {
        try await self.adapter.fetchSockets(target)
    }
    func socketsJoin(_ rooms: [Room], _ target: BroadcastTarget) { self.adapter.socketsJoin(rooms, target) }
    func socketsLeave(_ rooms: [Room], _ target: BroadcastTarget) { self.adapter.socketsLeave(rooms, target) }
    func disconnectSockets(_ target: BroadcastTarget, close: Bool) {
        self.adapter.disconnectSockets(target, close: close)
    }
    func serverSideEmit(_ packet: BroadcastPacket) {}
    func serverSideEmitWithAck(
        _ packet: BroadcastPacket, timeout: Duration?
    ) async throws -> ClusterAnswer<SocketIOValue> { ClusterAnswer([]) }
    func serverCount() async throws -> Int { 1 }
}
