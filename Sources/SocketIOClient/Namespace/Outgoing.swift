import SocketIOCore

/// Called once, with the acknowledgement or with the reason why there is none.
typealias AckCompletion = @Sendable (Result<ArgumentReader, any Error>) -> Void

/// An event on its way out.
struct Outgoing: Sendable {
    var packet: EncodedPacket
    /// If an acknowledgement is asked for.
    var ackID: Int?
    /// If somebody waits for it.
    var complete: AckCompletion?
    /// How long the acknowledgement may take.
    var timeout: Duration?
    var isVolatile = false

    var byteCount: Int { self.packet.frames.readableBytes }
}

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

/// Events that are sent one at a time, each until it is acknowledged: see ``SocketIOClientConfiguration/retries``.
struct RetryQueue: Sendable {
    struct Entry: Sendable {
        var outgoing: Outgoing
        var tries = 0
        /// Sent, and not answered yet.
        var isPending = false
    }

    private let limits: SocketIOClientConfiguration.OfflineBuffer
    private var entries: [Entry] = []
    private var head = 0
    private var bytes = 0

    init(_ limits: SocketIOClientConfiguration.OfflineBuffer) { self.limits = limits }

    var count: Int { self.entries.count - self.head }

    var first: Entry? { self.head < self.entries.count ? self.entries[self.head] : nil }

    /// Appends an event; returns those that had to give way. The first is never one of them once it was sent.
    mutating func append(_ outgoing: Outgoing) -> [Outgoing] {
        let size = outgoing.byteCount
        var dropped: [Outgoing] = []
        while self.count >= self.limits.maxEvents || size > self.limits.maxBytes - self.bytes {
            let oldest = self.first?.isPending == true ? 1 : 0
            guard self.limits.overflow == .dropOldest, oldest < self.count, size <= self.limits.maxBytes else {
                return dropped + [outgoing]
            }
            dropped.append(self.remove(at: self.head + oldest))
        }
        self.entries.append(Entry(outgoing: outgoing))
        self.bytes += size
        return dropped
    }

    /// Changes the first.
    mutating func updateFirst(_ change: (inout Entry) -> Void) {
        guard self.head < self.entries.count else { return }
        change(&self.entries[self.head])
    }

    mutating func removeFirst() {
        if self.head < self.entries.count { _ = self.remove(at: self.head) }
    }

    mutating func remove(ackID: Int) -> Outgoing? {
        self.entries[self.head...].firstIndex { $0.outgoing.ackID == ackID }.map { self.remove(at: $0) }
    }

    var ackIDs: Set<Int> { Set(self.entries[self.head...].compactMap(\.outgoing.ackID)) }

    /// Takes those out that somebody waits for.
    mutating func takeAwaited() -> [Outgoing] {
        let awaited = self.entries[self.head...].map(\.outgoing).filter { $0.complete != nil }
        self.entries = self.entries[self.head...].filter { $0.outgoing.complete == nil }
        self.head = 0
        self.bytes = self.entries.reduce(0) { $0 + $1.outgoing.byteCount }
        return awaited
    }

    mutating func takeAll() -> [Outgoing] {
        let all = self.entries[self.head...].map(\.outgoing)
        self.entries = []
        self.head = 0
        self.bytes = 0
        return all
    }

    private mutating func remove(at index: Int) -> Outgoing {
        let outgoing = self.entries[index].outgoing
        self.bytes -= outgoing.byteCount
        if index == self.head {
            // Kept small, and its bytes let go of, until there is enough to move the rest for.
            self.entries[index] = Entry(outgoing: Outgoing(packet: EncodedPacket(frames: .init(), attachmentCount: 0)))
            self.head += 1
            if self.head > 256, self.head * 2 > self.entries.count {
                self.entries.removeFirst(self.head)
                self.head = 0
            }
        } else {
            self.entries.remove(at: index)
        }
        return outgoing
    }
}
