import NIOCore
import RESP
import SocketIO
import SocketIOTesting
import TestSupport
import Testing

@testable import SocketIORedis

/// The streams adapter with a real Redis that is killed, stopped and cut off under load.
@Suite(.serialized) struct StreamsRedisTests {
    @Test(arguments: [false, true]) func suite(_ usesShardedPubSub: Bool) async throws {
        try await withRedis { redis in
            for check in AdapterSuite.Check.allCases {
                let options = RedisStreamsAdapterOptions(
                    streamName: "\(check)", streamCount: usesShardedPubSub ? 3 : 1, channelPrefix: "\(check)",
                    usesShardedPubSub: usesShardedPubSub)
                try await runSuite(check, [redis.url, redis.url, redis.url]) {
                    RedisStreamsAdapter.factory($0, options: options)
                }
            }
        }
    }

    @Test func suiteInACluster() async throws {
        try await withRedisCluster { cluster in
            for check in AdapterSuite.Check.allCases {
                let options = RedisStreamsAdapterOptions(
                    streamName: "\(check)", streamCount: 3, channelPrefix: "\(check)",
                    usesShardedPubSub: check == .order)
                try await runSuite(check, cluster.urls) { RedisStreamsAdapter.factory($0, options: options) }
            }
        }
    }

    /// Servers that send numbers while `disturb` runs; each client must get each number once and in order.
    private func load(
        _ urls: [String], count: Int = 3000, commandTimeout: Duration = .seconds(60),
        _ disturb: ([TestNode], [SIOClient]) async throws -> Void
    ) async throws {
        let options = RedisStreamsAdapterOptions(maxLength: 100_000)
        try await withRealNodes(
            urls, commandTimeout: commandTimeout, { RedisStreamsAdapter.factory($0, options: options) }
        ) { nodes in
            var clients: [SIOClient] = []
            for node in nodes { clients.append(try await node.client()) }
            let sending = Task {
                await withTaskGroup(of: Void.self) { group in
                    for (sender, node) in nodes.enumerated() {
                        group.addTask {
                            for number in 0..<count {
                                node.io.emit("n", sender, number)
                                // The load lasts as long as the disturbance does.
                                if number % 10 == 9 { try? await Task.sleep(for: .milliseconds(5)) }
                            }
                        }
                    }
                }
            }
            try await disturb(nodes, clients)
            await sending.value
            try await StreamsFaultTests.expectNumbers(count, of: nodes.count, at: clients)
            #expect(nodes.allSatisfy { $0.errors.value.isEmpty })
        }
    }

    private func waitForEvents(_ client: SIOClient, _ count: Int) async throws {
        let goal = client.eventCount() + count
        try await eventually("\(count) more events") { client.eventCount() >= goal }
    }

    @Test func killedWithItsDataKept() async throws {
        var options = RedisServer.Options()
        options.arguments = ["--appendonly", "yes", "--appendfsync", "always"]
        try await withRedis(options) { redis in
            try await self.load([redis.url, redis.url, redis.url]) { _, clients in
                for _ in 0..<3 {
                    try await self.waitForEvents(clients[0], 500)
                    try await redis.kill()
                    // The own clients don't wait for Redis.
                    try await self.waitForEvents(clients[0], 50)
                    try await redis.restart()
                }
            }
        }
    }

    @Test func stopped() async throws {
        try await withRedis { redis in
            try await self.load([redis.url, redis.url, redis.url], count: 10_000, commandTimeout: .milliseconds(300)) {
                nodes, clients in
                for _ in 0..<3 {
                    try await self.waitForEvents(clients[0], 300)
                    redis.pause()
                    // The servers give their connections up.
                    for node in nodes {
                        let client = try node.streams().node.redis
                        try await eventually("the loss is noticed") { !client.state.isUsable }
                    }
                    redis.resume()
                }
            }
        }
    }

    /// What lay before Redis when the connection was given up must not come late, behind what is written again.
    @Test func stoppedWithMuchOnItsWay() async throws {
        try await withRedis { redis in
            let factory: (any RedisClient) -> AdapterFactory = { RedisStreamsAdapter.factory($0) }
            try await withRealNodes([redis.url, redis.url], commandTimeout: .milliseconds(300), factory) { nodes in
                let clients = [try await nodes[0].client(), try await nodes[1].client()]
                let padding = String(repeating: "x", count: 5000)
                for _ in 0..<5 {
                    redis.pause()
                    for number in 0..<200 { nodes[0].io.emit("n", 0, number, padding) }
                    let client = try nodes[0].streams().node.redis
                    try await eventually("the loss is noticed") { !client.state.isUsable }
                    redis.resume()
                    try await StreamsFaultTests.expectNumbers(200, of: 1, at: clients)
                    try await eventually("all is written") { try nodes[0].streams().unwrittenCount == 0 }
                }
                #expect(try await redis.command("XLEN", "socket.io") == .integer(1000))
            }
        }
    }

