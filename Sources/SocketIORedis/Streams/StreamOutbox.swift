import NIOCore

/// What one namespace of this server writes to its stream, in order: one batch of commands at a time, so that after a loss
/// of the connection nothing later is on its way. It does no I/O: it is told what has happened and returns what is to be done.
struct StreamOutbox: Sendable {
    /// A message that is to be written.
    struct Item: Sendable {
        var type: Int
        var data: ByteBuffer
        /// The event whose loss is to be reported, if it is one.
        var event: String?

        var size: Int { self.data.readableBytes + 256 }
    }

    enum Action: Sendable {
        case none
        /// Write these, one entry each, and tell what came of it.
        case write([Item])
        /// It is not known which of the last batch were written: look for own entries behind this one, and tell them.
        case lookUp(after: StreamID?)
        /// Call ``resume()`` after a while.
        case wait
    }

    private enum Phase {
        case idle
        case writing(Int)
        case uncertain(Int)
        case waiting
        case closed
    }

    private var phase = Phase.idle
    /// The batch that is on its way first, then what waits.
    private var items = CircularBuffer<Item>()
    private var bytes = 0
    /// The last entry that is known to be one of ours.
    private(set) var lastID: StreamID?
    private let maxBytes: Int
    private let maxBatch: Int
    private let maxBatchBytes: Int
    /// How many messages the next batch may have.
    private var batchLimit: Int

    init(maxBytes: Int, maxBatch: Int = 512, maxBatchBytes: Int = 256 << 10) {
        self.maxBytes = maxBytes
        self.maxBatch = max(1, maxBatch)
        self.maxBatchBytes = maxBatchBytes
        self.batchLimit = self.maxBatch
    }

    /// Whether nothing is on its way and nothing waits.
    var isEmpty: Bool { self.items.isEmpty }

    /// How many messages are on their way or wait.
    var count: Int { self.items.count }

    /// Takes a message. Nil if there is no room for it.
    mutating func add(_ item: Item) -> Action? {
        if case .closed = self.phase { return Action.none }
        guard self.items.isEmpty || self.bytes + item.size <= self.maxBytes else { return nil }
        self.items.append(item)
        self.bytes += item.size
        guard case .idle = self.phase else { return Action.none }
        return self.nextBatch()
    }

    private mutating func nextBatch() -> Action {
        var count = 0
        var bytes = 0
        for item in self.items {
            if count > 0, count >= self.batchLimit || bytes + item.size > self.maxBatchBytes { break }
            count += 1
            bytes += item.size
        }
        guard count > 0 else {
            self.phase = .idle
            return .none
        }
        self.phase = .writing(count)
        return .write(Array(self.items.prefix(count)))
    }

    private mutating func removeFirst(_ count: Int) {
        for _ in 0..<min(count, self.items.count) { self.bytes -= self.items.removeFirst().size }
    }

    // MARK: What came of it

    /// What Redis says to one command of a batch.
    enum Reply: Sendable {
        case written(StreamID)
        /// It was not executed, and need not be tried again.
        case refused
        /// It was not executed; Redis is not ready.
        case notNow
    }

    /// The batch was answered.
    mutating func answered(_ replies: [Reply]) -> Action {
        guard case .writing(let count) = self.phase else { return .none }
        self.batchLimit = self.maxBatch
        var kept: [Item] = []
        for (item, reply) in zip(self.items.prefix(count), replies) {
            switch reply {
            case .written(let id): self.lastID = id
            case .refused: break
            case .notNow: kept.append(item)
            }
        }
        self.removeFirst(count)
        for item in kept.reversed() {
            self.items.prepend(item)
            self.bytes += item.size
        }
        guard kept.isEmpty else {
            self.phase = .waiting
            return .wait
        }
        return self.nextBatch()
    }

    /// The batch was on its way when the connection broke, or no answer came.
    mutating func lost() -> Action {
        guard case .writing(let count) = self.phase else { return .none }
        self.phase = .uncertain(count)
        return .lookUp(after: self.lastID)
    }

    /// The batch was not accepted and can't have been executed.
    ///
    /// - Parameter isTooMuch: There was no room for it: the next one is half of it, until one is answered.
    mutating func notAccepted(isTooMuch: Bool = false) -> Action {
        guard case .writing(let count) = self.phase else { return .none }
        if isTooMuch { self.batchLimit = max(1, count / 2) }
        self.phase = .waiting
        return .wait
    }

    /// Own entries that were found behind the last known one, in order: type and data.
    mutating func found(_ entries: [(id: StreamID, type: Int?, data: ByteBuffer?)]) -> Action {
        guard case .uncertain(let count) = self.phase else { return .none }
        self.removeFirst(self.written(entries, of: count))
        if let last = entries.last { self.lastID = last.id }
        return self.nextBatch()
    }

    /// How many of the batch were written. The first entries may have been trimmed away since.
    private func written(_ entries: [(id: StreamID, type: Int?, data: ByteBuffer?)], of count: Int) -> Int {
        guard !entries.isEmpty, entries.count <= count else { return min(entries.count, count) }
        let batch = Array(self.items.prefix(count))
        for start in 0...(count - entries.count) {
            let matches = zip(batch[start...], entries).allSatisfy { $0.type == $1.type && $0.data == $1.data }
            if matches { return start + entries.count }
        }
        return entries.count
    }

    /// The look-up has failed.
    mutating func notFound() -> Action {
        guard case .uncertain = self.phase else { return .none }
        return .wait
    }

    /// A while has passed.
    mutating func resume() -> Action {
        switch self.phase {
        case .waiting: self.nextBatch()
        case .uncertain: .lookUp(after: self.lastID)
        case .idle, .writing, .closed: .none
        }
    }

    mutating func close() {
        self.phase = .closed
        self.items = []
        self.bytes = 0
    }
}
