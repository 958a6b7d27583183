import EngineIOCore

/// What one client may send by time: its messages and their bytes. A value: it is told what has come and when, and says what is
/// to become of it.
struct InboundRates: Sendable {
    enum Decision: Sendable, Equatable {
        case take
        /// Over the rate; nanoseconds from now until it may be taken, if nothing else is taken before.
        case wait(EngineIOLimit, UInt64)
        case drop(EngineIOLimit)
        case disconnect(EngineIOLimit)
    }

    private struct Limited: Sendable {
        let limit: EngineIOLimit
        let policy: RateLimit.Policy
        var bucket: TokenBucket
    }

    private var messages: Limited?
    private var bytes: Limited?

    /// nil if nothing is limited.
    init?(messageRate: RateLimit?, byteRate: RateLimit?, now: UInt64) {
        guard messageRate != nil || byteRate != nil else { return nil }
        self.messages = messageRate.map {
            Limited(limit: .messageRate, policy: $0.policy, bucket: TokenBucket($0.tokens, now: now))
        }
        self.bytes = byteRate.map {
            Limited(limit: .byteRate, policy: $0.policy, bucket: TokenBucket($0.tokens, now: now))
        }
    }

    /// A message has come. What is not taken costs nothing.
    mutating func receive(bytes count: Int, now: UInt64) -> Decision {
        self.messages?.bucket.refill(at: now)
        self.bytes?.bucket.refill(at: now)
        if let messages = self.messages, !messages.bucket.has(1) { return Self.decision(messages, 1) }
        if let bytes = self.bytes, !bytes.bucket.has(count) { return Self.decision(bytes, count) }
        self.messages?.bucket.spend(1)
        self.bytes?.bucket.spend(count)
        return .take
    }

    /// A message that is not to wait: what comes behind it pays for it.
    mutating func spend(bytes count: Int) {
        self.messages?.bucket.spend(1)
        self.bytes?.bucket.spend(count)
    }

    private static func decision(_ limited: Limited, _ cost: Int) -> Decision {
        switch limited.policy {
        case .disconnect: .disconnect(limited.limit)
        case .drop: .drop(limited.limit)
        case .wait: .wait(limited.limit, limited.bucket.pause(for: cost))
        }
    }
}
