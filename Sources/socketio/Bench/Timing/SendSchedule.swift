/// When things are due: at even intervals, shared by several threads in turns.
///
/// It does not know what was sent. What is late stays due, with the time at which it was. Times are nanoseconds.
struct SendSchedule: Sendable {
    private let origin: Int64
    private let end: Int64
    private let rate: Double
    private let offset: Int
    private let stride: Int
    /// How many were taken.
    private(set) var taken = 0

    /// - Parameters:
    ///   - rate: of all threads together, in a second; above 0.
    ///   - end: nothing is due at or after it.
    ///   - offset: which of `stride` threads this is.
    init(origin: Int64, end: Int64, rate: Double, offset: Int = 0, stride: Int = 1) {
        self.origin = origin
        self.end = end
        self.rate = rate
        self.offset = offset
        self.stride = max(1, stride)
    }

    private func time(_ own: Int) -> Int64 {
        // Computed from the beginning: rounding does not add up.
        let interval = Double(own * self.stride + self.offset) * 1e9 / self.rate
        return interval < 9e18 ? self.origin.addingReportingOverflow(Int64(interval)).partialValue : .max
    }

    /// When the next is due; nil if there is none any more.
    var next: Int64? {
        let time = self.time(self.taken)
        return time < self.end ? time : nil
    }

    /// Takes the next if it is due.
    mutating func take(at now: Int64) -> Int64? {
        guard let next = self.next, next <= now else { return nil }
        self.taken += 1
        return next
    }

    /// How many are due before a time, taken or not.
    func count(before time: Int64) -> Int {
        let time = min(time, self.end)
        guard time > self.origin else { return 0 }
        // An estimate, made exact by the function that says when they are due.
        let total = Double(time - self.origin) * self.rate / 1e9
        var count = max(0, Int(min((total - Double(self.offset)) / Double(self.stride), 1e15)))
        while count > 0, self.time(count - 1) >= time { count -= 1 }
        while self.time(count) < time { count += 1 }
        return count
    }
}
