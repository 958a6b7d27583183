import Testing

@testable import EngineIOCore

@Suite struct TimingWheelTests {
    @Test func expiresAtTheFirstTickNotBeforeTheDeadline() {
        var wheel = TimingWheel<Int>(tick: 10, slots: 8, now: 1000)
        for deadline in [1000, 1001, 1010, 1011, 1020, 1070, 1080, 1081, 1090, 1800] {
            wheel.insert(deadline, deadline: UInt64(deadline))
        }
        #expect(wheel.count == 10)
        var at: [Int: UInt64] = [:]
        for now in stride(from: 1000 as UInt64, through: 1800, by: 1) {
            var expired: [Int] = []
            wheel.advance(to: now, expired: &expired)
            for element in expired { at[element] = now }
        }
        #expect(wheel.isEmpty)
        #expect(
            at == [
                1000: 1010, 1001: 1010, 1010: 1010, 1011: 1020, 1020: 1020, 1070: 1070, 1080: 1080, 1081: 1090,
                1090: 1090, 1800: 1800,
            ]
        )
    }

    @Test func longPause() {
        var wheel = TimingWheel<Int>(tick: 10, slots: 4, now: 0)
        for element in 0..<100 { wheel.insert(element, deadline: UInt64(element) * 7) }
        var expired: [Int] = []
        wheel.advance(to: 350, expired: &expired)
        #expect(expired.sorted() == Array(0...50))
        wheel.advance(to: .max, expired: &expired)
        #expect(expired.sorted() == Array(0..<100))
        #expect(wheel.isEmpty)
        wheel.insert(100, deadline: .max)
        #expect(wheel.count == 1)
    }

    @Test func timeThatGoesBackDoesNothing() {
        var wheel = TimingWheel<Int>(tick: 10, slots: 4, now: 1000)
        wheel.insert(1, deadline: 1010)
        var expired: [Int] = []
        wheel.advance(to: 0, expired: &expired)
        wheel.advance(to: 1000, expired: &expired)
        #expect(expired.isEmpty)
        wheel.advance(to: 1010, expired: &expired)
        #expect(expired == [1])
        // A deadline that is over comes at the next tick.
        wheel.insert(2, deadline: 5)
        wheel.advance(to: 1019, expired: &expired)
        #expect(expired == [1])
        wheel.advance(to: 1020, expired: &expired)
        #expect(expired == [1, 2])
    }

    @Test func degenerateSizes() {
        var wheel = TimingWheel<Int>(tick: 0, slots: -3, now: 0)
        wheel.insert(1, deadline: 3)
        wheel.insert(2, deadline: 1)
        var expired: [Int] = []
        wheel.advance(to: 2, expired: &expired)
        #expect(expired == [2])
        wheel.advance(to: 3, expired: &expired)
        #expect(expired == [2, 1])
        wheel.advance(to: .max, expired: &expired)
        wheel.insert(3, deadline: 0)
        #expect(wheel.count == 1)
    }

    @Test func agreesWithASortedList() {
        var generator = SeededGenerator(state: 42)
        var wheel = TimingWheel<Int>(tick: 100, slots: 16, now: 7)
        var model: [(id: Int, deadline: UInt64)] = []
        var now: UInt64 = 7
        for id in 0..<5000 {
            let deadline = now + UInt64.random(in: 0...6000, using: &generator)
            wheel.insert(id, deadline: deadline)
            model.append((id, deadline))
            now += UInt64.random(in: 0...90, using: &generator)
            var expired: [Int] = []
            wheel.advance(to: now, expired: &expired)
            let early = Set(expired)
            for entry in model where early.contains(entry.id) {
                if entry.deadline > now { Issue.record("\(entry.id) came early") }
            }
            model.removeAll { early.contains($0.id) }
            // Nothing is late by more than a tick.
            for entry in model where entry.deadline + 200 <= now { Issue.record("\(entry.id) is late") }
            #expect(wheel.count == model.count)
        }
    }

    @Test func removesWhatIsDead() {
        var wheel = TimingWheel<Int>(tick: 10, slots: 4, now: 0)
        for id in 0..<1000 { wheel.insert(id, deadline: UInt64(id)) }
        wheel.removeAll { !$0.isMultiple(of: 10) }
        #expect(wheel.count == 100)
        var expired: [Int] = []
        wheel.advance(to: 500, expired: &expired)
        #expect(Set(expired) == Set(stride(from: 0, through: 500, by: 10)))
        wheel.removeAll { _ in true }
        #expect(wheel.isEmpty)
        wheel.removeAll { _ in true }
        wheel.insert(1, deadline: 600)
        expired = []
        wheel.advance(to: 600, expired: &expired)
        #expect(expired == [1])
    }

    @Test func releasesWhatExpired() {
        final class Probe {}
        var wheel = TimingWheel<Probe>(tick: 10, slots: 4, now: 0)
        weak var probe: Probe?
        do {
            let strong = Probe()
            probe = strong
            wheel.insert(strong, deadline: 10)
        }
        #expect(probe != nil)
        var expired: [Probe] = []
        wheel.advance(to: 10, expired: &expired)
        expired.removeAll()
        #expect(probe == nil)
    }
}
