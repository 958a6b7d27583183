#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A line a second on standard error: in a terminal the same one again and again.
final class BenchProgress {
    let isShown: Bool
    private let isTerminal: Bool
    private var hasLine = false
    private var seconds = 0

    /// - Parameter wanted: nil for only in a terminal.
    init(wanted: Bool?) {
        self.isTerminal = isatty(STDERR_FILENO) == 1
        self.isShown = wanted ?? self.isTerminal
    }

    func show(_ phase: String, _ counts: BenchCounts, _ pulse: BenchPulse, seconds: Double, plan: BenchPlan) {
        self.seconds += 1
        let line = "\(self.seconds) s  " + Self.line(phase, counts, pulse, seconds: seconds, plan: plan)
        if self.isTerminal {
            self.write("\r" + line + "\u{1B}[K")
            self.hasLine = true
        } else {
            self.write(line + "\n")
        }
    }

    /// Leaves nothing of it in a terminal.
    func end() {
        if self.hasLine { self.write("\r\u{1B}[K") }
        self.hasLine = false
    }

    private func write(_ text: String) { _ = StandardStreams.write(text, toError: true) }

    static func line(
        _ phase: String, _ counts: BenchCounts, _ pulse: BenchPulse, seconds: Double, plan: BenchPlan
    ) -> String {
        var parts = [phase]
        let connected = "\(BenchFormat.count(counts.present)) of \(BenchFormat.count(plan.clients)) connected"
        parts.append(counts.failed > 0 ? "\(connected), \(BenchFormat.count(counts.failed)) failed" : connected)
        if counts.lost > 0 { parts.append("\(BenchFormat.count(counts.lost)) lost") }
        if pulse.sent > 0 || pulse.received > 0 {
            parts.append("\(BenchFormat.rate(Double(pulse.sent) / seconds))/s sent")
            parts.append("\(BenchFormat.rate(Double(pulse.received) / seconds))/s received")
            if let median = pulse.latencies.value(at: 50), let high = pulse.latencies.value(at: 99) {
                parts.append("p50 \(BenchFormat.milliseconds(median)) p99 \(BenchFormat.milliseconds(high)) ms")
            }
        }
        if counts.open > 0 { parts.append("\(BenchFormat.count(counts.open)) awaited") }
        if counts.errors.total > 0 { parts.append("\(BenchFormat.count(counts.errors.total)) errors") }
        return parts.joined(separator: "  ")
    }
}
