/// What a run must keep to have status 0.
struct BenchLimit: Sendable, Equatable {
    enum Quantity: String, Sendable, CaseIterable {
        case p50, p90, p99
        case p999 = "p99.9"
        case max
        case errorRate = "error rate"

        /// Nil for what is no latency.
        var percentile: Double? {
            switch self {
            case .p50: 50
            case .p90: 90
            case .p99: 99
            case .p999: 99.9
            case .max: 100
            case .errorRate: nil
            }
        }
    }

    var quantity: Quantity
    /// Nanoseconds, or a part of 1.
    var allowed: Double

    struct Verdict: Sendable, Equatable {
        var limit: BenchLimit
        /// Nil if nothing was measured, which is no compliance.
        var measured: Double?
        var isExceeded: Bool { self.measured.map { $0 > self.limit.allowed } ?? true }
    }

    func verdict(latencies: Latencies, errorRate: Double) -> Verdict {
        guard let percentile = self.quantity.percentile else { return Verdict(limit: self, measured: errorRate) }
        return Verdict(limit: self, measured: latencies.value(at: percentile).map { Double($0) })
    }
}
