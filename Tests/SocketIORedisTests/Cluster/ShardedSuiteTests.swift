import SocketIORedis
import SocketIOTesting
import TestSupport
import Testing

/// What any adapter must do, with Redis in memory.
@Suite struct ShardedSuiteTests {
    @Test(arguments: ShardedRedisAdapterOptions.SubscriptionMode.allCases, AdapterSuite.Check.allCases)
    func threeServers(
        _ mode: ShardedRedisAdapterOptions.SubscriptionMode, _ check: AdapterSuite.Check
    ) async throws {
        let suite = AdapterSuite(servers: 3, patience: defaultTimeout) { count in
            let redis = FakeRedis()
            let options = ShardedRedisAdapterOptions(channelPrefix: "my[*]?", subscriptionMode: mode)
            return (0..<count).map { ShardedRedisAdapter.factory(redis.client("\($0)"), options: options) }
        }
        try await suite.run(check)
    }
}
