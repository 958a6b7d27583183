import NIOCore
import RESP
import TestSupport
import Testing

struct ClusterTests {
    private static func quick(_ configuration: inout RESPConfiguration) {
        configuration.backoff = .init(minimum: .milliseconds(5), maximum: .milliseconds(50))
        configuration.probeInterval = .milliseconds(100)
        // Nothing here is to be noticed by its silence, and a busy machine is silent too.
        configuration.probeTimeout = .seconds(60)
    }

    /// Names in slots of each of the three nodes: bar 5061, lobby 10294, foo 12182.
    private static let onNode = ["bar", "lobby", "foo"]

    @Test(arguments: [RESPConfiguration.ProtocolVersion.two, .three])
    func commandsGoToTheNodesOfTheirKeys(version: RESPConfiguration.ProtocolVersion) async throws {
        try await withRedisCluster { cluster in
            try await withClient(
                cluster.urls[0],
                configure: {
                    Self.quick(&$0)
                    $0.protocolVersion = version
                }
            ) { client in
                // Sent before anything is known of the cluster.
                let replies = Awaited<[Result<[RedisValue], RedisError>]>([]) { "\($0.count) replies" }
                for index in 0..<300 {
                    try client.send([.text("SET", "key-\(index)", "\(index)")]) { result in
                        replies.update { $0.append(result) }
                    }
                }
                let results = try await replies.wait("all replies") { $0.count == 300 ? $0 : nil }
                for result in results { #expect(try result.get() == [.text("OK")]) }
                for index in 0..<300 {
                    #expect(try await client.send(.text("GET", "key-\(index)")) == .text("\(index)"))
                }
                let sizes = try await client.sendToAllNodes(.text("DBSIZE")).compactMap(\.int)
                #expect(sizes.count == 3)
                #expect(sizes.reduce(0, +) == 300)
                #expect(sizes.allSatisfy { $0 > 50 })
                try await client.waitForState(.connected)
                #expect(try await client.send([.text("PING"), .text("GET", "foo")]).count == 2)
            }
        }
    }

    @Test func slotsThatMove() async throws {
        try await withRedisCluster { cluster in
            try await withClient(cluster.urls[1], configure: Self.quick) { client in
                _ = try await client.send(.text("PING"))
                try await client.waitForState(.connected)
                try await cluster.move(slot: 12182, from: 2, to: 0)
                #expect(
                    try await client.send([.text("SET", "foo", "1"), .text("INCR", "foo")]) == [
                        .text("OK"), .integer(2),
                    ])
                #expect(try await cluster.nodes[0].command("GET", "foo") == .bulk("2"))
                // While a slot moves, keys that the old node does not have are asked of the new one.
                try await cluster.beginMoving(slot: 5061, from: 0, to: 1)
                #expect(
                    try await client.send([.text("SET", "bar", "1"), .text("INCR", "bar")]) == [
                        .text("OK"), .integer(2),
                    ])
                let raw = try await cluster.nodes[1].connect()
                _ = try await raw.command(["ASKING"])
                #expect(try await raw.command(["GET", "bar"]) == .bulk("2"))
                _ = try await client.send(.text("RPUSH", "foo-list", "a"))
                #expect(try await client.sendBlocking(.text("BLPOP", "foo-list", "1")).elements?.count == 2)
            }
        }
    }

    /// Of commands that were sent together, only those are sent again that another node must have.
    @Test func nothingIsExecutedTwiceWhileSlotsMove() async throws {
        try await withRedisCluster { cluster in
            try await withClient(cluster.urls[1], configure: Self.quick) { client in
                try await client.waitForState(.connected)
                // Both are in slot 5061, and only one stays behind.
                #expect(try await client.send(.text("SET", "{bar}old", "1")) == .text("OK"))
                try await cluster.beginMoving(slot: 5061, from: 0, to: 1)
                let replies = try await client.send([
                    .text("INCR", "{bar}old"), .text("INCR", "{bar}new"), .text("INCR", "{bar}old"),
                    .text("INCR", "{bar}new"), .text("INCR", "{bar}old", "surplus"),
                ])
                #expect(replies.dropLast() == [.integer(2), .integer(1), .integer(3), .integer(2)])
                guard case .error? = replies.last else {
                    Issue.record("no error in its place")
                    return
                }
                #expect(try await client.send(.text("GET", "{bar}old")) == .text("3"))
                // Nobody hears how these end, and they are not executed twice either.
                try client.send([.text("INCR", "{bar}old"), .text("INCR", "{bar}new")], completion: nil)
                let raw = try await cluster.nodes[1].connect()
                try await eventually("the key that has moved") {
                    _ = try await raw.command(["ASKING"])
                    return try await raw.command(["GET", "{bar}new"]) == .bulk("3")
                }
                #expect(try await client.send(.text("GET", "{bar}old")) == .text("4"))
            }
        }
    }

    @Test func shardSubscriptionsFollowTheirSlots() async throws {
        try await withRedisCluster { cluster in
            try await withClient(cluster.urls[0], configure: Self.quick) { client in
                let listener = Listener(
                    client, RedisChannel(.shard, "foo"), RedisChannel(.shard, "bar"), RedisChannel(.shard, "lobby"),
                    RedisChannel(.shard, "{foo}2"))
                try await listener.waitUntilReady()
                for name in ["foo", "bar", "lobby", "{foo}2"] {
                    #expect(try await client.send(.text("SPUBLISH", name, "to \(name)")) == .integer(1))
                    try await listener.wait(for: "to \(name)")
                }
                for (index, name) in Self.onNode.enumerated() {
                    let channels = try await cluster.nodes[index].command("PUBSUB", "SHARDCHANNELS").elements ?? []
                    #expect(channels.contains(.bulk(name)))
                }
                try await cluster.move(slot: 12182, from: 2, to: 1)
                try await listener.waitUntilReady(2)
                #expect(try await client.send(.text("SPUBLISH", "foo", "moved")) == .integer(1))
                try await listener.wait(for: "moved")
                let channels = try await cluster.nodes[1].command("PUBSUB", "SHARDCHANNELS").elements ?? []
                #expect(channels.contains(.bulk("foo")) && channels.contains(.bulk("{foo}2")))
                try await client.waitForState(.connected, .recovered)
            }
        }
    }

    @Test func plainChannelsReachAllNodes() async throws {
        try await withRedisCluster { cluster in
            try await withClient(cluster.urls[0], configure: Self.quick) { client in
                let listener = Listener(client, RedisChannel(.channel, "news"), RedisChannel(.pattern, "n*"))
                try await listener.waitUntilReady()
                for (index, node) in cluster.nodes.enumerated() {
                    try await node.command("PUBLISH", "news", "from \(index)")
                    try await listener.wait(for: "from \(index)")
                }
                for index in 0..<200 { try client.publish("c\(index % 7)", "x") }
                for index in 0..<200 { try client.publish("news", "\(index)") }
                try await listener.wait(for: "199")
                let own = listener.heard.value.messages.filter { $0.source.kind == .channel }
                #expect(own.suffix(200).map { String(buffer: $0.payload) } == (0..<200).map { "\($0)" })
            }
        }
    }

    @Test func aNodeThatIsKilled() async throws {
        try await withRedisCluster { cluster in
            try await withClient(cluster.urls[0], configure: Self.quick) { client in
                let plain = Listener(client, RedisChannel(.channel, "news"))
                let shards = Listener(client, RedisChannel(.shard, "foo"), RedisChannel(.shard, "bar"))
                try await plain.waitUntilReady()
                try await shards.waitUntilReady()
                try await client.waitForState(.connected)
                // The one that carries the plain subscriptions, wherever that is.
                var carrier = 0
                for (index, node) in cluster.nodes.enumerated() {
                    let count = try await node.command("PUBSUB", "NUMSUB", "news").elements?.last
                    if count == .integer(1) { carrier = index }
                }
                try await cluster.nodes[carrier].kill()
                try await client.waitForState(.degraded)
                try await plain.waitUntilReady(2)
                try client.publish("news", "hello")
                try await plain.wait(for: "hello")
                let other = (carrier + 1) % 3
                _ = try await client.send(.text("SET", Self.onNode[other], "1"))
                // What is for the one that is missing waits for it.
                let reply = Awaited<[RedisValue]?>(nil)
                try client.send([.text("INCR", Self.onNode[carrier])]) { result in
                    reply.update { $0 = try? result.get() }
                }
                try await cluster.nodes[carrier].restart()
                #expect(try await reply.wait("the buffered command", timeout: .seconds(60)) { $0 } == [.integer(1)])
                try await client.waitForState(.recovered)
                for name in ["foo", "bar"] {
                    try await eventually("\(name) hears", timeout: .seconds(60)) {
                        _ = try? await client.send(.text("SPUBLISH", name, "to \(name)"))
                        return shards.heard.value.texts.contains("to \(name)")
                    }
                }
            }
        }
    }
}
