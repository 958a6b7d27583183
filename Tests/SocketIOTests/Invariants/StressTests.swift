import SocketIO
import Synchronization
import TestSupport
import Testing

/// Random numbers that a seed repeats.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed &+ 0x9E37_79B9_7F4A_7C15 }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

@Suite struct StressTests {
    /// Several tasks move sockets in and out of rooms, send to the rooms, and close connections. A broadcast that begins after
    /// a join has returned and ends before the leave is called arrives exactly once, one that begins after a leave has
    /// returned never; at the end all tables are empty.
    @Test(arguments: [1, 2, 3] as [UInt64]) func roomsKeepTheirPromise(seed: UInt64) async throws {
        let rounds = 150
        let isDone = Flag()
        try await withServer(loops: 4) {
            // Clients that are gone don't come for their last packets.
            $0.engine.closeTimeout = .seconds(1)
        } _: { io, port in
            // Noise: sockets that come, go and join the same rooms, and broadcasts that overlap everything.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<3 {
                    group.addTask {
                        var random = SeededGenerator(seed: seed &* 100 &+ UInt64(index))
                        while !isDone.isSet {
                            let noise = try await join(port, "/", bothTransports[index % 2])
                            let socket = io.main.socket(id: try noise.id())
                            for _ in 0..<Int.random(in: 1...10, using: &random) {
                                let room = Room("room \(Int.random(in: 0..<3, using: &random))")
                                if Bool.random(using: &random) { socket?.join(room) } else { socket?.leave(room) }
                                io.to(room).emit("noise")
                                io.except(room).emit("noise")
                            }
                            if Bool.random(using: &random) { socket?.disconnect(close: true) }
                            await noise.session.abort()
                        }
                    }
                }
                let workers = (0..<3).map { index in
                    Task { try await Self.work(io, port, rounds, seed &* 1000 &+ UInt64(index), index) }
                }
                defer { isDone.set() }
                for worker in workers { try await worker.value }
            }
            // A polling session that is cut between two requests is missed when it does not answer its ping, or now.
            for session in io.engine?.sessions ?? [] { session.close() }
            try await eventually("all are gone") { io.main.sockets.isEmpty }
            #expect(io.main.local.roomCount == 0)
        }
    }

    /// One client, whose socket this task alone moves.
    private static func work(
        _ io: SocketIOServer, _ port: Int, _ rounds: Int, _ seed: UInt64, _ index: Int
    ) async throws {
        var random = SeededGenerator(seed: seed)
        let client = try await join(port, "/", bothTransports[index % 2])
        let socket = try #require(io.main.socket(id: try client.id()))
        var expected: [Int] = []
        var rooms: Set<Room> = []
        for round in 0..<rounds {
            let room = Room("room \(Int.random(in: 0..<3, using: &random))")
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                socket.join(room)
                rooms.insert(room)
            case 1:
                socket.leave(room)
                rooms.remove(room)
            case 2:
                io.to(room).emit("mine \(index)", round)
                if rooms.contains(room) { expected.append(round) }
            default:
                let other = Room("room \(Int.random(in: 0..<3, using: &random))")
                io.to(room, other).emit("mine \(index)", round)
                if rooms.contains(room) || rooms.contains(other) { expected.append(round) }
            }
            #expect(socket.rooms.subtracting([Room(socket.id)]) == rooms)
        }
        try await client.sync()
        var seen: [Int] = []
        while client.pendingEvents() > 0 {
            let event = try await client.nextEvent()
            if event.name == "mine \(index)" { seen.append(event.arguments.int(0) ?? -1) }
        }
        #expect(seen == expected)
        await client.session.abort()
        if index % 2 == 1 { socket.disconnect(close: true) }
    }

    /// Clients come and go, a few hundred and several times over: no table grows.
    @Test func nothingIsLeftOfThoseWhoWent() async throws {
        let connections = Atomic<Int>(0)
        let ends = Atomic<Int>(0)
        try await withServer(loops: 4) {
            $0.cleanupEmptyChildNamespaces = true
            $0.engine.closeTimeout = .seconds(1)
        } _: { io, port in
            let parent = io.of(/^\/dynamic-\d+$/)
            io.of("/chat").onConnection { $0.join("chat") }
            io.main.onConnection { socket in
                connections.wrappingAdd(1, ordering: .relaxed)
                socket.join("all", Room("own \(socket.id)"))
                socket.onDisconnect { (_: DisconnectReason) in ends.wrappingAdd(1, ordering: .relaxed) }
            }
            for round in 1...4 {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for index in 0..<150 {
                        group.addTask {
                            let client = try await join(port, "/", bothTransports[index % 2])
                            try await client.connect(index % 2 == 0 ? "/chat" : "/dynamic-\(index % 10)")
                            try await client.sync()
                            if index % 3 == 0 { await client.close() } else { await client.session.abort() }
                            if index % 3 != 0, index % 2 == 1 {
                                // A polling session that is cut between two requests is gone when its ping is not answered.
                                io.main.socket(id: client.sid() ?? "")?.disconnect(close: true)
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                for session in io.engine?.sessions ?? [] where session.transport == .polling { session.close() }
                try await eventually("all are gone") {
                    io.main.sockets.isEmpty && ends.load(ordering: .relaxed) == round * 150
                }
                #expect(connections.load(ordering: .relaxed) == round * 150)
                try await eventually("the tables are empty") {
                    io.main.local.rooms.isEmpty && io.of("/chat").local.rooms.isEmpty && parent.children.isEmpty
                        && Set(io.namespaces.keys) == ["/", "/chat"]
                }
                try await eventually("the connections are gone") {
                    (io.engine?.sessions ?? []).allSatisfy { !$0.isOpen }
                }
            }
        }
    }
}
