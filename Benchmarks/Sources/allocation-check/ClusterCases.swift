import SocketIORedis

/// What it costs to pass a broadcast on to other servers: from the call of `emit` to the command that is handed to the Redis client.
/// Nobody is in the room on this server, so that nothing else is counted.
extension AllocationCheck {
    static func clusterCases() -> [Case] {
        [
            Case(name: "broadcast passed on, classic adapter", limit: 13) { _ in
                Self.publish(RedisAdapter.factory(DiscardingRedis()))
            },
            Case(name: "broadcast passed on, sharded adapter", limit: 13) { _ in
                Self.publish(ShardedRedisAdapter.factory(DiscardingRedis()))
            },
        ]
    }

    private static func publish(_ adapter: @escaping AdapterFactory) -> Double {
        var configuration = SocketIOConfiguration()
        configuration.adapter = adapter
        let io = SocketIOServer(configuration: configuration)
        return self.count(per: 1) { io.to("room").emit("all", Self.text, 7) }
    }
}

/// A Redis that takes everything and says nothing.
private final class DiscardingRedis: RedisClient {
    private static let replies: [RedisValue] = [.integer(0)]

    func start() {}
    func shutdown() async {}

    func send(
        _ commands: [RedisCommand], completion: (@Sendable (Result<[RedisValue], RedisError>) -> Void)?
    ) throws(RedisError) {
        completion?(.success(Self.replies))
    }

    func sendToAllNodes(_ command: RedisCommand) async throws -> [RedisValue] { Self.replies }

    func sendBlocking(_ command: RedisCommand) async throws -> RedisValue { .null }

    func subscribe(
        to channels: [RedisChannel], onReady: (@Sendable () -> Void)?,
        onMessage: @escaping @Sendable (RedisMessage) -> Void
    ) -> any RedisSubscription { Subscription() }

    var state: RedisState { .connected }

    func states() -> AsyncStream<RedisState> { AsyncStream { $0.finish() } }

    private final class Subscription: RedisSubscription {
        func cancel() {}
    }
}
