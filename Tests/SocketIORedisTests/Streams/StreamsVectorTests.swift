import NIOCore
import RESP
import SocketIO
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIORedis

/// Everything that was recorded of the reference's streams adapter and emitter: what ours sends, and what it does with what the
/// reference has sent.
@Suite struct StreamsVectorTests {
    static let groups: [(name: String, options: RedisStreamsAdapterOptions)] = [
        ("default options", .init()),
        ("with connection state recovery", .init()),
        ("streamCount 3", .init(streamCount: 3)),
        ("useShardedPubSub", .init(usesShardedPubSub: true)),
        (
            "custom names",
            .init(
                streamName: "my-stream", channelPrefix: "my-channel", maxLength: 500, sessionKeyPrefix: "my-session:",
                onlyPlaintext: true)
        ),
    ]

    private static let notOurs: Set<String> = [
        // An ArrayBuffer becomes an empty object by a defect of the reference.
        "binary ArrayBuffer (arrives as an empty object)",
        // Dates are text in values, and there are no keys without values.
        "values with binary",
        // Sessions are tested by themselves; what a socket of the reference emits with recovery is published.
        "socket.emit", "socket.emit with acknowledgement", "a client loses its connection",
        "a client loses its connection: persistSession", "packets while it is away",
    ]

    private func withPlayer(
        _ name: String,
        _ options: RedisStreamsAdapterOptions,
        _ body: (VectorPlayer, FakeRedisClient) async throws -> Void
    ) async throws {
        let redis = FakeRedis()
        try await withNodes([RedisStreamsAdapter.factory(redis.client("A"), options: options)]) { nodes in
            let other = redis.client("other")
            other.start()
            let player = VectorPlayer(
                group: try RedisVectors.group(name, of: "redis-streams"), redis: redis, node: nodes[0],
                uids: ["/": try nodes[0].streams().uid, "/admin": try nodes[0].streams("/admin").uid])
            try await eventually("both namespaces listen") {
                redis.subscribers(options.usesShardedPubSub ? .shard : .channel).count == 4
            }
            try await body(player, other)
        }
    }

    @Test(arguments: groups.indices) func sends(_ index: Int) async throws {
        let (name, options) = Self.groups[index]
        try await self.withPlayer(name, options) { player, _ in
            let operations = VectorOperations.sends.merging(VectorOperations.streamsSends) { $1 }
            let questions = VectorOperations.questions.merging(VectorOperations.streamsQuestions) { $1 }
            for vector in player.group.cases {
                if let operation = operations[vector.name] {
                    try await player.check(vector, operation)
                } else if questions[vector.name] == nil, !Self.notOurs.contains(vector.name) {
                    #expect(player.recorded(vector).isEmpty, "\(vector.name) is not played")
                }
            }
        }
    }

    @Test(arguments: groups.indices) func questions(_ index: Int) async throws {
        let (name, options) = Self.groups[index]
        try await self.withPlayer(name, options) { player, other in
            let silent = other.subscribe(
                to: [RedisChannel(options.usesShardedPubSub ? .shard : .channel, "\(options.channelPrefix)#/#")],
                onReady: nil, onMessage: { _ in })
            try await player.redis.settle()
            var questions = VectorOperations.questions.merging(VectorOperations.streamsQuestions) { $1 }
            if index > 1 {
                // Asked in another way there.
                questions["serverSideEmit with acknowledgement"] = { server, _ in
                    _ = try await server.of("/").serverSideEmitWithAck("ask", as: SocketIOValue.self)
                }
                questions["broadcast with acknowledgement"] = { server, _ in
                    _ = try? await server.of("/").timeout(.milliseconds(500)).emitWithAck(
                        "question", as: SocketIOValue.self)
                }
            }
            for vector in player.group.cases {
                guard let operation = questions[vector.name] else { continue }
                var task: Task<Void, any Error>?
                try await player.check(vector) { server, ids in task = Task { try await operation(server, ids) } }
                task?.cancel()
                _ = try? await task?.value
            }
            withExtendedLifetime(silent) {}
        }
    }

