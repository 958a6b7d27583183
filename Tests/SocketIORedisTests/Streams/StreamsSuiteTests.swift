import SocketIORedis
import SocketIOTesting
import TestSupport
import Testing

/// What any adapter must do, with Redis in memory.
@Suite struct StreamsSuiteTests {
    @Test(arguments: [false, true], AdapterSuite.Check.allCases)
    func threeServers(_ usesRESP2: Bool, _ check: AdapterSuite.Check) async throws {
        let suite = AdapterSuite(servers: 3, patience: defaultTimeout) { count in
            let redis = FakeRedis(usesRESP2: usesRESP2)
            let options = RedisStreamsAdapterOptions(
                streamCount: usesRESP2 ? 3 : 1, usesShardedPubSub: usesRESP2, blockTime: .milliseconds(100))
            return (0..<count).map { RedisStreamsAdapter.factory(redis.client("\($0)"), options: options) }
        }
        try await suite.run(check)
    }

    @Test(arguments: AdapterSuite.Check.allCases) func oneServer(_ check: AdapterSuite.Check) async throws {
        let suite = AdapterSuite(servers: 1, patience: defaultTimeout) { count in
            let client = FakeRedis().client()
            return (0..<count).map { _ in RedisStreamsAdapter.factory(client) }
        }
        try await suite.run(check)
    }
}
