import Testing

@testable import RESP

struct BackoffTests {
    @Test func staysWithinBoundsThatGrow() {
        var generator = SeededGenerator(state: 3)
        for _ in 0..<50 {
            var backoff = Backoff(.init(minimum: .milliseconds(50), maximum: .seconds(5)))
            for failure in 1...100 {
                let bound = min(Duration.milliseconds(50) * (1 << min(failure, 20)), .seconds(5))
                let pause = backoff.next(using: &generator)
                #expect(pause >= .milliseconds(50) && pause <= bound)
            }
            backoff.reset()
            #expect(backoff.next(using: &generator) <= .milliseconds(100))
        }
    }

    @Test func isSpreadOverTheWholeRange() {
        var generator = SeededGenerator(state: 4)
        var backoff = Backoff(.init(minimum: .milliseconds(50), maximum: .seconds(5)))
        for _ in 0..<20 { _ = backoff.next(using: &generator) }
        let pauses = (0..<200).map { _ in backoff.next(using: &generator) }
        #expect(pauses.contains { $0 < .seconds(1) })
        #expect(pauses.contains { $0 > .seconds(4) })
    }
}
