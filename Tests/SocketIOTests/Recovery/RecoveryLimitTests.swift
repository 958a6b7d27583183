import NIOCore
import TestSupport
import Testing

@testable import SocketIO

/// What is kept is bounded in count, bytes and time, and a client that has missed more is told so.
@Suite struct RecoveryLimitTests {
    private static func gap(_ recovery: ConnectionStateRecovery, _ send: (SocketIOServer) async throws -> Void)
        async throws
        -> String?
    {
        try await withServer {
            $0.connectionStateRecovery = recovery
        } _: { io, port in
            let client = try await ReturningClient.join(port)
            io.emit("a", 1)
            #expect(try await client.next() == "a 1")
            let id = client.id
            try await client.lose()
            try await RecoveryTests.gone(client, io)
            try await send(io)
            try await client.comeBack(port)
            #expect(client.recovered == (client.failure == nil) && (client.id == id) == client.recovered)
            let socket = try await onlySocket(io.main)
            #expect(socket.recovered == client.recovered && socket.recoveryFailure?.rawValue == client.failure)
            await client.close()
            return client.failure
        }
    }

    @Test func tooManyPackets() async throws {
        let recovery = ConnectionStateRecovery(maxPackets: 10)
        #expect(try await Self.gap(recovery) { io in for n in 0..<10 { io.emit("n", n) } } == nil)
        #expect(try await Self.gap(recovery) { io in for n in 0..<11 { io.emit("n", n) } } == "packets_dropped")
    }

    @Test func tooManyBytes() async throws {
        let text = String(repeating: "x", count: 3000)
        let recovery = ConnectionStateRecovery(maxBytes: 50_000)
        #expect(try await Self.gap(recovery) { io in for _ in 0..<5 { io.emit("n", text) } } == nil)
        #expect(try await Self.gap(recovery) { io in for _ in 0..<50 { io.emit("n", text) } } == "packets_dropped")
    }

