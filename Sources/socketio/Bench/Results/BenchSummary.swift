/// What has come of a run.
struct BenchSummary: Sendable {
    let plan: BenchPlan
    let counts: BenchCounts
    /// How long messages were measured, in seconds: to the last reply if that came after the time.
    let seconds: Double
    let isInterrupted: Bool
    /// Why the run has come to nothing.
    let failure: String?

    enum Status: String { case ok, exceeded, failed }

    /// - Parameters:
    ///   - start: when messages began to count, in nanoseconds, and `end` when they ceased to.
    init(_ plan: BenchPlan, _ counts: BenchCounts, start: Int64, end: Int64, isInterrupted: Bool, failure: String?) {
        var counts = counts
        if plan.mode.hasMessages {
            // What has failed without a word was waited for.
            let isUnexplained = counts.expected - counts.received - counts.errors.total
            counts.errors.count("no reply within \(Span(nanoseconds: plan.timeout))", isUnexplained)
        }
        self.plan = plan
        self.counts = counts
        self.seconds = Double(max(end, counts.lastReceived ?? end) - start) / 1e9
        self.isInterrupted = isInterrupted
        self.failure = failure ?? Self.failure(plan, counts, isInterrupted)
    }

    private static func failure(_ plan: BenchPlan, _ counts: BenchCounts, _ isInterrupted: Bool) -> String? {
        if counts.connected == 0 {
            if isInterrupted { return "interrupted before a client was connected" }
            guard let first = counts.failures.sorted.first else { return "no client has connected" }
            return "no client could connect: \(first.reason)"
        }
        if counts.present == 0 {
            let reason = counts.losses.sorted.first.map { ": \($0.reason)" } ?? ""
            return "all connections were lost\(reason)"
        }
        guard plan.mode.hasMessages, counts.expected > 0, counts.received == 0 else { return nil }
        return "nothing came back: " + Self.advice(plan, counts)
    }

    private static func advice(_ plan: BenchPlan, _ counts: BenchCounts) -> String {
        let event = SafeText.quote(plan.event?.name ?? "")
        let reply = SafeText.quote(plan.reply ?? "")
        switch plan.mode {
        case .ack: return "does the server acknowledge \(event)?"
        case .echo, .broadcast:
            return counts.unexpected > 0
                ? "events \(reply) have come, but without the payload of \(event)"
                : "does the server send \(reply) when it gets \(event)?"
        case .connect: return ""
        }
    }

    var status: Status {
        if self.failure != nil { return .failed }
        return self.verdicts.contains { $0.isExceeded } ? .exceeded : .ok
    }

    var lost: Int { self.counts.expected - self.counts.received }

    /// Replies in a second.
    var throughput: Double { self.seconds > 0 ? Double(self.counts.received) / self.seconds : 0 }

    /// Of the connections or of the messages, whichever is greater.
    var errorRate: Double {
        let clients = self.counts.started
        let connections = clients > 0 ? Double(self.counts.failed + self.counts.lost) / Double(clients) : 0
        let due = self.counts.sent + self.counts.unsent
        guard due > 0 else { return connections }
        // A message that was not sent is as bad as one without any reply.
        let lost = self.counts.expected > 0 ? Double(self.lost) / Double(self.counts.expected) : 0
        let messages = (Double(self.counts.unsent) + Double(self.counts.sent) * lost) / Double(due)
        return max(connections, messages)
    }

    /// The times that the limits are about.
    var latencies: Latencies { self.plan.mode.hasMessages ? self.counts.latencies : self.counts.connectTimes }

    var verdicts: [BenchLimit.Verdict] {
        self.plan.limits.map { $0.verdict(latencies: self.latencies, errorRate: self.errorRate) }
    }

    /// Whether the generator's own delays are a part of the latencies that can't be overlooked.
    var isGeneratorLate: Bool {
        guard let lag = self.counts.lags.value(at: 99), let latency = self.counts.latencies.value(at: 99) else {
            return false
        }
        return lag > 1_000_000 && lag > latency / 4
    }
}
