import NIOCore
import SocketIOCore

/// The packets that a namespace has sent last, in order and without gaps: each as the frames that all recipients share, and whom it
/// was for. Bounded in count, bytes and time; the oldest go first. It looks at no clock.
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

    private var entries = CircularBuffer<Entry>()
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

    var count: Int { self.entries.count }

    /// When the oldest packet goes.
    var nextExpiry: UInt64? { self.entries.first.map { $0.time &+ self.retention } }

    /// The number of the next packet, which must follow.
    mutating func mint() -> UInt64 {
        self.last += 1
        return self.last
    }

    /// Keeps the packet whose number was minted last.
    mutating func append(_ frames: ByteBuffer, _ audience: Audience, now: UInt64) {
        let cost = frames.storageCapacity + Self.overhead + audience.cost
        self.entries.append(Entry(sequence: self.last, time: now, frames: frames, audience: audience, cost: cost))
        self.bytes += cost
        self.trim(now: now)
    }

    static var overhead: Int { 128 }

    mutating func trim(now: UInt64) {
        while let first = self.entries.first,
            self.entries.count > self.maxPackets || self.bytes > self.maxBytes || first.time &+ self.retention <= now
        {
            self.entries.removeFirst()
            self.bytes -= first.cost
            self.droppedUpTo = first.sequence
        }
    }

    mutating func removeAll() {
        self.entries = CircularBuffer()
        self.bytes = 0
        self.droppedUpTo = self.last
    }

    /// The packets behind a number that a session has missed, in order. The caller has checked that none was dropped.
    func missed(by session: LostSession, after sequence: UInt64) -> [ByteBuffer] {
        guard let first = self.entries.first, sequence < self.last else { return [] }
        let start = sequence < first.sequence ? 0 : Int(sequence - first.sequence) + 1
        let own = session.ownRoom
        var missed: [ByteBuffer] = []
        for entry in self.entries.dropFirst(start) {
            switch entry.audience {
            case .nobody: break
            case .socket(let id): if id == session.sid { missed.append(entry.frames) }
            case .target(let rooms, let except):
                let position = RecoveryPosition(low: entry.sequence)
                if session.history.isMet(by: rooms, except: except, at: position, own: own) {
                    missed.append(entry.frames)
                }
            }
        }
        return missed
    }
}

extension PacketLog.Audience {
    fileprivate var cost: Int {
        switch self {
        case .nobody: 0
        case .socket(let id): id.utf8.count
        case .target(let rooms, let except):
            rooms.reduce(0) { $0 + 32 + $1.name.utf8.count } + except.reduce(0) { $0 + 32 + $1.name.utf8.count }
        }
    }
}
