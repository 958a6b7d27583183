import Testing

@testable import EngineIOCore

@Suite struct TokenBucketTests {
    private static let second: UInt64 = 1_000_000_000

    private func bucket(_ count: Int, per period: UInt64 = second, burst: Int, now: UInt64 = 0) -> TokenBucket {
        TokenBucket(TokenBucket.Rate(count: count, period: period, burst: burst), now: now)
    }

    @Test func fullAtFirst() {
        var bucket = self.bucket(10, burst: 5, now: 77)
        for _ in 0..<5 { #expect(bucket.take(1, at: 77) == true) }
        #expect(bucket.take(1, at: 77) == false)
    }

    @Test func tokensComeAtTheRate() {
        var bucket = self.bucket(10, burst: 5)
        bucket.spend(5)
        #expect(bucket.take(1, at: Self.second / 10 - 1) == false)
        #expect(bucket.take(1, at: Self.second / 10) == true)
        #expect(bucket.take(1, at: Self.second / 10) == false)
        #expect(bucket.take(3, at: Self.second * 4 / 10) == true)
        #expect(bucket.take(1, at: Self.second * 5 / 10 - 1) == false)
    }

    @Test func noMoreThanABurst() {
        var bucket = self.bucket(10, burst: 5)
        for _ in 0..<5 { #expect(bucket.take(1, at: Self.second * 1000) == true) }
        #expect(bucket.take(1, at: Self.second * 1000) == false)
    }

    /// However often it is looked, in steps that no token fits into.
    @Test func partsOfTokensAreNotLost() {
        var bucket = self.bucket(3, burst: 1)
        bucket.spend(1)
        var taken = 0
        for now in stride(from: UInt64(0), through: Self.second * 10, by: 7_777_777) where bucket.take(1, at: now) {
            taken += 1
        }
        // At most one step late for each.
        #expect((29...30).contains(taken))
    }

    @Test func anEarlierTimeIsTheLast() {
        var bucket = self.bucket(1, burst: 1, now: Self.second * 10)
        #expect(bucket.take(1, at: Self.second * 10) == true)
        #expect(bucket.take(1, at: 0) == false)
        #expect(bucket.take(1, at: Self.second * 10 + Self.second / 2) == false)
        #expect(bucket.take(1, at: 5) == false)
        #expect(bucket.take(1, at: Self.second * 11) == true)
    }

    /// It passes when the bucket is full, and those behind it pay.
    @Test func moreThanABurst() {
        var bucket = self.bucket(10, burst: 10)
        #expect(bucket.take(100, at: 0) == true)
        #expect(bucket.take(1, at: Self.second * 9) == false)
        #expect(bucket.take(1, at: Self.second * 91 / 10) == true)
        #expect(bucket.take(100, at: Self.second * 95 / 10) == false)
    }

    @Test func spendingWhatIsNotThere() {
        var bucket = self.bucket(10, burst: 2)
        bucket.spend(5)
        #expect(!bucket.has(1))
        #expect(bucket.delay(for: 1) == Self.second * 4 / 10)
    }

    @Test(arguments: [(1, 1), (3, 2), (7, 100), (1_000_000_007, 5)]) func delays(_ count: Int, _ burst: Int) {
        var bucket = self.bucket(count, per: 999_999_937, burst: burst)
        #expect(bucket.delay(for: 1) == 0)
        bucket.spend(burst)
        for cost in [1, burst] {
            let delay = bucket.delay(for: cost)
            var early = bucket
            early.refill(at: delay - 1)
            #expect(!early.has(cost))
            early.refill(at: delay)
            #expect(early.has(cost))
        }
    }

    /// A pause is never so long that a token is lost by it.
    @Test func pauses() {
        var bucket = self.bucket(1000, burst: 3)
        bucket.spend(3)
        #expect(bucket.pause(for: 1) == 3_000_000)
        bucket = self.bucket(1000, burst: 1000)
        bucket.spend(1000)
        #expect(bucket.pause(for: 1) == 10_000_000)
        bucket = self.bucket(1, burst: 1000)
        bucket.spend(1000)
        #expect(bucket.pause(for: 1) == Self.second)
    }

    @Test func loweringToAnother() {
        var spent = self.bucket(10, burst: 5)
        spent.spend(5)
        var bucket = self.bucket(10, burst: 5, now: Self.second / 5)
        bucket.lower(to: spent)
        #expect(bucket.take(2, at: Self.second / 5) == true)
        #expect(bucket.take(1, at: Self.second / 5) == false)
        // A fuller one changes nothing.
        bucket.lower(to: self.bucket(10, burst: 5))
        #expect(bucket.take(1, at: Self.second / 5) == false)
    }

    @Test func nothingOverflows() {
        let extremes = [0, 1, -1, Int.min, Int.max, Int.max - 1]
        for count in extremes {
            for burst in extremes {
                for period in [0, 1, UInt64.max] {
                    var bucket = self.bucket(count, per: period, burst: burst)
                    for cost in extremes {
                        for now in [UInt64.max, 0, 1, UInt64.max] {
                            _ = bucket.take(cost, at: now)
                            bucket.spend(cost)
                            _ = bucket.delay(for: cost)
                            _ = bucket.pause(for: cost)
                            var other = bucket
                            other.lower(to: bucket)
                            #expect(other == bucket)
                        }
                    }
                }
            }
        }
    }

    /// In any span no more passes than a burst and what the span brings, and a sender that always wants more gets all of it.
    @Test(arguments: 0..<20) func theRateHolds(_ seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let count = Int.random(in: 1...50, using: &random)
        let burst = Int.random(in: 2...20, using: &random)
        var bucket = self.bucket(count, burst: burst)
        var now: UInt64 = 0
        var times: [UInt64] = []
        for _ in 0..<2000 {
            now += UInt64.random(in: 0...Self.second / UInt64(count), using: &random)
            while bucket.take(1, at: now) { times.append(now) }
        }
        let whole = Int(Int128(now) * Int128(count) / Int128(Self.second))
        #expect((whole...(whole + burst)).contains(times.count))
        for (index, start) in times.enumerated() where index % 97 == 0 {
            for (other, end) in times.enumerated().dropFirst(index) where other % 31 == 0 {
                let brought = Int(Int128(end - start) * Int128(count) / Int128(Self.second)) + 1
                #expect(other - index <= burst + brought)
            }
        }
    }
}

private struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