    @Test func cutInTheMiddleOfReplies() async throws {
        try await withRedis { redis in
            let proxies = [
                try await FaultyProxy.start(toPort: redis.port), try await FaultyProxy.start(toPort: redis.port),
                try await FaultyProxy.start(toPort: redis.port),
            ]
            let urls = proxies.map { "redis://127.0.0.1:\($0.port)" }
            try await self.load(urls) { _, clients in
                for round in 0..<20 {
                    try await self.waitForEvents(clients[0], 100)
                    for proxy in proxies {
                        for connection in proxy.connections {
                            connection.cut(afterBytesToClient: (round * 37) % 300)
                        }
                    }
                }
            }
            for proxy in proxies { await proxy.stop() }
        }
    }

    /// Without persistence a restart loses the data: servers go on, in order, with nothing twice.
    @Test func killedWithItsDataLost() async throws {
        try await withRedis { redis in
            try await withRealNodes([redis.url, redis.url], { RedisStreamsAdapter.factory($0) }) { nodes in
                let clients = [try await nodes[0].client(), try await nodes[1].client()]
                await StreamsFaultTests.sendNumbers(200, from: nodes)
                try await StreamsFaultTests.expectNumbers(200, of: 2, at: clients)
                for _ in 0..<3 {
                    try await eventually("all is written") {
                        try nodes[0].streams().unwrittenCount + nodes[1].streams().unwrittenCount == 0
                    }
                    try await redis.kill()
                    // Written while Redis is not there.
                    await StreamsFaultTests.sendNumbers(200, from: nodes)
                    try await redis.restart()
                    try await StreamsFaultTests.expectNumbers(200, of: 2, at: clients)
                    await StreamsFaultTests.sendNumbers(50, from: nodes)
                    try await StreamsFaultTests.expectNumbers(50, of: 2, at: clients)
                }
            }
        }
    }

    /// What Redis refuses is reported for its event, and what comes behind is written.
    @Test func refused() async throws {
        try await withRedis { redis in
            try await withRealNodes([redis.url], { RedisStreamsAdapter.factory($0) }) { nodes in
                let client = try await nodes[0].client()
                nodes[0].io.emit("first")
                _ = try await client.expectEvent("first")
                try await eventually("it is written") { try nodes[0].streams().unwrittenCount == 0 }
                try await redis.command("DEL", "socket.io")
                try await redis.command("SET", "socket.io", "no stream")
                nodes[0].io.emit("second")
                _ = try await client.expectEvent("second")
                try await nodes[0].errors.wait("the error") { $0.contains { $0.contains("WRONGTYPE") } ? true : nil }
                try await redis.command("DEL", "socket.io")
                nodes[0].io.emit("third")
                try await eventually("it is written") {
                    try await redis.command("XLEN", "socket.io") == .integer(1)
                }
            }
        }
    }

    @Test func sessions() async throws {
        try await withRedis { redis in
            try await withRealNodes([redis.url, redis.url], { RedisStreamsAdapter.factory($0) }) { nodes in
                let client = try await nodes[1].client()
                nodes[0].io.emit("before")
                _ = try await client.expectEvent("before")
                let offset = try #require(
                    try await redis.command("XREVRANGE", "socket.io", "+", "-", "COUNT", "1").elements?.first?
                        .elements?.first?.text)
                let session = StoredSession(
                    sid: "s", pid: "p", rooms: ["s", "r"],
                    data: ["name": "x", "bytes": .binary(ByteBuffer(bytes: [1]))])
                let adapters = try nodes.map { try $0.streams() }
                _ = try await adapters[0].node.redis.send(adapters[0].savingCommand(session, for: .seconds(60)))
                nodes[0].io.to("r").emit("one", 1)
                nodes[0].io.to("other").emit("not for it")
                nodes[1].io.emit("two", ByteBuffer(bytes: [2]))
                try await eventually("all is written") {
                    try await redis.command("XLEN", "socket.io") == .integer(4)
                }
                let restored = try await adapters[1].takeSession(pid: "p")
                #expect(Set(restored.rooms) == ["s", "r"] && !restored.startIsKnown)
                #expect(restored.data["bytes"] as? SocketIOValue == .binary(ByteBuffer(bytes: [1])))
                let position = try #require(adapters[1].position(of: offset))
                let missed = try await adapters[1].missed(
                    by: restored, after: position, isFirst: true, limit: .max)
                #expect(missed.packets.count == 2)
                #expect(try await adapters[0].takeStoredSession(pid: "p") == nil)
            }
        }
    }
}
