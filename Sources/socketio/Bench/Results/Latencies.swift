import Histogram

/// Times in nanoseconds, counted with three significant digits up to a day; longer ones count as that.
struct Latencies: Sendable {
    /// Some hundred KiB: made when it is needed.
    private var histogram: Histogram<UInt64>?
    private var lowest = UInt64.max

    private static let highest: UInt64 = 86_400_000_000_000

    private static func makeHistogram() -> Histogram<UInt64> {
        Histogram(
            lowestDiscernibleValue: 100, highestTrackableValue: Self.highest, numberOfSignificantValueDigits: .three)
    }

    /// Makes room now, which takes milliseconds where memory is slow to be had.
    mutating func prepare() {
        if self.histogram == nil { self.histogram = Self.makeHistogram() }
    }

    var count: Int { Int(clamping: self.histogram?.totalCount ?? 0) }

    mutating func record(_ nanoseconds: Int64) {
        self.record(Swift.min(UInt64(clamping: nanoseconds), Self.highest), count: 1)
    }

    private mutating func record(_ value: UInt64, count: UInt64) {
        self.prepare()
        self.lowest = Swift.min(self.lowest, value)
        self.histogram?.record(value, count: count)
    }

    mutating func add(_ other: Latencies) {
        guard let histogram = other.histogram, histogram.totalCount > 0 else { return }
        guard self.count > 0 else {
            self = other
            return
        }
        // The values are the ends of ranges.
        for value in histogram.recordedValues() {
            self.record(Swift.min(value.value, histogram.maxRecorded), count: value.count)
        }
        self.lowest = Swift.min(self.lowest, other.lowest)
    }

    /// Nil if nothing was recorded.
    var min: Int64? { self.count > 0 ? Int64(clamping: self.lowest) : nil }
    var max: Int64? { self.value(at: 100) }
    var mean: Double? { self.count > 0 ? self.histogram?.mean : nil }

    /// The time within which so many percent lie.
    func value(at percentile: Double) -> Int64? {
        guard let histogram = self.histogram, histogram.totalCount > 0 else { return nil }
        return Int64(clamping: histogram.valueAtPercentile(percentile))
    }
}
