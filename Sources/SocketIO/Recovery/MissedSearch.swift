import NIOCore
import SocketIOCore

/// Finds what a session has missed in a ``PacketLog``, in one or several steps: each goes on where the one before has stopped, in a log
/// that may have grown meanwhile. The caller checks that nothing was dropped in between.
struct MissedSearch {
    private let sid: String
    private let attendance: Attendance
    /// Of the rooms that the session was ever in. Nil: they are so many that looking at all packets is less.
    private let hashes: [Int]?
    /// Most bytes.
    private let limit: Int

    /// The packets that were found, in order.
    private(set) var frames: [ByteBuffer] = []
    private(set) var bytes = 0
    /// The last packet that was looked at, or passed over.
    private(set) var position: UInt64
    /// How many entries were looked at (for tests).
    private(set) var looks = 0

    init(_ session: LostSession, after sequence: UInt64, limit: Int = .max) {
        self.sid = session.sid
        self.attendance = session.attendance
        self.hashes = self.attendance.roomCount > 32 ? nil : self.attendance.rooms.map(\.hashValue)
        self.limit = limit
        self.position = sequence
    }

    /// More was missed than is allowed: it has stopped.
    var isTooMuch: Bool { self.bytes > self.limit }

    /// How many entries there are still to be passed.
    func rest(of log: PacketLog) -> UInt64 { log.last > self.position ? log.last - self.position : 0 }

    /// Looks at what the log has behind what was looked at before.
    mutating func read(_ log: PacketLog) {
        guard self.rest(of: log) > 0 else { return }
        self.read(log.head)
        if let first = log.chunks.first?.entries.first?.sequence {
            // All of them have the same size.
            let past = self.position < first ? 0 : Int(clamping: (self.position - first + 1) / UInt64(LogChunk.size))
            for chunk in log.chunks.dropFirst(past) {
                for index in chunk.candidates(self.hashes) {
                    if self.isTooMuch { return }
                    self.look(chunk.entries[index])
                }
            }
        }
        self.read(log.tail)
        if !self.isTooMuch { self.position = log.last }
    }

    private mutating func read(_ entries: CircularBuffer<PacketLog.Entry>) {
        guard let first = entries.first else { return }
        let past = self.position < first.sequence ? 0 : Int(clamping: self.position - first.sequence) + 1
        for entry in entries.dropFirst(past) {
            if self.isTooMuch { return }
            self.look(entry)
        }
    }

    private mutating func look(_ entry: PacketLog.Entry) {
        guard entry.sequence > self.position else { return }
        self.looks += 1
        self.position = entry.sequence
        let isMissed =
            switch entry.audience {
            case .nobody: false
            case .socket(let id): id == self.sid
            case .target(let rooms, let except):
                self.attendance.isMet(by: rooms, except: except, at: RecoveryPosition(low: entry.sequence))
            }
        guard isMissed else { return }
        self.frames.append(entry.frames)
        self.bytes += entry.frames.readableBytes + 256
    }
}
