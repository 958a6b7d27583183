import Foundation
import NIOPosix
import RESP
import TestSupport
import Testing

struct DueTimerTests {
    /// How many there are besides the one that asks.
    private static func connections(_ redis: RedisServer) async throws -> Int {
        let clients = try await redis.command("CLIENT", "LIST")
        return "\(clients)".split(separator: " laddr=").count - 2
    }

    /// An event loop runs a timer that is due though it was cancelled in the same turn: nothing may begin then.
    @Test func aTimerThatIsDueWhenTheClientShutsDown() async throws {
        try await withRedis { redis in
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            for _ in 0..<10 {
                var configuration = RESPConfiguration()
                configuration.backoff = .init(minimum: .milliseconds(1), maximum: .milliseconds(10))
                // It is none, so the map is asked for again and again.
                configuration.isCluster = .on
                let client = try RESPClient(
                    url: redis.url, configuration: configuration, logger: .silent, group: group)
                client.start()
                try await eventually("a connection") {
                    try await Self.connections(redis) == 1
                }
                group.next().execute { Thread.sleep(forTimeInterval: 0.05) }
                try await withTimeout(.seconds(10), "the client to shut down") { await client.shutdown() }
            }
            try await group.shutdownGracefully()
        }
    }
}
