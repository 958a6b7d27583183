import EngineIOCore

/// How much may be received in a time, and what becomes of what is over it.
///
/// A token bucket: it is full at first and holds ``burst``; what is received takes from it, and it is filled at a steady rate of
/// ``count`` in ``period``. So there may be `burst` at once, and `count` in a `period` in the long run.
public struct RateLimit: Sendable, Hashable {
    /// What becomes of what is over the rate.
    public enum Policy: Sendable, Hashable {
        /// The client is disconnected.
        case disconnect
        /// It is thrown away, and reported. An acknowledgement that was asked for is not sent.
        case drop
        /// It waits until its time has come, in order, and with it what has come behind it over the same connection. Meanwhile
        /// the connection is not read: then its client can't write any more (TCP), or has its POST not answered. Its pongs are not
        /// missed until it is read again, for ten times `pingInterval` and `pingTimeout` at most (7.5 minutes by default): a session
        /// that has sent more than it may in that time ends with a ping timeout.
        case wait
    }

    /// How many in ``period``. At least 1.
    public var count: Int
    /// At least 1 ns.
    public var period: Duration
    /// How many at once. At least 1. What is larger than that alone (a message of many bytes) is let through when the bucket is
    /// full, and those behind it pay for it.
    public var burst: Int
    public var policy: Policy

    /// - Parameters:
    ///   - count: how many in `period`.
    ///   - burst: how many at once; nil for as many as `count`.
    ///   - policy: what becomes of what is over it.
    public init(_ count: Int, per period: Duration = .seconds(1), burst: Int? = nil, policy: Policy = .disconnect) {
        self.count = count
        self.period = period
        self.burst = burst ?? count
        self.policy = policy
    }

    package var isPossible: Bool { self.count > 0 && self.burst > 0 && self.period > .zero }

    package var tokens: TokenBucket.Rate {
        TokenBucket.Rate(count: self.count, period: self.period.nanoseconds, burst: self.burst)
    }
}

extension RateLimit: CustomStringConvertible {
    public var description: String { "\(self.count) in \(self.period)" }
}