    @Test(arguments: groups.indices) func subscriptions(_ index: Int) async throws {
        let (name, options) = Self.groups[index]
        try await self.withPlayer(name, options) { player, _ in
            let subscribed = player.redis.subscribers(options.usesShardedPubSub ? .shard : .channel).keys
            let expected = player.uids.flatMap { namespace, uid in
                ["\(options.channelPrefix)#\(namespace)#", "\(options.channelPrefix)#\(namespace)#\(uid)#"]
            }
            #expect(Set(subscribed) == Set(expected))
            // One command for each kind of channel that may be on another node.
            let log = player.redis.takeLog().filter { $0.name.hasSuffix("SUBSCRIBE") }
            #expect(log.count == (options.usesShardedPubSub ? 4 : 2))
            let reads = player.redis.state.withLock { $0.readers }
            #expect(reads.count == 1)
            #expect(
                Set(reads.first?.arguments.dropFirst(6).prefix(options.streams.count) ?? []) == Set(options.streams))
        }
    }

    // MARK: What the reference has sent

    @Test(arguments: groups.map(\.name) + ["redis-streams-emitter"]) func broadcasts(_ name: String) async throws {
        let options = Self.groups.first { $0.name == name }?.options ?? .init()
        try await self.withPlayer(name, options) { player, other in
            let inRoom = try await player.node.client(rooms: "r1")
            let outside = try await player.node.client()
            let rooms: [Set<String>] = [["r1", try #require(inRoom.sid())], [try #require(outside.sid())]]
            for vector in player.group.cases {
                var expected: [[SocketIOValue]] = [[], []]
                for command in vector.commands
                where command.name == "XADD" && command.arguments[0].hasPrefix(options.streamName) {
                    guard let meaning = try VectorPlayer.meaning(command, in: vector), meaning.type == 3 else {
                        continue
                    }
                    // Among others it may be dropped.
                    let isVolatile = meaning.data["opts"]?["flags"]?["volatile"] == true
                    if isVolatile, vector.commands.count > 1 { continue }
                    try player.play(command, from: other)
                    guard meaning.namespace == "/" else { continue }
                    for client in 0..<2 where reaches(meaning.data["opts"], rooms[client]) {
                        expected[client].append(VectorPlayer.rounded(try #require(meaning.data["packet"]?["data"])))
                    }
                }
                // The reader comes to what stands behind them in the stream.
                let end = #"{"packet":{"type":2,"data":["end of the case"]},"opts":{"rooms":[]}}"#
                _ = try await other.send(
                    RedisCommand(
                        "XADD", options.stream(of: "/"), "*", "uid", "x", "nsp", "/", "type", "3", "data", end))
                #expect(try await inRoom.events(upTo: "end of the case") == expected[0], "\(vector.name)")
                #expect(try await outside.events(upTo: "end of the case") == expected[1], "\(vector.name)")
            }
        }
    }

    @Test(arguments: ["default options", "redis-streams-emitter"]) func changes(_ name: String) async throws {
        try await self.withPlayer(name, .init()) { player, other in
            let heard = Awaited<[[SocketIOValue]]>([])
            player.node.io.on("hello") { (arguments: Arguments) in heard.update { $0.append(arguments.values) } }
            let member = try await player.node.client(rooms: "r1")
            let bystander = try await player.node.client(rooms: "nobody")
            let io = player.node.io
            func rooms(_ client: SIOClient) -> Set<Room> {
                client.sid().flatMap { io.socket(id: $0)?.rooms.subtracting([Room($0), "r1", "nobody"]) } ?? []
            }
            func play(_ name: String) throws {
                for command in try player.group[name].commands where command.from != "B" {
                    try player.play(command, from: other)
                }
            }
            try play("socketsJoin")
            try await eventually("the rooms are joined") { rooms(member) == ["j1", "j2"] }
            #expect(rooms(bystander) == [])
            try play("socketsLeave")
            try await eventually("the room is left") { rooms(member) == ["j2"] }
            try play("serverSideEmit")
            let expected: [SocketIOValue] = name == "default options" ? [1, .binary(ByteBuffer(bytes: [2]))] : [1]
            try await heard.wait("the event between servers") { $0 == [expected] ? true : nil }
            try play(name == "default options" ? "disconnectSockets with close" : "disconnectSockets")
            try await bystander.waitForDisconnect()
            #expect(member.sid() != nil)
        }
    }

    @Test(arguments: groups.indices) func answers(_ index: Int) async throws {
        let (name, options) = Self.groups[index]
        try await self.withPlayer(name, options) { player, other in
            try await player.checkAnswers(from: other)
        }
    }
}
