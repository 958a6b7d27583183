import NIOCore

/// One packet on its way to a client: all of its WebSocket frames, attachments included, back to back.
struct OutboundPacket: Sendable {
    var frames: ByteBuffer
    /// Called when the packet was handed to the system, or dropped (false). Rarely there.
    var completion: (@Sendable (Bool) -> Void)?
    /// A later packet with the same key takes this one's place if it still waits. Rarely there.
    var key: String?

    init(frames: ByteBuffer, key: String? = nil, completion: (@Sendable (Bool) -> Void)? = nil) {
        self.frames = frames
        self.key = key
        self.completion = completion
    }

    var byteCount: Int { self.frames.readableBytes }
}

/// The packets that wait for a client, oldest first, and their size. The first one is stored in place: a session whose
/// packets leave one by one never allocates here.
///
/// Packets that are shared with other clients are kept as they are; small ones for this client alone are copied, back to
/// back, into segments of which the outbox is the only owner. Nobody who takes them needs to know: frames tell where
/// they end.
struct Outbox: Sendable {
    /// A packet, or several small ones.
    private struct Segment: Sendable {
        var packet: OutboundPacket
        var count = 1
        /// Whether more may be copied to its end.
        var isOwn = false
        /// A packet whose place a later one has taken.
        var isVoid: Bool { self.count == 0 }
    }

    private var first: Segment?
    private var rest: [Segment] = []
    private var head = 0
    /// Where the packets with keys are; nil while none has ever waited. Rarely there.
    private var keyed: Keyed?

    /// Segments are numbered in the order in which they came.
    private struct Keyed: Sendable {
        var numbers: [String: Int] = [:]
        /// The number of the first segment.
        var first = 0
        /// Void segments among the others.
        var voids = 0
    }
    /// Packets that wait.
    private(set) var count = 0
    /// Bytes of all packets that wait.
    private(set) var byteCount = 0

    /// A segment grows to this many bytes, about.
    static let segmentBytes = 16 << 10
    private static let minSegmentBytes = 512

    var isEmpty: Bool { self.first == nil }

    mutating func append(_ packet: OutboundPacket) {
        if let key = packet.key { self.dropLast(key) }
        self.count += 1
        self.byteCount += packet.byteCount
        self.append(Segment(packet: packet))
        if let key = packet.key {
            let number = (self.keyed?.first ?? 0) + self.rest.count - self.head
            self.keyed = self.keyed ?? Keyed()
            self.keyed?.numbers[key] = number
        }
    }

    /// Drops the packet with this key, if it waits.
    mutating func dropLast(_ key: String) {
        guard let number = self.keyed?.numbers.removeValue(forKey: key), let first = self.keyed?.first else { return }
        if number == first {
            _ = self.popFirst()
            return
        }
        let index = self.head + number - first - 1
        guard self.rest.indices.contains(index) else { return }
        self.count -= 1
        self.byteCount -= self.rest[index].packet.byteCount
        self.rest[index] = Segment(packet: OutboundPacket(frames: ByteBuffer()), count: 0)
        self.keyed?.voids += 1
        if let voids = self.keyed?.voids, voids > 32, voids * 2 > self.rest.count - self.head { self.removeVoids() }
    }

    private mutating func removeVoids() {
        self.rest = self.rest[self.head...].filter { !$0.isVoid }
        self.head = 0
        var keyed = Keyed()
        if let key = self.first?.packet.key { keyed.numbers[key] = 0 }
        for (index, segment) in self.rest.enumerated() {
            if let key = segment.packet.key { keyed.numbers[key] = index + 1 }
        }
        self.keyed = keyed
    }

    /// Appends a copy of a packet. A new segment gets storage that `here` has left over, if it has any.
    mutating func append(copying frames: ByteBuffer, _ here: LoopContext) {
        let size = frames.readableBytes
        self.count += 1
        self.byteCount += size
        if self.rest.isEmpty {
            if self.first?.isOwn == true, (self.first?.packet.byteCount ?? 0) + size <= Self.segmentBytes {
                self.first?.packet.frames.writeImmutableBuffer(frames)
                self.first?.count += 1
                return
            }
        } else {
            let last = self.rest.count - 1
            if self.rest[last].isOwn, self.rest[last].packet.byteCount + size <= Self.segmentBytes {
                self.rest[last].packet.frames.writeImmutableBuffer(frames)
                self.rest[last].count += 1
                return
            }
        }
        var storage = here.takeSpare()
        if storage.modifyIfUniquelyOwned({ $0.clear(minimumCapacity: size) }) == nil {
            storage = ByteBufferAllocator().buffer(capacity: max(size, Self.minSegmentBytes))
        }
        storage.writeImmutableBuffer(frames)
        self.append(Segment(packet: OutboundPacket(frames: storage), isOwn: true))
    }

    private mutating func append(_ segment: Segment) {
        if self.first == nil { self.first = segment } else { self.rest.append(segment) }
    }

    /// What the packets cost in memory, about: their bytes, and what holds them. It is this that is limited.
    var cost: Int { self.byteCount + self.count * Self.packetOverhead }
    static let packetOverhead = 256

    /// Takes the oldest packet, with those that were copied behind it.
    mutating func popFirst() -> OutboundPacket? {
        guard let segment = self.first else { return nil }
        self.count -= segment.count
        self.byteCount -= segment.packet.byteCount
        repeat { self.advance() } while self.first?.isVoid == true
        if self.first == nil {
            self.keyed = nil
        } else if let key = segment.packet.key {
            self.keyed?.numbers[key] = nil
        }
        return segment.packet
    }

    /// Makes the next segment the first.
    private mutating func advance() {
        self.keyed?.first += 1
        if self.head < self.rest.count {
            self.first = self.rest[self.head]
            self.head += 1
            if self.head == self.rest.count {
                self.rest.removeAll(keepingCapacity: self.rest.capacity <= 64)
                self.head = 0
            } else if self.head >= 256, self.head * 2 >= self.rest.count {
                self.rest.removeFirst(self.head)
                self.head = 0
            }
        } else {
            self.first = nil
        }
        if self.first?.isVoid == true { self.keyed?.voids -= 1 }
    }

    /// Takes everything, if it lies in one piece and nobody is to be told what becomes of it.
    mutating func takeOnly() -> ByteBuffer? {
        guard self.rest.isEmpty, self.first?.packet.completion == nil, let segment = self.first.take() else {
            return nil
        }
        self.count = 0
        self.byteCount = 0
        self.keyed = nil
        return segment.packet.frames
    }

    /// Empties the outbox; the packets are returned so that they are released outside the session's lock.
    mutating func removeAll() -> [OutboundPacket] {
        var all: [OutboundPacket] = []
        all.reserveCapacity(self.rest.count - self.head + 1)
        while let packet = self.popFirst() { all.append(packet) }
        return all
    }
}
