import NIOPosix
import TestSupport
import Testing

@testable import EngineIO

struct WheelSweepTests {
    private final class Client: WheelClient {
        func wheelFired(now: UInt64) -> UInt64? { nil }
    }

    /// Clients that came and went long before their time leave nothing for long, and those that stay are called.
    @Test func theDeadAreNotKept() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = LoopContext(eventLoop: group.next())
        let living = (0..<5000).map { _ in Client() }
        let count = try await loop.eventLoop.submit {
            let farAway = UInt64.max / 2
            for client in living { loop.wake(client, at: farAway) }
            for _ in 0..<200_000 { loop.wake(Client(), at: farAway) }
            return loop.wheelCount
        }.get()
        #expect(count >= living.count)
        #expect(count <= 2 * living.count + 8192)
        try await group.shutdownGracefully()
    }
}
