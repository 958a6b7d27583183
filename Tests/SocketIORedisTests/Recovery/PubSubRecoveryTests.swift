import RESP
import SocketIO
import SocketIOClient
import TestSupport
import Testing

@testable import SocketIORedis

/// Recovery with publish/subscribe: the server that had the session keeps what it has missed.
@Suite(.serialized) struct PubSubRecoveryTests {
    enum Kind: String, CaseIterable, Sendable {
        case classic, sharded, shardedPrivate

        func factory(_ redis: any RedisClient) -> AdapterFactory {
            switch self {
            case .classic: RedisAdapter.factory(redis)
            case .sharded: ShardedRedisAdapter.factory(redis)
            case .shardedPrivate: ShardedRedisAdapter.factory(redis, options: .init(subscriptionMode: .dynamicPrivate))
            }
        }
    }

    @Test(arguments: Kind.allCases) func atTheSameServer(_ kind: Kind) async throws {
        try await withRedis { redis in
            try await withRecoveringServers(2, redis.url, { kind.factory($0) }) { servers, ports in
                let client = try await ReturningClient.join(ports[0])
                let other = try await ReturningClient.join(ports[1])
                let id = client.id
                let socket = try #require(servers[0].main.socket(id: id))
                socket.join("r")
                // The room's channel is subscribed by the time that something sent to it has come.
                try await eventually("the room is heard of") {
                    servers[1].to("r").emit("a")
                    return client.client.pendingEvents() > 0
                }
                servers[1].emit("mark")
                while try await client.next() != "mark" {}
                try await client.lose()
                try await eventually("it is gone") { servers[0].main.sockets.isEmpty }
                // Nobody else is in the room, or anywhere, on the first server.
                servers[1].to("r").emit("room", 1)
                servers[1].to(Room(id)).emit("own", 2)
                servers[1].to("q").emit("other", 3)
                servers[1].emit("all", 4)
                socket.emit("direct", 5)
                try await eventually("it was kept") {
                    servers[0].main.local.keptPacketCount >= 4
                }
                try await client.comeBack(ports[0])
                #expect(client.recovered, "\(client.failure ?? "")")
                let missed = try await client.next(4)
                #expect(Set(missed) == ["room 1", "own 2", "all 4", "direct 5"])
                servers[1].to("r").emit("live", 6)
                #expect(try await client.next() == "live 6")
                // Another server does not know it, and says so.
                try await client.lose()
                try await client.comeBack(ports[1])
                #expect(!client.recovered && client.failure == "unknown_session")
                await client.close()
                await other.close()
            }
        }
    }

    @Test func connectionsAreCutAtRandom() async throws {
        try await withRedis { redis in
            try await withRecoveringServers(2, redis.url, { RedisAdapter.factory($0) }) { servers, ports in
                try await RecoveryStress().run(servers, port: ports[0])
            }
        }
    }

    /// While this server was cut off from Redis, others may have sent something: a client that has got nothing since is told so.
    @Test(arguments: [Kind.classic, .sharded]) func redisWasAway(_ kind: Kind) async throws {
        try await withRedis { redis in
            let proxy = try await FaultyProxy.start(toPort: redis.port)
            let clients = [try realClient("redis://127.0.0.1:\(proxy.port)"), try realClient(redis.url)]
            let servers = clients.map { recoveringServer(adapter: kind.factory($0)) }
            let port = try #require(try await servers[0].start(port: 0).port)
            try await servers[1].start(port: 0)
            for server in servers { try await allAreCounted(server, 2) }
            let client = try await ReturningClient.join(port)
            servers[1].emit("a", 1)
            #expect(try await client.next() == "a 1")
            proxy.closeAll()
            try await eventually("the loss is noticed") { servers[0].main.local.hasNotedLoss }
            try await client.lose()
            try await eventually("it is gone") { servers[0].main.sockets.isEmpty }
            try await client.comeBack(port)
            #expect(!client.recovered && client.failure == "messages_lost")
            await client.close()
            await proxy.stop()
            for server in servers { await server.close(timeout: .milliseconds(500)) }
            for client in clients { await client.shutdown() }
        }
    }
}
