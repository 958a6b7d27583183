import RESP
import SocketIO
import TestSupport
import Testing

@testable import SocketIORedis

/// What probes are told of Redis.
struct AdapterStatusTests {
    enum Kind: CaseIterable {
        case classic, sharded, streams

        func factory(_ redis: any RedisClient) -> AdapterFactory {
            switch self {
            case .classic: RedisAdapter.factory(redis)
            case .sharded: ShardedRedisAdapter.factory(redis)
            case .streams: RedisStreamsAdapter.factory(redis)
            }
        }
    }

    @Test(arguments: Kind.allCases) func overTheLifeOfRedis(_ kind: Kind) async throws {
        try await withRedis { redis in
            let client = try realClient(redis.url)
            var configuration = SocketIOConfiguration()
            configuration.adapter = kind.factory(client)
            configuration.engine.eventLoopCount = 1
            configuration.onError = { _, _ in }
            let io = SocketIOServer(configuration: configuration)
            _ = io.of("/chat")
            try await io.start(port: 0)
            do {
                try await eventually("ready") { await io.health(timeout: .seconds(60)).isAdapterReady }
                #expect(await io.health(timeout: .seconds(60)).problems == [])
                try await redis.kill()
                try await eventually("not ready") { await !io.health(timeout: .seconds(60)).isAdapterReady }
                let health = await io.health(timeout: .seconds(60))
                #expect(health.isReady, "its own clients are served")
                #expect(
                    health.problems == [
                        "adapter of / and 1 more: a connection to Redis is lost, or a subscription is deaf"
                    ])
                try await redis.restart()
                try await eventually("ready again") { await io.health(timeout: .seconds(60)).isAdapterReady }
            } catch {
                await client.shutdown()
                await io.close(timeout: .zero)
                throw error
            }
            await client.shutdown()
            #expect(
                await io.health(timeout: .seconds(60)).problems == [
                    "adapter of / and 1 more: the Redis client was shut down"
                ])
            await io.close(timeout: .zero)
        }
    }

    @Test func beforeRedisIsThere() async throws {
        let client = try realClient("redis://127.0.0.1:1")
        var configuration = SocketIOConfiguration()
        configuration.adapter = RedisAdapter.factory(client)
        configuration.onError = { _, _ in }
        let io = SocketIOServer(configuration: configuration)
        try await io.start(port: 0)
        let health = await io.health(timeout: .seconds(60))
        #expect(health.isReady && !health.isAdapterReady)
        #expect(health.problems == ["adapter of /: Redis was not reached yet"])
        await io.close(timeout: .zero)
        await client.shutdown()
    }
}
