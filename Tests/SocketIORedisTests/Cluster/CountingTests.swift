import NIOCore
import RESP
import SocketIO
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIORedis

/// How many servers there are, while Redis is not what it should be.
@Suite struct CountingTests {
    @Test(arguments: ["sharded", "streams"]) func redisDoesNotAnswer(_ adapter: String) async throws {
        let client = FakeRedis().client("A")
        client.set(.away)
        let timeout = Duration.milliseconds(100)
        let node = try await TestNode(
            adapter == "sharded"
                ? ShardedRedisAdapter.factory(client, options: .init(requestsTimeout: timeout))
                : RedisStreamsAdapter.factory(client, options: .init(requestsTimeout: timeout)))
        let error = await #expect(throws: SocketIOError.self) { try await node.io.adapter.serverCount() }
        #expect(error?.code == .clusterUnavailable)
        await node.close()
    }

    /// A question that has waited for Redis until its time was up is not asked any more.
    @Test func lateQuestions() async throws {
        let redis = FakeRedis()
        let one = redis.client("A")
        let options = ShardedRedisAdapterOptions(requestsTimeout: .seconds(30))
        let factories = [one, redis.client("B")].map { ShardedRedisAdapter.factory($0, options: options) }
        try await withNodes(factories) { nodes in
            one.set(.away)
            let late = try await nodes[0].io.timeout(.milliseconds(500)).fetchSockets()
            #expect(late.missingServerCount == 1)
            _ = redis.takeLog()
            one.set(.up)
            try await redis.settle()
            let inTime = try await nodes[0].io.fetchSockets()
            #expect(inTime.isComplete)
            #expect(redis.takeLog().count { $0.client == "A" && $0.name == "SPUBLISH" } == 1)
        }
    }

    /// While this server's subscriptions are renewed it is not among those that are counted, so it must not be subtracted.
    @Test func subscriptionsAreRenewed() async throws {
        let redis = FakeRedis()
        let split = SplitRedis(commands: redis.client("A"), subscriptions: redis.client("A's subscriptions"))
        try await withNodes([ShardedRedisAdapter.factory(split), ShardedRedisAdapter.factory(redis.client("B"))]) {
            nodes in
            split.subscriptions.set(.away)
            let meanwhile = try await nodes[0].io.adapter.serverCount()
            #expect(meanwhile == 2)
            split.subscriptions.set(.up)
            let afterwards = try await nodes[0].io.adapter.serverCount()
            #expect(afterwards == 2)
        }
    }
}

/// A client with a connection for commands and one for subscriptions.
private final class SplitRedis: RedisClient {
    let commands: FakeRedisClient
    let subscriptions: FakeRedisClient

    init(commands: FakeRedisClient, subscriptions: FakeRedisClient) {
        self.commands = commands
        self.subscriptions = subscriptions
    }

    func start() {
        self.commands.start()
        self.subscriptions.start()
    }

    func shutdown() async {
        await self.commands.shutdown()
        await self.subscriptions.shutdown()
    }

    var state: RedisState { self.subscriptions.state.isUsable ? self.commands.state : self.subscriptions.state }
    func states() -> AsyncStream<RedisState> { self.subscriptions.states() }

    func sendToAllNodes(_ command: RedisCommand) async throws -> [RedisValue] {
        try await self.commands.sendToAllNodes(command)
    }

    func send(
        _ commands: [RedisCommand],
        completion: (@Sendable (Result<[RedisValue], RedisError>) -> Void)?
    ) throws(RedisError) {
        try self.commands.send(commands, completion: completion)
    }

    func sendBlocking(_ command: RedisCommand) async throws -> RedisValue {
        try await self.commands.sendBlocking(command)
    }

    func subscribe(
        to channels: [RedisChannel],
        onReady: (@Sendable () -> Void)?,
        onMessage: @escaping @Sendable (RedisMessage) -> Void
    ) -> any RedisSubscription {
        self.subscriptions.subscribe(to: channels, onReady: onReady, onMessage: onMessage)
    }
}
