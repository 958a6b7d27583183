/// What one thread has seen. Messages count if they were due within the time that is measured.
struct BenchCounts: Sendable {
    // Clients.
    var started = 0
    var connected = 0
    var failed = 0
    var lost = 0
    /// Clients that are connected, fit for messages or not.
    var present = 0
    /// Clients of which it is not known yet whether they are fit for messages.
    var unsettled = 0
    var onWebSocket = 0
    var failures = Tally()
    var losses = Tally()
    var connectTimes = Latencies()

    // Messages.
    var sent = 0
    /// Replies to what was sent.
    var expected = 0
    var received = 0
    /// Messages that were due and could not be sent in time.
    var unsent = 0
    /// Replies that nobody waited for: unknown, repeated or late.
    var unexpected = 0
    /// Of replies that did not come, as far as a reason is known.
    var errors = Tally()
    var latencies = Latencies()
    /// How late messages were sent although nothing kept them.
    var lags = Latencies()
    var lastReceived: Int64?

    /// Messages whose replies are awaited, measured or not.
    var open = 0

    mutating func forgetTimes() {
        self.connectTimes = Latencies()
        self.latencies = Latencies()
        self.lags = Latencies()
    }

    mutating func add(_ other: BenchCounts) {
        self.started += other.started
        self.connected += other.connected
        self.failed += other.failed
        self.lost += other.lost
        self.present += other.present
        self.unsettled += other.unsettled
        self.onWebSocket += other.onWebSocket
        self.failures.add(other.failures)
        self.losses.add(other.losses)
        self.connectTimes.add(other.connectTimes)
        self.sent += other.sent
        self.expected += other.expected
        self.received += other.received
        self.unsent += other.unsent
        self.unexpected += other.unexpected
        self.errors.add(other.errors)
        self.latencies.add(other.latencies)
        self.lags.add(other.lags)
        if let last = other.lastReceived { self.lastReceived = max(self.lastReceived ?? last, last) }
        self.open += other.open
    }
}

/// How often each of some reasons was given. There are as many kinds as a server's answers; those beyond a bound are one.
struct Tally: Sendable, Equatable {
    static let maxKinds = 50
    static let rest = "other reasons"

    private(set) var counts: [String: Int] = [:]

    var total: Int { self.counts.values.reduce(0, +) }

    mutating func count(_ reason: String, _ number: Int = 1) {
        guard number > 0 else { return }
        let isKnown = self.counts[reason] != nil || self.counts.count < Self.maxKinds
        self.counts[isKnown ? reason : Self.rest, default: 0] += number
    }

    mutating func add(_ other: Tally) { for (reason, number) in other.sorted { self.count(reason, number) } }

    /// The most frequent first.
    var sorted: [(reason: String, count: Int)] {
        self.counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { (reason: $0.key, count: $0.value) }
    }
}
