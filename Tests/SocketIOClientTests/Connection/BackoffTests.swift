import Testing

@testable import SocketIOClient

struct BackoffTests {
    private func delays(_ jitter: Double, _ random: Double, _ count: Int) -> [Duration] {
        var policy = SocketIOClientConfiguration.Reconnection()
        policy.jitter = jitter
        var backoff = Backoff(policy)
        return (0..<count).map { _ in backoff.next(random: random) }
    }

    @Test func doublesUpToALimit() {
        #expect(self.delays(0, 0.3, 5) == [.seconds(1), .seconds(2), .seconds(4), .seconds(5), .seconds(5)])
    }

    @Test func jitterGoesBothWays() {
        #expect(self.delays(0.5, 0, 2) == [.milliseconds(500), .seconds(1)])
        #expect(self.delays(0.5, 1, 3) == [.milliseconds(1500), .seconds(3), .seconds(5)])
    }

    @Test func beginsAnew() {
        var backoff = Backoff(.init())
        _ = backoff.next(random: 0.5)
        _ = backoff.next(random: 0.5)
        #expect(backoff.attempts == 2)
        backoff.reset()
        #expect(backoff.attempts == 0)
        #expect(backoff.next(random: 0.5) == .seconds(1))
    }

    @Test func nonsenseIsNoTrap() {
        var policy = SocketIOClientConfiguration.Reconnection()
        policy.delay = .seconds(-5)
        policy.maxDelay = .seconds(Int64.max)
        policy.jitter = 99
        var backoff = Backoff(policy)
        for _ in 0..<200 { #expect(backoff.next(random: 1) >= .zero) }
        policy.delay = .seconds(Int64.max)
        backoff = Backoff(policy)
        for _ in 0..<200 { _ = backoff.next(random: 1) }
        #expect(backoff.attempts == 200)
    }
}
