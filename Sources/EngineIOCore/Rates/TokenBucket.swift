/// Tokens that come at a steady rate, as many as a burst at most, and are spent on what is received.
///
/// A value without a clock: times are nanoseconds of any monotonic one, and a time before the last is taken for the last. What
/// costs more than a whole burst passes when the bucket is full, and leaves a debt: so it is not refused for ever, and the
/// rate holds in the long run.
package struct TokenBucket: Sendable, Equatable {
    /// So many tokens in a time. The values are brought into ranges in which nothing below overflows.
    package struct Rate: Sendable, Hashable {
        package let count: Int64
        /// Nanoseconds.
        package let period: Int64
        package let burst: Int64

        package init(count: Int, period: UInt64, burst: Int) {
            self.count = Int64(clamping: max(1, count))
            self.period = min(Int64(clamping: max(1, period)), Self.longest)
            self.burst = Int64(clamping: max(1, burst))
        }

        /// More than a century; below 2^62.
        fileprivate static let longest: Int64 = 4_000_000_000_000_000_000
    }

    package let rate: Rate
    /// Parts of tokens, `rate.period` of them to one, so that each nanosecond brings `rate.count`. Between a full bucket, below
    /// 2^125, and a debt of the same size.
    private var credit: Int128
    private var time: UInt64

    /// A full bucket.
    package init(_ rate: Rate, now: UInt64) {
        self.rate = rate
        self.credit = 0
        self.time = now
        self.credit = self.capacity
    }

    private var capacity: Int128 { Int128(self.rate.burst) * Int128(self.rate.period) }

    /// What must be there for something that costs so many tokens.
    private func needed(for cost: Int) -> Int128 {
        min(Int128(max(0, cost)) * Int128(self.rate.period), self.capacity)
    }

    /// Adds what has come by `now`.
    package mutating func refill(at now: UInt64) {
        guard now > self.time else { return }
        // Below 2^62 nanoseconds, times less than 2^63.
        let elapsed = min(now - self.time, UInt64(Rate.longest))
        self.time = now
        self.credit = min(self.capacity, self.credit + Int128(elapsed) * Int128(self.rate.count))
    }

    /// Whether something may pass that costs so many tokens, by the last refill.
    package func has(_ cost: Int) -> Bool { self.credit >= self.needed(for: cost) }

    /// Takes tokens, there or not.
    package mutating func spend(_ cost: Int) {
        let cost = Int128(max(0, cost)) * Int128(self.rate.period)
        self.credit = max(self.credit - cost, -(Int128(1) << 125))
    }

    /// Refills, and takes tokens if they are there.
    package mutating func take(_ cost: Int, at now: UInt64) -> Bool {
        self.refill(at: now)
        guard self.has(cost) else { return false }
        self.spend(cost)
        return true
    }

    /// Nanoseconds from the last refill until ``has(_:)`` is true.
    package func delay(for cost: Int) -> UInt64 {
        let missing = self.needed(for: cost) - self.credit
        guard missing > 0 else { return 0 }
        let count = Int128(self.rate.count)
        return UInt64(clamping: missing / count + (missing % count == 0 ? 0 : 1))
    }

    /// How long something should wait that can't pass now: until it can, or a little longer, as long as no token is lost by that.
    /// One timer then lets several pass.
    package func pause(for cost: Int) -> UInt64 {
        max(self.delay(for: cost), min(10_000_000, self.delay(for: Int(self.rate.burst))))
    }

    /// Holds no more than another one, of the same rate, at its time.
    package mutating func lower(to other: TokenBucket) {
        var other = other
        other.refill(at: self.time)
        self.credit = min(self.credit, other.credit)
        self.time = max(self.time, other.time)
    }
}
