import Foundation
import NIOPosix
import TestSupport
import Testing

@testable import EngineIOClient

struct LoopTimerTests {
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    @Test func fires() async throws {
        let fired = Awaited(0)
        let timer = LoopTimer(on: self.group.next(), in: .milliseconds(1)) { fired.update { $0 += 1 } }
        try await fired.wait("the timer") { $0 == 1 ? true : nil }
        timer.cancel()
        try await self.group.shutdownGracefully()
    }

    /// The loop takes it together with what cancels it, when both are due.
    @Test func cancelledWhenItIsDue() async throws {
        let firedLate = Awaited(0)
        let eventLoop = self.group.next()
        for _ in 0..<20 {
            let isCancelled = Awaited(false)
            try await eventLoop.submit {
                let timers = (0..<5).map { _ in
                    LoopTimer(on: eventLoop, in: .microseconds(1)) {
                        if isCancelled.value { firedLate.update { $0 += 1 } }
                    }
                }
                Thread.sleep(forTimeInterval: 0.002)
                eventLoop.execute {
                    for timer in timers { timer.cancel() }
                    isCancelled.update { $0 = true }
                }
            }.get()
        }
        // Behind all that was due.
        try await eventLoop.scheduleTask(in: .milliseconds(1)) {}.futureResult.get()
        #expect(firedLate.value == 0)
        try await self.group.shutdownGracefully()
    }
}
