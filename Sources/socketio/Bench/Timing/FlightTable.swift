/// The messages of one thread whose replies are awaited.
///
/// They have numbers in the order in which they were sent, and end in that order too: in time or not. Times are nanoseconds.
struct FlightTable: Sendable {
    struct Flight: Sendable, Equatable {
        /// When it was due.
        var due: Int64
        var sent: Int64
        /// Who may answer; nil if it is not one alone.
        var client: Int?
        /// Replies that are still to come.
        var awaited: Int
    }

    /// Entry `number & mask` is that of the message, from `first` to before `next`.
    private var ring: [Flight]
    private(set) var first = 0
    private(set) var next = 0
    /// Messages with replies to come.
    private(set) var open = 0

    private static let none = Flight(due: 0, sent: 0, client: nil, awaited: 0)

    init() { self.ring = Array(repeating: Self.none, count: 256) }

    private func place(_ number: Int) -> Int { number & (self.ring.count - 1) }

    mutating func send(due: Int64, at sent: Int64, client: Int?, awaiting: Int) -> Int {
        if self.next - self.first == self.ring.count { self.grow() }
        let number = self.next
        self.next += 1
        self.ring[self.place(number)] = Flight(due: due, sent: sent, client: client, awaited: awaiting)
        if awaiting > 0 { self.open += 1 } else { self.trim() }
        return number
    }

    private mutating func grow() {
        var ring = Array(repeating: Self.none, count: self.ring.count * 2)
        for number in self.first..<self.next { ring[number & (ring.count - 1)] = self.ring[self.place(number)] }
        self.ring = ring
    }

    /// A reply has come. Returns when its message was due; nil if nobody waits for the reply, or not any more.
    mutating func receive(_ number: Int, client: Int) -> Int64? {
        guard number >= self.first, number < self.next else { return nil }
        let place = self.place(number)
        let flight = self.ring[place]
        guard flight.awaited > 0, flight.client == nil || flight.client == client else { return nil }
        self.ring[place].awaited -= 1
        if flight.awaited == 1 { self.close() }
        return flight.due
    }

    /// No reply will come. Returns the message if one was awaited.
    mutating func abandon(_ number: Int) -> Flight? {
        guard number >= self.first, number < self.next else { return nil }
        let place = self.place(number)
        let flight = self.ring[place]
        guard flight.awaited > 0 else { return nil }
        self.ring[place].awaited = 0
        self.close()
        return flight
    }

    /// Waits no longer for replies to what was sent before a time.
    mutating func expire(sentBefore time: Int64) {
        while self.first < self.next {
            let place = self.place(self.first)
            guard self.ring[place].sent < time else { return self.trim() }
            if self.ring[place].awaited > 0 { self.open -= 1 }
            self.first += 1
        }
    }

    private mutating func close() {
        self.open -= 1
        self.trim()
    }

    private mutating func trim() {
        while self.first < self.next, self.ring[self.place(self.first)].awaited == 0 { self.first += 1 }
    }
}
