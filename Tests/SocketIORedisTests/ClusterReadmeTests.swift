import Logging
import ServiceLifecycle
import SocketIORedis
import TestSupport
import Testing

/// The README's code on servers with Redis, so that it compiles and does what it says.
@Suite struct ClusterReadmeTests {
    @Test func aServerWithRedisAsServices() async throws {
        try await withRedis { server in
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let redis = try RESPClient(url: server.url)
            var configuration = SocketIOConfiguration(port: 0)
            configuration.adapter = RedisAdapter.factory(redis)
            let io = SocketIOServer(configuration: configuration)
            let group = ServiceGroup(services: [redis, io], gracefulShutdownSignals: [.sigterm], logger: logger)
            let run = Task { try await group.run() }
            try await eventually("the server is one of a cluster") {
                (try? await io.main.adapter.serverCount()) == 1
            }
            #expect(io.engine != nil)
            await group.triggerGracefulShutdown()
            try await withTimeout { try await run.value }
            #expect(io.engine == nil)
            #expect(redis.state == .closed)
        }
    }
}