    @Test func moreThanCanWaitForAClient() async throws {
        let text = String(repeating: "x", count: 1 << 20)
        #expect(
            try await Self.gap(.init(maxBytes: 64 << 20)) { io in for _ in 0..<9 { io.emit("n", text) } }
                == "too_much_missed")
    }

    @Test func awayForTooLong() async throws {
        let recovery = ConnectionStateRecovery(maxDisconnectionDuration: .milliseconds(30))
        let failure = try await Self.gap(recovery) { io in
            try await eventually("the session is over") { !io.main.local.hasLostSessions }
        }
        #expect(failure == "expired")
    }

    @Test func tooManySessions() async throws {
        try await withServer {
            $0.connectionStateRecovery = .init(maxSessions: 2)
        } _: { io, port in
            var clients: [ReturningClient] = []
            for _ in 0..<3 {
                let client = try await ReturningClient.join(port)
                try await client.lose()
                try await RecoveryTests.gone(client, io)
                clients.append(client)
            }
            for client in clients { try await client.comeBack(port) }
            #expect(clients.map(\.failure) == ["session_dropped", nil, nil])
            for client in clients { await client.close() }
        }
    }

    /// Nothing is left of what is over, also where nothing happens any more.
    @Test func memoryIsGivenBack() async throws {
        var configuration = SocketIOConfiguration()
        configuration.engine.pingInterval = .milliseconds(100)
        configuration.engine.pingTimeout = .milliseconds(100)
        configuration.connectionStateRecovery = .init(maxDisconnectionDuration: .milliseconds(50))
        let interval = (configuration.engine.pingInterval, configuration.engine.pingTimeout)
        try await withServer {
            $0.connectionStateRecovery = configuration.connectionStateRecovery
            ($0.engine.pingInterval, $0.engine.pingTimeout) = interval
        } _: { io, port in
            let local = io.main.local
            let recovery = try #require(local.recovery)
            let client = try await ReturningClient.join(port)
            try await onlySocket(io.main).join("r")
            for n in 0..<100 { io.emit("n", n) }
            #expect(recovery.state.withLock { $0.log.count } == 100)
            #expect(recovery.state.withLock { $0.log.bytes } > 0)
            try await client.lose()
            try await eventually("nothing is kept") {
                recovery.state.withLock {
                    $0.log.count == 0 && $0.log.bytes == 0 && $0.sessions.count == 0 && $0.histories.isEmpty
                        && $0.connected.isEmpty && !$0.isSweeping
                } && local.table.withLock { $0.held.isEmpty }
            }
            // And once more.
            let next = try await ReturningClient.join(port)
            io.emit("n", 1)
            try await eventually("it is gone again") {
                recovery.state.withLock { $0.log.count == 0 && !$0.isSweeping }
            }
            await next.close()
        }
    }

    /// Under load the bounds hold at every moment.
    @Test func boundsUnderLoad() async throws {
        let options = ConnectionStateRecovery(maxPackets: 100, maxBytes: 40_000)
        try await withServer {
            $0.connectionStateRecovery = options
        } _: { io, port in
            let recovery = try #require(io.main.local.recovery)
            let client = try await ReturningClient.join(port)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        for n in 0..<500 {
                            io.emit("n", n, String(repeating: "x", count: n))
                            let (count, bytes) = recovery.state.withLock { ($0.log.count, $0.log.bytes) }
                            #expect(count <= 100 && bytes <= 40_000)
                        }
                    }
                }
            }
            await client.close()
        }
    }

    /// Nobody is there and nobody may come back: nothing is kept.
    @Test func nobodyWantsIt() async throws {
        try await withServer {
            $0.connectionStateRecovery = .init()
        } _: { io, port in
            let recovery = try #require(io.main.local.recovery)
            io.emit("a", 1)
            let client = try await ReturningClient.join(port)
            io.to("empty").emit("a", 1)
            #expect(recovery.state.withLock { $0.log.count } == 0)
            try await onlySocket(io.main).disconnect()
            try await RecoveryTests.gone(client, io)
            io.emit("a", 1)
            #expect(recovery.state.withLock { $0.log.count } == 0)
            await client.close()
        }
    }

    /// A dynamic namespace lives as long as clients may come back to it.
    @Test(arguments: [true, false]) func dynamicNamespaces(_ comesBack: Bool) async throws {
        try await withServer {
            $0.connectionStateRecovery = .init(maxDisconnectionDuration: comesBack ? .seconds(120) : .milliseconds(50))
            $0.cleanupEmptyChildNamespaces = true
        } _: { io, port in
            io.of(/^\/d$/).onConnection { _ in }
            let client = try await ReturningClient.join(port, "/d")
            try await client.lose()
            if comesBack {
                try await eventually { io.namespaces["/d"]?.sockets.isEmpty ?? true }
                #expect(io.namespaces["/d"] != nil)
                try await client.comeBack(port)
                #expect(client.recovered)
                try client.client.disconnect("/d")
            }
            try await eventually("it goes with the session") { io.namespaces["/d"] == nil }
            await client.close()
        }
    }

    /// Rooms of clients that are away stay: listeners hear of their end when the session ends.
    @Test func roomEvents() async throws {
        try await withServer {
            $0.connectionStateRecovery = .init(maxSessions: 1)
        } _: { io, port in
            let events = Recorder()
            io.main.local.onRoomEvent { event in
                switch event {
                case .created(let room) where room == "r": events.add("created")
                case .deleted(let room) where room == "r": events.add("deleted")
                case .joined(let room, _) where room == "r": events.add("joined")
                case .left(let room, _) where room == "r": events.add("left")
                default: break
                }
            }
            let client = try await ReturningClient.join(port)
            try await onlySocket(io.main).join("r")
            try await client.lose()
            try await RecoveryTests.gone(client, io)
            #expect(io.main.local.hasMembers("r"))
            try await client.comeBack(port)
            #expect(client.recovered)
            #expect(events.all == ["created", "joined", "left", "joined"])
            try await client.lose()
            try await RecoveryTests.gone(client, io)
            // Another session takes its place.
            let other = try await ReturningClient.join(port)
            try await other.lose()
            try await RecoveryTests.gone(other, io)
            #expect(try await events.wait(count: 6).suffix(2) == ["left", "deleted"])
            #expect(!io.main.local.hasMembers("r"))
            await client.close()
            await other.close()
        }
    }

    /// Messages of other servers may be missing: who has got nothing since is told so.
    @Test func messagesOfOthersAreLost() async throws {
        let failure = try await Self.gap(.init()) { io in
            io.main.local.noteLoss()
            io.emit("b", 2)
        }
        #expect(failure == "messages_lost")
        try await withServer {
            $0.connectionStateRecovery = .init()
        } _: { io, port in
            let client = try await ReturningClient.join(port)
            io.main.local.noteLoss()
            io.emit("b", 2)
            #expect(try await client.next() == "b 2")
            try await client.lose()
            try await RecoveryTests.gone(client, io)
            io.emit("c", 3)
            try await client.comeBack(port)
            #expect(client.recovered)
            #expect(try await client.next() == "c 3")
            await client.close()
        }
    }
}
