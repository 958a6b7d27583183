import NIOCore
import SocketIOCore

/// The packets that a namespace has sent last, in order and without gaps: each as the frames that all recipients share, and whom it
/// was for. Bounded in count, bytes and time; the oldest go first. It looks at no clock.
///
/// A copy costs little, also when the log goes on after that: what is in the middle is shared.
struct PacketLog: Sendable {
    enum Audience: Sendable {
        case target(rooms: [Room], except: [Room])
        /// One socket, by its id.
        case socket(String)
        /// It marks a place.
        case nobody
    }

    struct Entry: Sendable {
        let sequence: UInt64
        let time: UInt64
        let frames: ByteBuffer
        let audience: Audience
        let cost: Int
    }

    let maxPackets: Int
    let maxBytes: Int
    /// For how long packets are kept, in nanoseconds.
    let retention: UInt64

    /// The oldest, of which they go one by one; then those that lie still; then the newest, which become a chunk when they are enough.
    private(set) var head = CircularBuffer<Entry>()
    private(set) var chunks = CircularBuffer<LogChunk>()
    private(set) var tail = CircularBuffer<Entry>()
    /// What the packets cost in memory, about.
    private(set) var bytes = 0
    /// The last packet; they are numbered from 1.
    private(set) var last: UInt64 = 0
    /// The last packet that is not kept any more.
    private(set) var droppedUpTo: UInt64 = 0

    init(maxPackets: Int, maxBytes: Int, retention: UInt64) {
        self.maxPackets = maxPackets
        self.maxBytes = maxBytes
        self.retention = retention
    }

    var count: Int { self.head.count + self.chunks.count * LogChunk.size + self.tail.count }

    private var first: Entry? { self.head.first ?? self.chunks.first?.entries.first ?? self.tail.first }

    /// When the oldest packet goes.
    var nextExpiry: UInt64? { self.first.map { $0.time &+ self.retention } }

    /// The number of the next packet, which must follow.
    mutating func mint() -> UInt64 {
        self.last += 1
        return self.last
    }

    /// Keeps the packet whose number was minted last.
    mutating func append(_ frames: ByteBuffer, _ audience: Audience, now: UInt64) {
        let cost = frames.storageCapacity + Self.overhead + audience.cost
        self.tail.append(Entry(sequence: self.last, time: now, frames: frames, audience: audience, cost: cost))
        self.bytes += cost
        if self.tail.count == LogChunk.size {
            self.chunks.append(LogChunk(Array(self.tail)))
            self.tail.removeAll(keepingCapacity: true)
        }
        self.trim(now: now)
    }

    static var overhead: Int { 128 }

    mutating func trim(now: UInt64) {
        while let first = self.first,
            self.count > self.maxPackets || self.bytes > self.maxBytes || first.time &+ self.retention <= now
        {
            if self.head.isEmpty, let chunk = self.chunks.popFirst() {
                self.head.append(contentsOf: chunk.entries)
            }
            if self.head.popFirst() == nil { self.tail.removeFirst() }
            self.bytes -= first.cost
            self.droppedUpTo = first.sequence
        }
    }

    mutating func removeAll() {
        self.head = CircularBuffer()
        self.chunks = CircularBuffer()
        self.tail = CircularBuffer()
        self.bytes = 0
        self.droppedUpTo = self.last
    }
}

extension PacketLog.Audience {
    fileprivate var cost: Int {
        switch self {
        case .nobody: 0
        case .socket(let id): id.utf8.count
        case .target(let rooms, let except):
            rooms.reduce(0) { $0 + 48 + $1.name.utf8.count } + except.reduce(0) { $0 + 32 + $1.name.utf8.count }
        }
    }
}
