import NIOCore
import RESP
import SocketIO
import SocketIOClient
import Synchronization
import TestSupport
import Testing

@testable import SocketIORedis

/// Recovery over a stream of a real Redis: at any server, and after a restart.
@Suite(.serialized) struct StreamsRecoveryTests {
    private static let factory: @Sendable (any RedisClient) -> AdapterFactory = { RedisStreamsAdapter.factory($0) }

    private static func gone(_ client: ReturningClient, _ servers: [SocketIOServer]) async throws {
        let id = client.id
        try await eventually("\(id) is gone") { servers.allSatisfy { $0.of(client.namespace).socket(id: id) == nil } }
    }

    /// Whoever has been let into one namespace is not let into another by what was kept of that.
    @Test func sessionsAreOfOneNamespace() async throws {
        try await withRedis { redis in
            try await withRecoveringServers(1, redis.url, Self.factory) { servers, ports in
                servers[0].of("/admin").use { _ in throw ConnectError("not authorized") }
                func connect(_ text: String) async throws -> (WSClient, String) {
                    let client = try await WSClient.connect(
                        port: ports[0], path: "/socket.io/?EIO=4&transport=websocket")
                    _ = try await client.nextText()
                    try await client.send(text)
                    return (client, try await client.nextText())
                }
                let (first, answer) = try await connect("40")
                let pid = try #require(answer.split(separator: "\"").dropFirst(7).first)
                let id = try #require(answer.split(separator: "\"").dropFirst(3).first)
                await first.connection.reset()
                try await eventually("it is gone") { servers[0].main.socket(id: String(id)) == nil }
                let (second, refusal) = try await connect("40/admin,{\"pid\":\"\(pid)\"}")
                #expect(refusal.hasPrefix("44/admin,{\"message\":\"not authorized\""))
                await second.connection.reset()
            }
        }
    }

    /// What can't be the id of a session is not looked for, nor is a second one over the same connection.
    @Test func madeUpIDsAreLookedForOnce() async throws {
        try await withRedis { redis in
            try await withRecoveringServers(1, redis.url, Self.factory) { servers, ports in
                let asking = try realClient(redis.url)
                asking.start()
                /// How many sessions Redis was asked for.
                func asked() async throws -> Int {
                    let info = try await asking.send(RedisCommand("INFO", "commandstats", keyIndex: nil)).text ?? ""
                    guard let line = info.split(separator: "\r\n").first(where: { $0.hasPrefix("cmdstat_get:") })
                    else { return 0 }
                    return try #require(line.firstMatch(of: /calls=(\d+)/).flatMap { Int($0.1) })
                }
                for pid in [
                    "", "x", "AAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAA+", "AAAAAAAAAAAAAAAAAAAAA", "ÄÄÄÄÄÄÄÄÄÄ",
                ] {
                    let client = try await ReturningClient.join(ports[0], auth: ["pid": pid, "offset": "1-1"])
                    #expect(client.failure == "unknown_session" && client.pid != nil)
                    await client.close()
                }
                #expect(try await asked() == 0)
                let client = try await ReturningClient.join(ports[0], auth: ["pid": "AAAAAAAAAAAAAAAAAAAA"])
                #expect(client.failure == "unknown_session")
                #expect(try await asked() == 1)
                for number in 0..<10 {
                    try client.client.disconnect()
                    let reply = try await client.client.connectForReply(
                        auth: "{\"pid\":\"AAAAAAAAAAAAAAAAAAA\(number)\"}")
                    #expect(reply.contains("unknown_session"))
                }
                #expect(try await asked() == 1)
                await client.close()
                await asking.shutdown()
            }
        }
    }

