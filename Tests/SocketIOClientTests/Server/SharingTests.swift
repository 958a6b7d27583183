import SocketIO
import TestSupport
import Testing

@testable import SocketIOClient

/// Which clients share a connection, and what is left of them.
struct SharingTests {
    private func make(
        _ port: Int, _ namespace: String, _ change: (inout SocketIOClientConfiguration) -> Void = { _ in }
    ) -> SocketIOClient {
        var configuration = SocketIOClientConfiguration.quick
        change(&configuration)
        return SocketIOClient("http://127.0.0.1:\(port)\(namespace)", configuration: configuration)
    }

    @Test func whoShares() async throws {
        try await withServer(setUp: { io in
            _ = io.of("/a")
            _ = io.of("/b")
        }) { io, port in
            let root = self.make(port, "/") { $0.auth = ["token": 1] }
            let a = self.make(port, "/a")
            #expect(a.core.manager === root.core.manager)
            // Namespaces of one name, other settings, or the wish to be alone: another connection.
            let twin = self.make(port, "")
            #expect(twin.core.manager !== root.core.manager)
            let other = self.make(port, "/b") { $0.query = ["x": "1"] }
            #expect(other.core.manager !== root.core.manager)
            let alone = self.make(port, "/b") { $0.forceNew = true }
            #expect(alone.core.manager !== root.core.manager)
            for client in [root, a, twin, other, alone] { try await client.connect() }
            #expect(io.connectionCount == 4)
            // The second of them is to be found too.
            let b = self.make(port, "/b")
            #expect(b.core.manager === root.core.manager || b.core.manager === twin.core.manager)
            for client in [root, a, twin, other, alone, b] { await client.disconnect() }
        }
    }

    /// Clients that are made at the same time find each other too.
    @Test func clientsOfSeveralThreadsShare() async throws {
        for round in 0..<300 {
            let clients = await withTaskGroup(of: SocketIOClient.self) { group in
                for number in 0..<4 {
                    group.addTask {
                        var configuration = SocketIOClientConfiguration.quick
                        configuration.autoConnect = false
                        configuration.path = "/sharing/\(round)/"
                        return SocketIOClient("http://127.0.0.1:1/\(number)", configuration: configuration)
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            let managers = Set(clients.map { ObjectIdentifier($0.core.manager) })
            try #require(managers.count == 1, "in round \(round)")
        }
    }

    @Test func whatIsReleasedIsGone() async throws {
        try await withServer(setUp: { io in _ = io.of("/a") }) { io, port in
            weak var core: ClientNamespace?
            weak var manager: Manager?
            do {
                let root = self.make(port, "/")
                let a = self.make(port, "/a")
                try await root.connect()
                try await a.connect()
                core = root.core
                manager = root.core.manager
                root.on("x") { [weak root] in root?.emit("y") }
                root.onConnect {}
                #expect(io.connectionCount == 1)
                #expect(io.of("/a").sockets.count == 1)
                _ = consume a
                try await eventually("the namespace is left") { io.of("/a").sockets.isEmpty }
                #expect(root.connected)
            }
            try await eventually("the connection ends") { io.connectionCount == 0 }
            try await eventually("nothing is left") { core == nil && manager == nil }
        }
    }

    @Test func clientsThatNeverConnectAreReleased() async throws {
        weak var core: ClientNamespace?
        weak var manager: Manager?
        do {
            // Nobody listens there; the client waits for its next attempt.
            let client = self.make(1, "/") {
                $0.reconnection.delay = .seconds(600)
                $0.reconnection.maxDelay = .seconds(600)
                $0.forceNew = true
            }
            core = client.core
            manager = client.core.manager
            try await eventually { client.state == .reconnecting(attempt: 1) }
            client.emit("kept")
        }
        try await eventually("nothing is left") { core == nil && manager == nil }
    }

    @Test func whatWasEmittedLeavesBeforeTheEnd() async throws {
        let record = Recorder()
        try await withServer(setUp: { io in
            io.onConnection { socket in
                socket.on("last") { (number: Int) in record.add("\(number)") }
                socket.onDisconnect { record.add($0.rawValue) }
            }
        }) { _, port in
            for way in Way.allCases {
                let before = record.all.count
                var configuration = way.configuration
                configuration.closeTimeout = .seconds(60)
                let client = try await connect(port, "", configuration)
                for number in 0..<50 { client.emit("last", number) }
                client.leave()
                let all = try await record.wait(count: before + 51)
                #expect(Array(all.dropFirst(before)) == (0..<50).map { "\($0)" } + ["client namespace disconnect"])
            }
        }
    }

    @Test func aNamespaceThatIsReleasedCanBeTakenAtOnce() async throws {
        try await withServer { io, port in
            for _ in 0..<20 {
                let client = self.make(port, "/")
                try await client.connect()
                #expect(try await client.emitWithAck("echo", 1, as: Int.self) == 1)
            }
            try await eventually { io.connectionCount == 0 }
        }
    }
}
