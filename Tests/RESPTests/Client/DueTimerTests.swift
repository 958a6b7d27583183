import Foundation
import NIOPosix
import RESP
import TestSupport
import Testing

struct DueTimerTests {
    /// Who is connected, one line each, the one that asks not among them. That one stays connected: an asker of its own for
    /// each question would be seen by the next one as long as its end is under way.
    private static func clients(_ asker: RawRedis) async throws -> [Substring] {
        let list = try #require(try await asker.command(["CLIENT", "LIST"]).text)
        return list.split(separator: "\n").filter { !$0.contains("cmd=client|list") }
    }

    /// An event loop runs a timer that is due though it was cancelled in the same turn: nothing may begin then.
    @Test func aTimerThatIsDueWhenTheClientShutsDown() async throws {
        try await withRedis { redis in
            let asker = try await redis.connect()
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
                    try await Self.clients(asker).count == 1
                }
                group.next().execute { Thread.sleep(forTimeInterval: 0.05) }
                try await withTimeout(.seconds(60), "the client to shut down") { await client.shutdown() }
                // Redis may hear of the end a little later.
                try await eventually("the end of the connection") { try await Self.clients(asker).isEmpty }
            }
            // One that was opened too late would come, and stay.
            for _ in 0..<50 { #expect(try await Self.clients(asker) == []) }
            await asker.close()
            try await group.shutdownGracefully()
        }
    }
}