    /// So many come back that it is not waited for the sessions of all.
    @Test func tooManyAreLookedFor() async throws {
        try await withRedis { redis in
            let factory: (any RedisClient) -> AdapterFactory = {
                RedisStreamsAdapter.factory($0, options: .init(maxSessionSearches: 0))
            }
            try await withRecoveringServers(1, redis.url, factory) { servers, ports in
                let client = try await ReturningClient.join(ports[0], auth: ["pid": "AAAAAAAAAAAAAAAAAAAA"])
                #expect(client.failure == "limited" && !client.recovered)
                #expect(servers[0].main.socket(id: client.id)?.recoveryFailure == .limited)
                servers[0].emit("a", 1)
                #expect(try await client.next() == "a 1")
                try await client.lose()
                try await Self.gone(client, servers)
                // Its session is there by the time it comes back.
                let adapter = try #require(servers[0].main.adapter as? RedisStreamsAdapter)
                let pid = try #require(client.pid)
                try await eventually("it is kept") { try await adapter.hasStoredSession(pid: pid) }
                try await client.comeBack(ports[0])
                #expect(client.recovered, "\(client.failure ?? "")")
                await client.close()
            }
        }
    }

    @Test func atAnotherServer() async throws {
        try await withRedis { redis in
            try await withRecoveringServers(2, redis.url, Self.factory) { servers, ports in
                let client = try await ReturningClient.join(ports[0])
                let socket = try #require(servers[0].main.socket(id: client.id))
                socket.join("r")
                socket.data[SocketDataKey<[String: Int]>("d")] = ["x": 1]
                servers[1].emit("a", 1)
                #expect(try await client.next() == "a 1")
                let id = client.id
                try await client.lose()
                try await Self.gone(client, servers)
                servers[0].emit("all", 2)
                servers[1].to("r").emit("room", 3)
                servers[1].to("q").emit("other", 4)
                servers[0].to(Room(id)).emit("own", 5)
                servers[0].volatile.emit("volatile", 6)
                socket.emit("direct", 7)
                servers[1].except("r").emit("not", 8)
                servers[1].emit("binary", ByteBuffer(bytes: [1, 2]), 9)
                // What each has written is in the stream.
                for server in servers {
                    let adapter = try #require(server.main.adapter as? RedisStreamsAdapter)
                    try await eventually("all is written") { adapter.unwrittenCount == 0 }
                }
                try await client.comeBack(ports[1])
                #expect(client.recovered && client.id == id && client.failure == nil)
                // What two servers send has no order between them.
                var events: Set<String> = []
                for _ in 0..<5 {
                    let event = try await client.client.nextEvent()
                    events.insert(
                        "\(event.name) \(event.arguments.bytes(0).map { "\($0)" } ?? "\(event.arguments.int(0) ?? 0)")")
                }
                #expect(events == ["all 2", "room 3", "own 5", "direct 7", "binary [1, 2]"])
                let again = try #require(servers[1].main.socket(id: id))
                #expect(again.recovered && again.rooms == ["r", Room(id)])
                #expect(again.data[SocketDataKey<[String: Int]>("d")] == ["x": 1])
                servers[0].to("r").emit("live", 9)
                #expect(try await client.next() == "live 9")
                await client.close()
            }
        }
    }

    @Test func neverGotAnEvent() async throws {
        try await withRedis { redis in
            try await withRecoveringServers(2, redis.url, Self.factory) { servers, ports in
                let witness = try await ReturningClient.join(ports[0])
                // The stream does not exist yet for the first one.
                for round in 0..<3 {
                    let client = try await ReturningClient.join(ports[0])
                    try await client.lose()
                    try await Self.gone(client, servers)
                    servers[0].emit("a", round)
                    try await client.comeBack(ports[1])
                    #expect(client.recovered, "\(client.failure ?? "")")
                    #expect(try await client.next() == "a \(round)")
                    await client.close()
                    // Else the next one, joining before this server has read that, would get it too.
                    #expect(try await witness.next() == "a \(round)")
                }
                await witness.close()
            }
        }
    }

    /// The other server takes the client for connected.
    @Test func notKnownToBeLost() async throws {
        try await withRedis { redis in
            try await withRecoveringServers(2, redis.url, Self.factory) { servers, ports in
                let client = try await ReturningClient.join(ports[0])
                let old = client.client
                servers[0].emit("a", 1)
                #expect(try await client.next() == "a 1")
                try await client.comeBack(ports[1])
                #expect(client.recovered, "\(client.failure ?? "")")
                servers[0].emit("b", 2)
                #expect(try await client.next() == "b 2")
                _ = try await old.waitForDisconnect()
                await client.close()
            }
        }
    }

