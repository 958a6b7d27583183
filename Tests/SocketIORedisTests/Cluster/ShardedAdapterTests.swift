import NIOCore
import RESP
import SocketIO
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIORedis

/// What the suite and the vectors don't show.
@Suite struct ShardedAdapterTests {
    private func pair(
        _ options: ShardedRedisAdapterOptions = .init(),
        _ body: ([TestNode], FakeRedisClient, FakeRedisClient, FakeRedis) async throws -> Void
    ) async throws {
        let redis = FakeRedis()
        let one = redis.client("A")
        let two = redis.client("B")
        let factories = [one, two].map { ShardedRedisAdapter.factory($0, options: options) }
        try await withNodes(factories) { try await body($0, one, two, redis) }
    }

    /// Who does not answer is named by the id in its response channel.
    @Test func theSilentAreNamed() async throws {
        try await self.pair(.init(requestsTimeout: .seconds(2))) { nodes, _, two, _ in
            let client = try await nodes[0].client()
            two.set(FakeRedisClient.Delivery.held)
            let sockets = try await nodes[0].io.fetchSockets()
            #expect(sockets.map(\.id) == [client.sid()])
            #expect(sockets.missingServerCount == 1)
            #expect(try sockets.missingServers == [nodes[1].sharded().uid])
            let answers = try await nodes[0].io.serverSideEmitWithAck("e", as: Int.self)
            #expect(answers.isEmpty && answers.missingServerCount == 1)
            #expect(try answers.missingServers == [nodes[1].sharded().uid])
            let error = await #expect(throws: BroadcastAckError.self) {
                try await nodes[0].io.to("nobody").timeout(.seconds(2)).emitWithAck("e", as: Int.self)
            }
            #expect(try error?.missingServers == [nodes[1].sharded().uid])
        }
    }

    /// Redis is away: this server goes on, and says who was there.
    @Test func redisIsAway() async throws {
        try await self.pair(.init(requestsTimeout: .milliseconds(200))) { nodes, one, _, redis in
            let client = try await nodes[0].client()
            one.set(.away)
            nodes[0].io.emit("e")
            _ = try await client.expectEvent("e")
            nodes[0].io.socketsJoin("room")
            #expect(nodes[0].io.local.hasMembers("room"))
            let sockets = try await nodes[0].io.fetchSockets()
            #expect(sockets.count == 1 && sockets.missingServerCount == 1)
            #expect(try sockets.missingServers == [nodes[1].sharded().uid])
            // Nobody says how many were asked elsewhere, so the one that was there is missing.
            await #expect(throws: BroadcastAckError.self) {
                try await nodes[0].io.timeout(.milliseconds(100)).to("nobody").emitWithAck("e", as: Int.self)
            }
            one.set(.refusing)
            nodes[0].io.emit("refused")
            _ = try await client.expectEvent("refused")
            #expect(nodes[0].errors.value.contains { $0.contains("buffer_full") })
            one.set(.up)
            // Room channels are renewed with the others.
            let other = try await nodes[1].client()
            nodes[1].io.to("room").emit("to the room")
            _ = try await client.expectEvent("to the room")
            _ = other
        }
    }

    /// A server that never knew of others is complete by itself.
    @Test func neverConnected() async throws {
        let client = FakeRedis().client("A")
        client.set(.away)
        let options = ShardedRedisAdapterOptions(requestsTimeout: .milliseconds(100))
        let node = try await TestNode(ShardedRedisAdapter.factory(client, options: options))
        let socket = try await node.client()
        let answers = Task { try await node.io.emitWithAck("question", as: Int.self) }
        let question = try await socket.nextEvent()
        try socket.acknowledge(question, "1")
        #expect(try await answers.value == [1])
        let sockets = try await node.io.fetchSockets()
        #expect(sockets.count == 1 && sockets.isComplete)
        await node.close()
    }

    /// Nothing of what a server sends is done again when it comes back to it.
    @Test func ownMessages() async throws {
        try await self.pair { nodes, _, _, redis in
            let client = try await nodes[0].client(rooms: "r")
            for name in ["/", "/b"] { _ = nodes[0].server.of(name) }
            nodes[0].io.emit("text", "\"uid\":\"x\",\"nsp\":\"/\"}")
            nodes[0].io.emit("binary", ByteBuffer(bytes: [1, 2, 3]))
            nodes[0].io.to("r").emit("room")
            try await redis.settle()
            nodes[1].io.emit("end")
            #expect(try await client.events(upTo: "end").map { $0.arrayValue?.count } == [2, 2, 1])
        }
    }

    /// A message that is not for one of this server's sockets is not decoded: even one that could not be.
    @Test func nobodyHere() async throws {
        try await self.pair(.init(subscriptionMode: .static)) { nodes, _, two, redis in
            let bad =
                "{\"type\":3,\"data\":{\"packet\":{\"type\":2,\"data\":[]},\"opts\":{\"rooms\":[\"x\"]}},\"uid\":\"x\",\"nsp\":\"/\"}"
            _ = try await two.send(RedisCommand("SPUBLISH", "socket.io#/#", bad))
            try await redis.settle()
            #expect(try nodes[0].sharded().complaints == 0)
            _ = try await nodes[0].client(rooms: "x")
            _ = try await two.send(RedisCommand("SPUBLISH", "socket.io#/#", bad))
            try await redis.settle()
            #expect(try nodes[0].sharded().complaints == 1)
        }
    }

    /// `remote.join`, `leave` and `emit` carry the flag of the reference.
    @Test func remoteSockets() async throws {
        try await self.pair { nodes, _, _, redis in
            let client = try await nodes[1].client()
            let remote = try #require(try await nodes[0].io.fetchSockets().first)
            _ = redis.takeLog()
            remote.emit("e", 1)
            remote.join("x", "y")
            remote.leave("x")
            _ = try await client.expectEvent("e")
            let sent = redis.takeLog().filter { $0.client == "A" && $0.name == "SPUBLISH" }.map { $0.texts[2] }
            let opts = "{\"rooms\":[\"\(remote.id)\"],\"except\":[],\"flags\":{\"expectSingleResponse\":true}}"
            #expect(sent.first?.contains("\"opts\":\(opts)") == true)
            #expect(sent.dropFirst().allSatisfy { $0.contains("{\"opts\":\(opts),\"rooms\":[") })
            try await eventually("it has joined") {
                nodes[1].io.local.hasMembers("y") && !nodes[1].io.local.hasMembers("x")
            }
        }
    }

    @Test func manyRooms() async throws {
        try await self.pair { nodes, _, _, redis in
            let client = try await nodes[0].client()
            let socket = try #require(client.sid().flatMap { nodes[0].io.socket(id: $0) })
            await withTaskGroup(of: Void.self) { group in
                for task in 0..<4 {
                    group.addTask {
                        for round in 0..<300 {
                            let room = Room("room \((task + round) % 10)")
                            socket.join(room)
                            if round % 3 != 0 { socket.leave(room) }
                        }
                    }
                }
            }
            try await redis.settle()
            let rooms = socket.rooms.filter { $0.name.hasPrefix("room") }
            let channels = redis.subscribers(.shard).keys.filter { $0.contains("#room") }
            #expect(Set(channels) == Set(rooms.map { "socket.io#/#\($0.name)#" }))
        }
    }
}
