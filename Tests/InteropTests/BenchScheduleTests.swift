import Testing

@testable import socketio

/// When `socketio bench` sends.
@Suite struct BenchScheduleTests {
    private static let second: Int64 = 1_000_000_000

    private func times(_ schedule: SendSchedule) -> [Int64] {
        var schedule = schedule
        var times: [Int64] = []
        while let time = schedule.take(at: .max) { times.append(time) }
        return times
    }

    @Test func messagesAreDueAtEvenIntervals() {
        let schedule = SendSchedule(origin: 100, end: 100 + Self.second, rate: 4)
        #expect(self.times(schedule) == [100, 250_000_100, 500_000_100, 750_000_100])
    }

    @Test func nothingIsTakenBeforeItIsDue() {
        var schedule = SendSchedule(origin: 100, end: .max, rate: 10)
        #expect(schedule.take(at: 99) == nil)
        #expect(schedule.take(at: 100) == 100)
        #expect(schedule.take(at: 100_000_099) == nil)
        #expect(schedule.next == 100_000_100)
        #expect(schedule.taken == 1)
    }

    /// A stall moves nothing: what was due during it is still due, with the times that it had.
    @Test func whatIsLateKeepsItsTime() {
        var schedule = SendSchedule(origin: 0, end: Self.second, rate: 10)
        #expect(schedule.take(at: 0) == 0)
        let late = (0..<9).map { _ in schedule.take(at: Self.second * 60) }
        #expect(late == (1...9).map { Int64($0) * 100_000_000 })
        #expect(schedule.take(at: .max) == nil)
    }

    @Test(arguments: [1, 2, 3, 7])
    func threadsShareOneSchedule(threads: Int) {
        let whole = self.times(SendSchedule(origin: 5, end: 5 + Self.second, rate: 333))
        let parts = (0..<threads).flatMap {
            self.times(SendSchedule(origin: 5, end: 5 + Self.second, rate: 333, offset: $0, stride: threads))
        }
        #expect(whole.count == 333)
        #expect(parts.sorted() == whole)
    }

    /// Over a day no rounding has added up.
    @Test func intervalsDoNotDrift() {
        let day = 86_400 * Self.second
        let schedule = SendSchedule(origin: 0, end: day, rate: 3)
        #expect(schedule.count(before: day) == 3 * 86_400)
    }

    @Test(arguments: [0.01, 0.3, 1, 7, 333, 999.5, 20_000, 1_000_000], [(0, 1), (0, 2), (1, 2), (4, 5)])
    func countingAgreesWithTaking(rate: Double, part: (Int, Int)) {
        let end = min(10 * Self.second, Int64(2000 / rate * 1e9))
        let schedule = SendSchedule(origin: 77, end: end, rate: rate, offset: part.0, stride: part.1)
        let times = self.times(schedule)
        for time in [Int64.min, 0, 77, 78, end / 3, end / 2 + 1, end - 1, end, end + 1, .max] + times.prefix(3) {
            #expect(schedule.count(before: time) == times.count { $0 < time }, "\(time)")
        }
    }
}

/// What `socketio bench` waits for.
@Suite struct FlightTableTests {
    @Test func aReplyIsCountedOnce() {
        var table = FlightTable()
        let number = table.send(due: 5, at: 7, client: 3, awaiting: 1)
        #expect(table.open == 1)
        #expect(table.receive(number, client: 4) == nil)
        #expect(table.receive(number, client: 3) == 5)
        #expect(table.receive(number, client: 3) == nil)
        #expect(table.open == 0)
    }

    @Test func aBroadcastIsAwaitedFromAllMembers() {
        var table = FlightTable()
        let number = table.send(due: 5, at: 7, client: nil, awaiting: 3)
        let all = (0..<4).map { table.receive(number, client: $0) }
        #expect(all == [5, 5, 5, nil])
        #expect(table.open == 0)
    }

    @Test func numbersThatWereNeverGivenAreUnknown() {
        var table = FlightTable()
        #expect(table.receive(0, client: 0) == nil)
        #expect(table.receive(-1, client: 0) == nil)
        #expect(table.receive(.max, client: 0) == nil)
        #expect(table.abandon(0) == nil)
        table.expire(sentBefore: .max)
        #expect(table.next == 0)
    }

    @Test func whatIsLateIsUnknown() {
        var table = FlightTable()
        let numbers = (0..<10).map { table.send(due: Int64($0), at: Int64($0), client: 0, awaiting: 1) }
        #expect(table.receive(numbers[2], client: 0) == 2)
        table.expire(sentBefore: 5)
        #expect(table.open == 5)
        #expect(table.receive(numbers[4], client: 0) == nil)
        #expect(table.receive(numbers[5], client: 0) == 5)
        table.expire(sentBefore: 100)
        #expect(table.open == 0)
        #expect(table.first == table.next)
    }

    @Test func abandonedMessagesAreOver() {
        var table = FlightTable()
        let number = table.send(due: 1, at: 1, client: nil, awaiting: 4)
        #expect(table.receive(number, client: 0) == 1)
        #expect(table.abandon(number)?.awaited == 3)
        #expect(table.abandon(number) == nil)
        #expect(table.open == 0)
    }

    /// One that is never answered holds the place of all behind it, until it is given up.
    @Test func itGrowsBehindAMessageThatStaysOpen() {
        var table = FlightTable()
        let stuck = table.send(due: 0, at: 0, client: 0, awaiting: 1)
        for index in 1...5000 {
            let number = table.send(due: Int64(index), at: Int64(index), client: index, awaiting: 1)
            #expect(table.receive(number, client: index) == Int64(index))
        }
        #expect(table.first == stuck)
        #expect(table.open == 1)
        #expect(table.receive(stuck, client: 0) == 0)
        #expect(table.first == 5001)
    }

    @Test func aMessageWithoutReceiversIsNotAwaited() {
        var table = FlightTable()
        _ = table.send(due: 0, at: 0, client: nil, awaiting: 0)
        #expect(table.open == 0)
        #expect(table.first == table.next)
    }
}
