import NIOCore
import SocketIOCore

/// Events that are sent one at a time, each until it is acknowledged: see ``SocketIOClientConfiguration/retries``.
struct RetryQueue: Sendable {
    struct Entry: Sendable {
        var outgoing: Outgoing
        var tries = 0
        /// Sent, and not answered yet.
        var isPending = false
    }

    private let limits: SocketIOClientConfiguration.OfflineBuffer
    private var entries = CircularBuffer<Entry>(initialCapacity: 1)
    private var bytes = 0

    init(_ limits: SocketIOClientConfiguration.OfflineBuffer) { self.limits = limits }

    var count: Int { self.entries.count }

    var first: Entry? { self.entries.first }

    /// Appends an event; returns those that had to give way. The first is never one of them once it was sent.
    mutating func append(_ outgoing: Outgoing) -> [Outgoing] {
        let size = outgoing.byteCount
        var dropped: [Outgoing] = []
        while self.count >= self.limits.maxEvents || size > self.limits.maxBytes - self.bytes {
            let oldest = self.first?.isPending == true ? 1 : 0
            guard self.limits.overflow == .dropOldest, oldest < self.count, size <= self.limits.maxBytes else {
                return dropped + [outgoing]
            }
            dropped.append(self.remove(at: oldest))
        }
        self.entries.append(Entry(outgoing: outgoing))
        self.bytes += size
        return dropped
    }

    /// Changes the first.
    mutating func updateFirst(_ change: (inout Entry) -> Void) {
        guard !self.entries.isEmpty else { return }
        change(&self.entries[self.entries.startIndex])
    }

    mutating func removeFirst() {
        if !self.entries.isEmpty { _ = self.remove(at: 0) }
    }

    mutating func remove(ackID: Int) -> Outgoing? {
        guard let index = self.entries.firstIndex(where: { $0.outgoing.ackID == ackID }) else { return nil }
        return self.remove(at: self.entries.distance(from: self.entries.startIndex, to: index))
    }

    func contains(ackID: Int) -> Bool { self.entries.contains { $0.outgoing.ackID == ackID } }

    var ackIDs: Set<Int> { Set(self.entries.compactMap(\.outgoing.ackID)) }

    /// Takes those out that somebody waits for.
    mutating func takeAwaited() -> [Outgoing] {
        let awaited = self.entries.map(\.outgoing).filter { $0.complete != nil }
        self.entries = CircularBuffer(self.entries.filter { $0.outgoing.complete == nil })
        self.bytes = self.entries.reduce(0) { $0 + $1.outgoing.byteCount }
        return awaited
    }

    mutating func takeAll() -> [Outgoing] {
        let all = self.entries.map(\.outgoing)
        self.entries = CircularBuffer(initialCapacity: 1)
        self.bytes = 0
        return all
    }

    private mutating func remove(at offset: Int) -> Outgoing {
        let index = self.entries.index(self.entries.startIndex, offsetBy: offset)
        let outgoing = self.entries.remove(at: index).outgoing
        self.bytes -= outgoing.byteCount
        // What a long time without a server has needed is given back.
        if self.entries.isEmpty, self.entries.capacity > 64 { self.entries = CircularBuffer(initialCapacity: 1) }
        return outgoing
    }
}
