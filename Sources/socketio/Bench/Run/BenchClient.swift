import SocketIOClient

/// One client of a thread, on its loop only.
struct BenchClient {
    enum Phase { case connecting, failed, connected, lost }

    let socket: SocketIOClient
    /// From 0, of all threads.
    let number: Int
    let room: Int
    let due: Int64
    var phase = Phase.connecting
    var hasJoined: Bool
    var isOnWebSocket = false
    /// Whether it is known to be fit for messages, or never to be.
    var isSettled = false
    /// Where it stands among those that send.
    var place: Int?
    /// Messages in their order, for replies that don't say which one they answer.
    var unanswered = NumberQueue()
}

/// First in, first out.
struct NumberQueue {
    private var numbers: [Int] = []
    private var head = 0

    mutating func append(_ number: Int) { self.numbers.append(number) }

    mutating func popFirst() -> Int? {
        guard self.head < self.numbers.count else { return nil }
        let number = self.numbers[self.head]
        self.head += 1
        if self.head > 64, self.head * 2 > self.numbers.count {
            self.numbers.removeFirst(self.head)
            self.head = 0
        }
        return number
    }
}
