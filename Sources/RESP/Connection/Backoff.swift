/// The pauses between attempts.
struct Backoff {
    private let bounds: RESPConfiguration.Backoff
    private var failures = 0

    init(_ bounds: RESPConfiguration.Backoff) { self.bounds = bounds }

    mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        self.failures = min(self.failures + 1, 30)
        let minimum = self.bounds.minimum
        let bound = min(minimum * (1 << self.failures), self.bounds.maximum)
        return minimum + (bound - minimum) * Double.random(in: 0...1, using: &generator)
    }

    mutating func next() -> Duration {
        var generator = SystemRandomNumberGenerator()
        return self.next(using: &generator)
    }

    mutating func reset() { self.failures = 0 }
}
