import Foundation
import SocketIORedis
import SocketIOTesting
import TestSupport
import Testing

/// What any adapter must do, with Redis in memory.
@Suite struct ClassicSuiteTests {
    @Test(arguments: AdapterSuite.Check.allCases) func threeServers(_ check: AdapterSuite.Check) async throws {
        let suite = AdapterSuite(servers: 3, patience: defaultTimeout) { count in
            let redis = FakeRedis()
            return (0..<count).map { RedisAdapter.factory(redis.client("\($0)")) }
        }
        try await suite.run(check)
    }

    /// Answers for one server only, an own key, and characters that mean something in patterns.
    @Test(arguments: AdapterSuite.Check.allCases) func otherOptions(_ check: AdapterSuite.Check) async throws {
        var options = RedisAdapterOptions()
        options.key = "my[app]*?\\"
        options.publishesOnSpecificResponseChannel = true
        let chosen = options
        let suite = AdapterSuite(servers: 2, patience: defaultTimeout) { count in
            let redis = FakeRedis()
            return (0..<count).map { RedisAdapter.factory(redis.client("\($0)"), options: chosen) }
        }
        try await suite.run(check)
    }
}
