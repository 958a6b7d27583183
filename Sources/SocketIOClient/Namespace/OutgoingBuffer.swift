/// Events that wait for a connection, bounded.
struct OutgoingBuffer: Sendable {
    private let limits: SocketIOClientConfiguration.OfflineBuffer
    private(set) var entries: [Outgoing] = []
    private(set) var bytes = 0

    init(_ limits: SocketIOClientConfiguration.OfflineBuffer) { self.limits = limits }

    /// Appends an event; returns those that had to give way.
    mutating func append(_ outgoing: Outgoing) -> [Outgoing] {
        let size = outgoing.byteCount
        guard size <= self.limits.maxBytes, self.limits.maxEvents > 0 else { return [outgoing] }
        var dropped = 0
        var room = self.bytes
        while self.entries.count - dropped >= self.limits.maxEvents || size > self.limits.maxBytes - room {
            guard self.limits.overflow == .dropOldest, dropped < self.entries.count else { return [outgoing] }
            room -= self.entries[dropped].byteCount
            dropped += 1
        }
        let oldest = Array(self.entries.prefix(dropped))
        self.entries.removeFirst(dropped)
        self.entries.append(outgoing)
        self.bytes = room + size
        return oldest
    }

    /// Takes an event out by the id of its acknowledgement.
    mutating func remove(ackID: Int) -> Outgoing? {
        guard let index = self.entries.firstIndex(where: { $0.ackID == ackID }) else { return nil }
        let entry = self.entries.remove(at: index)
        self.bytes -= entry.byteCount
        return entry
    }

    mutating func takeAll() -> [Outgoing] {
        defer {
            self.entries = []
            self.bytes = 0
        }
        return self.entries
    }

    /// Takes those out that somebody waits for.
    mutating func takeAwaited() -> [Outgoing] {
        let awaited = self.entries.filter { $0.complete != nil }
        self.entries.removeAll { $0.complete != nil }
        self.bytes = self.entries.reduce(0) { $0 + $1.byteCount }
        return awaited
    }
}
