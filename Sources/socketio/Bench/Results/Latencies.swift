import Histogram

/// Times in nanoseconds, counted with three significant digits up to a day; longer ones count as that.
struct Latencies: Sendable {
    private var histogram = Histogram<UInt64>(
        lowestDiscernibleValue: 100, highestTrackableValue: Self.highest, numberOfSignificantValueDigits: .three)
    private var lowest = UInt64.max

    private static let highest: UInt64 = 86_400_000_000_000

    var count: Int { Int(clamping: self.histogram.totalCount) }

    mutating func record(_ nanoseconds: Int64) {
        let value = Swift.min(UInt64(clamping: nanoseconds), Self.highest)
        self.lowest = Swift.min(self.lowest, value)
        self.histogram.record(value)
    }

    mutating func add(_ other: Latencies) {
        guard other.count > 0 else { return }
        for value in other.histogram.recordedValues() {
            self.histogram.record(Swift.min(value.value, other.histogram.maxRecorded), count: value.count)
        }
        self.lowest = Swift.min(self.lowest, other.lowest)
    }

    mutating func reset() {
        guard self.count > 0 else { return }
        self.histogram.reset()
        self.lowest = .max
    }

    /// Nil if nothing was recorded.
    var min: Int64? { self.count > 0 ? Int64(clamping: self.lowest) : nil }
    var max: Int64? { self.value(at: 100) }
    var mean: Double? { self.count > 0 ? self.histogram.mean : nil }

    /// The time within which so many percent lie.
    func value(at percentile: Double) -> Int64? {
        guard self.count > 0 else { return nil }
        return Int64(clamping: self.histogram.valueAtPercentile(percentile))
    }
}
