/// The delays between attempts: each twice the one before, up to a limit, made longer or shorter at random.
struct Backoff: Sendable {
    private let delay: Double
    private let maxDelay: Double
    private let jitter: Double
    /// The delays that were asked for.
    private(set) var attempts = 0

    init(_ policy: SocketIOClientConfiguration.Reconnection) {
        self.delay = max(0, policy.delay / .seconds(1))
        self.maxDelay = max(0, policy.maxDelay / .seconds(1))
        self.jitter = min(1, max(0, policy.jitter))
    }

    mutating func reset() { self.attempts = 0 }

    /// - Parameter random: 0 to 1.
    mutating func next(random: Double) -> Duration {
        var seconds = self.delay
        var doublings = self.attempts
        while doublings > 0, seconds < self.maxDelay, seconds > 0 {
            seconds *= 2
            doublings -= 1
        }
        self.attempts &+= 1
        seconds *= 1 + self.jitter * (2 * random - 1)
        return .seconds(min(seconds, self.maxDelay))
    }
}
