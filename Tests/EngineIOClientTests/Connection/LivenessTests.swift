import Testing

@testable import EngineIOClient

struct LivenessTests {
    private static let ms: UInt64 = 1_000_000

    @Test func silence() {
        var liveness = Liveness(pingInterval: 25, pingTimeout: 20, now: 100 * Self.ms)
        #expect(liveness.deadline == 145 * Self.ms)
        #expect(!liveness.hasBeenPinged)
        // Nothing but a ping moves it.
        liveness.heard(now: 130 * Self.ms)
        #expect(liveness.deadline == 145 * Self.ms)
        liveness.pinged(now: 130 * Self.ms)
        #expect(liveness.hasBeenPinged)
        #expect(liveness.deadline == 175 * Self.ms)
    }

    @Test func probe() {
        var liveness = Liveness(pingInterval: 25, pingTimeout: 20, now: 0)
        liveness.probe(timeout: 10 * Self.ms, now: 5 * Self.ms)
        #expect(liveness.deadline == 15 * Self.ms)
        // A second one does not grant more time.
        liveness.probe(timeout: 10 * Self.ms, now: 10 * Self.ms)
        #expect(liveness.deadline == 15 * Self.ms)
        liveness.heard(now: 12 * Self.ms)
        #expect(liveness.deadline == 57 * Self.ms)
        // Never later than the ping's.
        liveness.probe(timeout: 1000 * Self.ms, now: 20 * Self.ms)
        #expect(liveness.deadline == 57 * Self.ms)
        liveness.pinged(now: 30 * Self.ms)
        #expect(liveness.deadline == 75 * Self.ms)
    }
}
