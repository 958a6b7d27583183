import NIOCore

/// One packet on its way to a client: all of its WebSocket frames, attachments included, back to back.
struct OutboundPacket: Sendable {
    var frames: ByteBuffer
    /// Called when the packet was handed to the system, or dropped (false). Rarely there.
    var completion: (@Sendable (Bool) -> Void)?

    init(frames: ByteBuffer, completion: (@Sendable (Bool) -> Void)? = nil) {
        self.frames = frames
        self.completion = completion
    }

    var byteCount: Int { self.frames.readableBytes }
}

/// The packets that wait for a client, oldest first, and their size. The first one is stored in place: a session whose
/// packets leave one by one never allocates here.
struct Outbox: Sendable {
    private var first: OutboundPacket?
    private var rest: [OutboundPacket] = []
    private var head = 0
    /// Bytes of all packets that wait.
    private(set) var byteCount = 0

    var isEmpty: Bool { self.first == nil }
    var count: Int { self.first == nil ? 0 : 1 + self.rest.count - self.head }

    mutating func append(_ packet: OutboundPacket) {
        self.byteCount += packet.byteCount
        if self.first == nil {
            self.first = packet
        } else {
            self.rest.append(packet)
        }
    }

    /// What the packets cost in memory, about: their bytes, and what holds them. It is this that is limited.
    var cost: Int { self.byteCount + self.count * Self.packetOverhead }
    static let packetOverhead = 256

    var next: OutboundPacket? { self.first }

    mutating func popFirst() -> OutboundPacket? {
        guard let packet = self.first else { return nil }
        self.byteCount -= packet.byteCount
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
        return packet
    }

    /// Empties the outbox; the packets are returned so that they are released outside the session's lock.
    mutating func removeAll() -> [OutboundPacket] {
        var all: [OutboundPacket] = []
        all.reserveCapacity(self.count)
        while let packet = self.popFirst() { all.append(packet) }
        return all
    }
}
