import SocketIO
import Testing

@testable import socketio

/// What `socketio bench` makes of what it has counted.
@Suite struct BenchSummaryTests {
    private func plan(_ arguments: String...) throws -> BenchPlan {
        try BenchCommand.parse(["http://localhost"] + arguments).plan()
    }

    private func summary(
        _ plan: BenchPlan, isInterrupted: Bool = false, _ change: (inout BenchCounts) -> Void
    ) -> BenchSummary {
        var counts = BenchCounts()
        counts.started = 10
        counts.connected = 10
        counts.present = 10
        change(&counts)
        return BenchSummary(
            plan, counts, start: 1_000_000_000, end: 11_000_000_000, isInterrupted: isInterrupted, failure: nil)
    }

    private func record(_ milliseconds: some Sequence<Int>, in latencies: inout Latencies) {
        for time in milliseconds { latencies.record(Int64(time) * 1_000_000) }
    }

    // MARK: Latencies

    @Test func percentilesHaveThreeDigits() throws {
        var latencies = Latencies()
        #expect(latencies.value(at: 50) == nil)
        #expect(latencies.min == nil)
        self.record(1...1000, in: &latencies)
        for (percentile, milliseconds) in [(50.0, 500.0), (90, 900), (99, 990), (99.9, 999), (100, 1000)] {
            let value = Double(try #require(latencies.value(at: percentile))) / 1e6
            #expect(abs(value - milliseconds) <= milliseconds / 500, "\(percentile): \(value)")
        }
        #expect(latencies.min == 1_000_000)
        #expect(latencies.max == 1_000_000_000)
    }

    @Test func partsAddUpToTheWhole() {
        var (one, other, whole) = (Latencies(), Latencies(), Latencies())
        self.record(1...300, in: &one)
        self.record(301...1000, in: &other)
        self.record(1...1000, in: &whole)
        one.add(other)
        one.add(Latencies())
        #expect(one.count == 1000)
        #expect(one.min == whole.min)
        for percentile in [0.1, 25, 50, 75, 99, 99.9, 100] {
            #expect(one.value(at: percentile) == whole.value(at: percentile), "\(percentile)")
        }
        var none = Latencies()
        none.add(Latencies())
        #expect(none.max == nil)
        none.add(whole)
        #expect(none.count == 1000)
    }

    @Test func timesOutOfRangeCountAsItsEnds() {
        var latencies = Latencies()
        latencies.record(-5)
        latencies.record(.max)
        #expect(latencies.count == 2)
        #expect(latencies.min == 0)
        #expect(latencies.max == 86_400_000_000_000)
    }

    // MARK: Rates and limits

    @Test func theRateIsThatOfReplies() throws {
        let plan = try self.plan("--mode", "echo")
        let summary = self.summary(plan) { counts in
            counts.sent = 1000
            counts.expected = 1000
            counts.received = 900
            counts.lastReceived = 10_900_000_000
        }
        #expect(summary.throughput == 90)
        #expect(summary.lost == 100)
        #expect(summary.counts.errors.counts == ["no reply within 10s": 100])
        #expect(summary.errorRate == 0.1)
        #expect(summary.status == .ok)
        // Replies that come after the time do not make the server quicker.
        let late = self.summary(plan) { counts in
            counts.sent = 1000
            counts.expected = 1000
            counts.received = 1000
            counts.lastReceived = 21_000_000_000
        }
        #expect(late.seconds == 20)
        #expect(late.throughput == 50)
    }

    @Test func errorsOfConnectionsAndOfMessagesDoNotHideEachOther() throws {
        let plan = try self.plan("--mode", "broadcast")
        func rate(_ change: (inout BenchCounts) -> Void) -> Double {
            self.summary(plan) { counts in
                (counts.sent, counts.expected, counts.received) = (100, 1000, 1000)
                change(&counts)
            }.errorRate
        }
        #expect(rate { _ in } == 0)
        #expect(rate { $0.lost = 1 } == 0.1)
        #expect(rate { $0.failed = 2 } == 0.2)
        #expect(rate { $0.received = 500 } == 0.5)
        #expect(rate { $0.unsent = 100 } == 0.5)
        #expect(rate { ($0.sent, $0.expected, $0.received, $0.unsent) = (0, 0, 0, 5) } == 1)
    }

    @Test func limitsAreKeptOrNot() throws {
        func status(_ arguments: String...) throws -> BenchSummary.Status {
            let plan = try BenchCommand.parse(["http://localhost", "--mode", "echo"] + arguments).plan()
            return self.summary(plan) { counts in
                (counts.sent, counts.expected, counts.received) = (1000, 1000, 999)
                self.record(1...999, in: &counts.latencies)
            }.status
        }
        #expect(try status("--max-p50", "600ms", "--max-p90", "950ms", "--max-error-rate", "0.1%") == .ok)
        #expect(try status("--max-p50", "400ms") == .exceeded)
        #expect(try status("--max-p90", "800ms") == .exceeded)
        #expect(try status("--max-p99", "800ms") == .exceeded)
        #expect(try status("--max-p999", "800ms") == .exceeded)
        #expect(try status("--max-latency", "998ms") == .exceeded)
        #expect(try status("--max-latency", "1s") == .ok)
        #expect(try status("--max-error-rate", "0.05%") == .exceeded)
    }

    @Test func connectionTimesAreTheLatenciesWithoutMessages() throws {
        let plan = try self.plan("--max-p50", "5ms")
        #expect(self.summary(plan) { self.record([1, 2, 3], in: &$0.connectTimes) }.status == .ok)
        #expect(self.summary(plan) { self.record([1, 8, 9], in: &$0.connectTimes) }.status == .exceeded)
        // Nothing measured is nothing kept.
        #expect(self.summary(plan) { _ in }.status == .exceeded)
    }

    @Test func aRunThatComesToNothingSaysWhy() throws {
        let plan = try self.plan("--mode", "echo", "--event", "say", "--reply", "said")
        let refused = self.summary(plan) { counts in
            (counts.connected, counts.present, counts.failed) = (0, 0, 10)
            counts.failures.count("nothing listens", 9)
            counts.failures.count("too many open files")
        }
        #expect(refused.failure == "no client could connect: nothing listens")
        let gone = self.summary(plan) { counts in
            (counts.present, counts.lost) = (0, 10)
            counts.losses.count("transport close", 10)
        }
        #expect(gone.failure == "all connections were lost: transport close")
        let silent = self.summary(plan) { ($0.sent, $0.expected) = (5, 5) }
        #expect(silent.failure == #"nothing came back: does the server send "said" when it gets "say"?"#)
        let strange = self.summary(plan) { ($0.sent, $0.expected, $0.unexpected) = (5, 5, 5) }
        #expect(
            strange.failure == #"nothing came back: events "said" have come, but without the payload of "say""#)
        for summary in [refused, gone, silent, strange] { #expect(summary.status == .failed) }
    }

    @Test func anInterruptedRunIsNoFailure() throws {
        let plan = try self.plan("--mode", "echo")
        let summary = self.summary(plan, isInterrupted: true) { _ in }
        #expect(summary.status == .ok)
        #expect(summary.lines.first?.hasSuffix("interrupted") == true)
    }

    @Test func reasonsAreBounded() {
        var tally = Tally()
        for number in 0..<1000 { tally.count("reason \(number % 200)") }
        #expect(tally.counts.count == Tally.maxKinds + 1)
        #expect(tally.total == 1000)
        #expect(tally.sorted.first?.reason == Tally.rest)
    }

    // MARK: What is printed

    @Test func theSummaryForPeople() throws {
        let plan = try self.plan(
            "--mode", "echo", "--clients", "10", "--rate", "1000", "--max-p99", "20ms", "--max-error-rate", "0")
        let summary = self.summary(plan) { counts in
            (counts.onWebSocket, counts.sent, counts.expected, counts.received) = (10, 10_000, 10_000, 9_998)
            counts.unexpected = 1
            self.record([1, 2], in: &counts.connectTimes)
            self.record([1, 1, 30], in: &counts.latencies)
        }
        #expect(
            summary.lines == [
                "http://localhost  echo, 10 clients, 1,000 messages/s for 10 s",
                "connections    10 of 10, 0 failed, 0 lost; websocket",
                "  time         min 1.000  p50 1.000  p90 2.000  p99 2.000  p99.9 2.000  max 2.000 ms",
                "messages       10,000 sent, 9,998 of 10,000 received, 2 lost, 1 unexpected",
                "  rate         999.8/s received",
                "  latency      min 1.000  p50 1.000  p90 30.00  p99 30.00  p99.9 30.00  max 30.00 ms",
                "  sent late    none",
                "errors         2 × no reply within 10s",
                "limit          p99 30.00 ms, allowed 20.00 ms: EXCEEDED",
                "limit          error rate 0.02 %, allowed 0 %: EXCEEDED",
            ])
    }

    @Test func theSummaryForPrograms() throws {
        let plan = try self.plan("--mode", "echo", "--clients", "10", "--max-p50", "20ms")
        let value = self.summary(plan) { counts in
            (counts.sent, counts.expected, counts.received) = (3, 3, 3)
            counts.lastReceived = 1_500_000_000
            self.record([1, 2, 30], in: &counts.latencies)
            counts.failures.count("a \"strange\" reason")
        }.value
        #expect(value["status"] == "ok")
        #expect(value["messages"]?["received"] == 3)
        #expect(value["messages"]?["receivedPerSecond"]?.doubleValue == 0.3)
        #expect(value["latency"]?["count"] == 3)
        #expect(value["latency"]?["min"]?.doubleValue == 1)
        #expect(value["latency"]?["max"]?.doubleValue == 30)
        #expect(value["connections"]?["failures"] == [#"a "strange" reason"#: 1])
        #expect(value["limits"]?[0]?["quantity"] == "p50")
        #expect(value["limits"]?[0]?["exceeded"] == false)
    }

    @Test(arguments: [
        (0.0, "0"), (0.25, "0.25"), (9.999, "10"), (99.96, "100"), (999.94, "999.9"), (1000, "1,000"),
        (1_234_567.8, "1,234,568"),
    ])
    func rates(rate: Double, text: String) { #expect(BenchFormat.rate(rate) == text) }

    @Test(arguments: [
        (0, "0.000"), (93_400, "0.093"), (9_999_900, "10.000"), (12_345_678, "12.35"), (1_234_567_890, "1,234.6"),
    ])
    func milliseconds(nanoseconds: Int64, text: String) { #expect(BenchFormat.milliseconds(nanoseconds) == text) }

    @Test func progressSaysWhatHappens() throws {
        let plan = try self.plan("--mode", "echo", "--clients", "10")
        var counts = BenchCounts()
        (counts.present, counts.failed, counts.open) = (8, 2, 5)
        var pulse = BenchPulse()
        (pulse.sent, pulse.received) = (200, 100)
        self.record([1], in: &pulse.latencies)
        let line = BenchProgress.line("measuring", counts, pulse, seconds: 2, plan: plan)
        #expect(
            line
                == "measuring  8 of 10 connected, 2 failed  100/s sent  50/s received  p50 1.000 p99 1.000 ms  5 awaited"
        )
    }
}