    /// All servers are closed in order and others take their place.
    @Test func afterARestart() async throws {
        try await withRedis { redis in
            let clients = Mutex<[ReturningClientBox]>([])
            try await withRecoveringServers(1, redis.url, Self.factory) { servers, ports in
                servers[0].onConnection { $0.join("r") }
                for _ in 0..<5 {
                    let client = try await ReturningClient.join(ports[0])
                    clients.withLock { $0.append(ReturningClientBox(client)) }
                }
                servers[0].emit("a", 1)
                for box in clients.withLock({ $0 }) { #expect(try await box.client.next() == "a 1") }
            }
            // Nobody serves them now; somebody else sends.
            let client = try realClient(redis.url)
            client.start()
            let emitter = RedisEmitter(client, adapter: .streams())
            emitter.to("r").emit("b", 2)
            try await withRecoveringServers(1, redis.url, Self.factory) { servers, ports in
                servers[0].emit("c", 3)
                for box in clients.withLock({ $0 }) {
                    try await box.client.comeBack(ports[0])
                    #expect(box.client.recovered, "\(box.client.failure ?? "")")
                    #expect(Set(try await box.client.next(2)) == ["b 2", "c 3"])
                    #expect(servers[0].main.socket(id: box.client.id)?.rooms == ["r", Room(box.client.id)])
                    await box.client.close()
                }
            }
            await client.shutdown()
        }
    }

    @Test func gaps() async throws {
        try await withRedis { redis in
            let factory: (any RedisClient) -> AdapterFactory = {
                RedisStreamsAdapter.factory($0, options: .init(maxLength: 100))
            }
            try await withRecoveringServers(1, redis.url, factory) { servers, ports in
                let client = try await ReturningClient.join(ports[0])
                func lose() async throws {
                    servers[0].emit("a", 1)
                    // Behind what the server has not read yet.
                    while try await client.next() != "a 1" {}
                    try await client.lose()
                    try await Self.gone(client, servers)
                }
                try await lose()
                // Trimming is approximate: it takes whole nodes of the stream.
                for number in 0..<1000 { servers[0].emit("n", number) }
                let adapter = try #require(servers[0].main.adapter as? RedisStreamsAdapter)
                try await eventually("all is written") { adapter.unwrittenCount == 0 }
                try await client.comeBack(ports[0])
                #expect(!client.recovered && client.failure == "packets_dropped")
                #expect(servers[0].main.socket(id: client.id)?.recoveryFailure == .packetsDropped)

                try await lose()
                // Between entries that are there; it was lost with a Redis that was put back.
                let last = try #require(client.offset.flatMap { StreamID($0) })
                try await client.comeBack(ports[0], auth: ["offset": "\(last.milliseconds - 1)-4242"])
                #expect(client.failure == "packets_dropped")

                try await lose()
                try await client.comeBack(ports[0], auth: ["offset": "an argument"])
                #expect(client.failure == "invalid_offset")

                try await client.lose()
                try await Self.gone(client, servers)
                try await client.comeBack(ports[0], auth: ["pid": "unknown"])
                #expect(client.failure == "unknown_session")
                await client.close()
            }
        }
    }

    /// The session began before the stream did, and its client has got nothing.
    @Test(arguments: [10, 1000]) func trimmedSinceTheBeginning(_ count: Int) async throws {
        try await withRedis { redis in
            let factory: (any RedisClient) -> AdapterFactory = {
                RedisStreamsAdapter.factory($0, options: .init(maxLength: 100))
            }
            try await withRecoveringServers(1, redis.url, factory) { servers, ports in
                let client = try await ReturningClient.join(ports[0])
                try await client.lose()
                try await Self.gone(client, servers)
                for number in 0..<count { servers[0].emit("n", number) }
                let adapter = try #require(servers[0].main.adapter as? RedisStreamsAdapter)
                try await eventually("all is written") { adapter.unwrittenCount == 0 }
                try await client.comeBack(ports[0])
                #expect(client.failure == (count > 100 ? "packets_dropped" : nil))
                await client.close()
            }
        }
    }

    /// Redis keeps it for as long as was set, and not longer.
    @Test func theSessionExpires() async throws {
        try await withRedis { redis in
            let recovery = ConnectionStateRecovery(maxDisconnectionDuration: .seconds(100))
            try await withRecoveringServers(1, redis.url, recovery: recovery, Self.factory) { servers, ports in
                let client = try await ReturningClient.join(ports[0])
                let adapter = try #require(servers[0].main.adapter as? RedisStreamsAdapter)
                let key = adapter.options.sessionKeyPrefix + (try #require(client.pid))
                func send(_ command: String, _ more: String...) async throws -> Int {
                    let arguments = ([command, key] + more).map { ByteBuffer(string: $0) }
                    return try #require(try await adapter.node.redis.send(RedisCommand(arguments: arguments)).int)
                }
                try await client.lose()
                try await eventually("it is kept") { try await send("EXISTS") == 1 }
                #expect((1...100_000).contains(try await send("PTTL")))
                // Its time is over sooner.
                #expect(try await send("PEXPIRE", "1") == 1)
                try await eventually("it is over") { try await send("EXISTS") == 0 }
                try await client.comeBack(ports[0])
                #expect(client.failure == "unknown_session")
                await client.close()
            }
        }
    }

    /// Events that are not in the stream, and whose last argument a client takes for an offset.
    @Test func eventsThatEndInText() async throws {
        try await withRedis { redis in
            try await withRecoveringServers(2, redis.url, Self.factory) { servers, ports in
                let client = try await ReturningClient.join(ports[0])
                servers[1].emit("a", 1)
                #expect(try await client.next() == "a 1")
                let offset = client.offset
                servers[0].local.emit("here", "text")
                #expect(try await client.next() == "here text")
                #expect(client.offset == offset)
                try await eventually("a volatile event arrives") {
                    servers[1].volatile.emit("v", "text")
                    return client.client.pendingEvents() > 0
                }
                #expect(try await client.next() == "v text")
                #expect(client.offset == offset)
                try await client.lose()
                try await Self.gone(client, servers)
                servers[1].emit("b", 2)
                try await client.comeBack(ports[1])
                #expect(client.recovered, "\(client.failure ?? "")")
                #expect(try await client.next() == "b 2")
                await client.close()
            }
        }
    }

    /// What was sent before a disconnection arrives before it.
    @Test func lastWords() async throws {
        try await withRedis { redis in
            try await withRecoveringServers(2, redis.url, Self.factory) { servers, ports in
                for round in 0..<4 {
                    let client = try await ReturningClient.join(ports[0])
                    let socket = try #require(servers[0].main.socket(id: client.id))
                    switch round {
                    case 0:
                        socket.emit("bye")
                        socket.disconnect()
                    case 1:
                        servers[0].emit("bye")
                        servers[0].disconnectSockets()
                    case 2:
                        servers[0].emit("bye")
                        servers[0].disconnectSockets(close: true)
                    default:
                        servers[1].emit("bye")
                        servers[1].disconnectSockets()
                    }
                    #expect(try await client.next() == "bye")
                    try await client.client.waitForDisconnect()
                    try await Self.gone(client, servers)
                    await client.close()
                }
            }
        }
    }

    @Test func leavingComesBehindWhatWasSent() async throws {
        try await withRedis { redis in
            try await withRecoveringServers(1, redis.url, Self.factory) { servers, ports in
                let client = try await ReturningClient.join(ports[0])
                servers[0].socketsJoin("r")
                servers[0].to("r").emit("in")
                servers[0].socketsLeave("r")
                servers[0].to("r").emit("out")
                servers[0].emit("end")
                #expect(try await client.next(2) == ["in", "end"])
                await client.close()
            }
        }
    }

    @Test func connectionsAreCutAtRandom() async throws {
        try await withRedis { redis in
            let factory: (any RedisClient) -> AdapterFactory = {
                RedisStreamsAdapter.factory($0, options: .init(maxLength: 100_000))
            }
            try await withRecoveringServers(2, redis.url, factory) { servers, ports in
                let stress = RecoveryStress()
                try await stress.run(servers, port: ports[0]) { peer, _ in
                    // To the one or the other server.
                    peer.proxy.setTarget(port: ports.randomElement() ?? 0)
                    peer.proxy.closeAll()
                }
            }
        }
    }
}

/// Used by one task at a time.
struct ReturningClientBox: @unchecked Sendable {
    let client: ReturningClient

    init(_ client: ReturningClient) { self.client = client }
}
