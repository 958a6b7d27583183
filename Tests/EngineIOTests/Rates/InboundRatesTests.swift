import EngineIOCore
import Testing

@testable import EngineIO

struct InboundRatesTests {
    private static let hour = Duration.seconds(3600)

    @Test func nothingIsLimited() {
        #expect(InboundRates(messageRate: nil, byteRate: nil, now: 0) == nil)
    }

    @Test(arguments: [
        (RateLimit.Policy.disconnect, InboundRates.Decision.disconnect(.messageRate)),
        (.drop, .drop(.messageRate)),
        (.wait, .wait(.messageRate, 1_800_000_000_000)),
    ]) func messages(_ policy: RateLimit.Policy, _ decision: InboundRates.Decision) throws {
        var rates = try #require(
            InboundRates(
                messageRate: RateLimit(2, per: Self.hour, policy: policy), byteRate: nil, now: 0))
        for _ in 0..<2 { #expect(rates.receive(bytes: 1_000_000, now: 0) == .take) }
        for _ in 0..<3 { #expect(rates.receive(bytes: 0, now: 0) == decision) }
        #expect(rates.receive(bytes: 0, now: 1_800_000_000_000) == .take)
    }

    /// What one limit refuses the other does not count.
    @Test func bothLimits() throws {
        var rates = try #require(
            InboundRates(
                messageRate: RateLimit(3, per: Self.hour, policy: .drop),
                byteRate: RateLimit(100, per: Self.hour, policy: .disconnect), now: 0))
        #expect(rates.receive(bytes: 60, now: 0) == .take)
        #expect(rates.receive(bytes: 60, now: 0) == .disconnect(.byteRate))
        #expect(rates.receive(bytes: 40, now: 0) == .take)
        #expect(rates.receive(bytes: 0, now: 0) == .take)
        #expect(rates.receive(bytes: 0, now: 0) == .drop(.messageRate))
    }

    @Test func whatDoesNotWaitIsPaidForLater() throws {
        var rates = try #require(
            InboundRates(messageRate: RateLimit(60, per: .seconds(60), burst: 1, policy: .wait), byteRate: nil, now: 0))
        for _ in 0..<3 { rates.spend(bytes: 10) }
        #expect(rates.receive(bytes: 0, now: 0) == .wait(.messageRate, 3_000_000_000))
        #expect(rates.receive(bytes: 0, now: 3_000_000_000) == .take)
    }

    @Test func addresses() throws {
        let one = try #require(AddressGroup("192.0.2.1"))
        let two = try #require(AddressGroup("2001:db8::1"))
        var counts = AddressCounts()
        counts.remove(one)
        counts.add(one)
        counts.add(one)
        counts.add(two)
        #expect(counts.count(of: one) == 2)
        #expect(counts.entryCount == 2)
        counts.remove(one)
        counts.remove(two)
        #expect(counts.count(of: one) == 1)
        counts.remove(one)
        counts.remove(one)
        #expect(counts.count(of: one) == 0)
        #expect(counts.entryCount == 0)
    }
}
