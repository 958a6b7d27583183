extension BenchSummary {
    /// For people, without ends of lines.
    var lines: [String] {
        var lines = [self.title]
        lines += self.connectionLines
        if self.plan.mode.hasMessages { lines += self.messageLines }
        for (reason, count) in self.counts.failures.sorted { lines.append(self.row("not connected", reason, count)) }
        for (reason, count) in self.counts.losses.sorted { lines.append(self.row("lost", reason, count)) }
        for (reason, count) in self.counts.errors.sorted { lines.append(self.row("errors", reason, count)) }
        lines += self.verdicts.map { self.row("limit", Self.text($0)) }
        if self.isGeneratorLate {
            lines.append(
                "The generator was late itself, which is in the latencies: give it cores (--threads), or a lower rate.")
        }
        return lines
    }

    private var title: String {
        let plan = self.plan
        var parts = [plan.mode.rawValue, "\(BenchFormat.count(plan.clients)) clients"]
        if plan.mode == .broadcast { parts.append("\(BenchFormat.count(plan.rooms)) rooms") }
        if plan.mode.hasMessages {
            let time = BenchFormat.decimal(self.plannedSeconds, 3, trimmed: true)
            parts.append("\(BenchFormat.rate(plan.rate)) messages/s for \(time) s")
        }
        if self.isInterrupted { parts.append("interrupted") }
        return SafeText.escape(plan.url) + "  " + parts.joined(separator: ", ")
    }

    private var plannedSeconds: Double { Double(self.plan.duration) / 1e9 }

    private var connectionLines: [String] {
        let counts = self.counts
        let transports =
            counts.onWebSocket == counts.present
            ? "websocket"
            : counts.onWebSocket == 0
                ? "polling" : "websocket \(counts.onWebSocket), polling \(counts.present - counts.onWebSocket)"
        var numbers = "\(BenchFormat.count(counts.connected)) of \(BenchFormat.count(counts.started))"
        numbers += ", \(BenchFormat.count(counts.failed)) failed, \(BenchFormat.count(counts.lost)) lost"
        if counts.present > 0 { numbers += "; \(transports)" }
        return [self.row("connections", numbers), self.row("  time", Self.text(counts.connectTimes))]
    }

    private var messageLines: [String] {
        let counts = self.counts
        var numbers = "\(BenchFormat.count(counts.sent)) sent, "
        numbers += "\(BenchFormat.count(counts.received)) of \(BenchFormat.count(counts.expected)) received, "
        numbers += "\(BenchFormat.count(self.lost)) lost"
        if counts.unsent > 0 { numbers += ", \(BenchFormat.count(counts.unsent)) not sent" }
        if counts.unexpected > 0 { numbers += ", \(BenchFormat.count(counts.unexpected)) unexpected" }
        return [
            self.row("messages", numbers),
            self.row("  rate", "\(BenchFormat.rate(self.throughput))/s received"),
            self.row("  latency", Self.text(counts.latencies)),
            self.row("  sent late", Self.text(counts.lags)),
        ]
    }

    private func row(_ title: String, _ text: String) -> String {
        title + String(repeating: " ", count: max(1, 15 - title.count)) + text
    }

    private func row(_ title: String, _ reason: String, _ count: Int) -> String {
        self.row(title, "\(BenchFormat.count(count)) × \(SafeText.escape(reason))")
    }

    static func text(_ latencies: Latencies) -> String {
        guard latencies.count > 0 else { return "none" }
        var parts: [String] = []
        if let min = latencies.min { parts.append("min \(BenchFormat.milliseconds(min))") }
        for (name, percentile) in Self.percentiles {
            guard let value = latencies.value(at: percentile) else { continue }
            parts.append("\(name) \(BenchFormat.milliseconds(value))")
        }
        return parts.joined(separator: "  ") + " ms"
    }

    static let percentiles: [(String, Double)] = [
        ("p50", 50), ("p90", 90), ("p99", 99), ("p99.9", 99.9), ("max", 100),
    ]

    private static func text(_ verdict: BenchLimit.Verdict) -> String {
        func amount(_ value: Double) -> String {
            verdict.limit.quantity == .errorRate
                ? BenchFormat.percent(value) : BenchFormat.milliseconds(Int64(value)) + " ms"
        }
        let measured = verdict.measured.map { amount($0) } ?? "nothing measured"
        let allowed = "allowed \(amount(verdict.limit.allowed))"
        return "\(verdict.limit.quantity.rawValue) \(measured), \(allowed): \(verdict.isExceeded ? "EXCEEDED" : "kept")"
    }
}
