import SocketIOCore
import Synchronization

/// Entries of a ``PacketLog`` that are complete and never change: copies of the log share them. They know which of them concern which
/// room, once somebody has asked.
final class LogChunk: Sendable {
    static var size: Int { 256 }

    let entries: [PacketLog.Entry]
    private let index = Mutex<Index?>(nil)

    /// What entries are for, without the names.
    private struct Index {
        /// Entries for everybody.
        var all: [UInt8] = []
        /// Entries for a room, or for the one socket with a room of its own, by the hash of the room, in order.
        var rooms: [(hash: Int, entry: UInt8)] = []
    }

    init(_ entries: [PacketLog.Entry]) { self.entries = entries }

    /// The entries that may be for everybody, or for one of the rooms with these hashes, in order. Others are not. Nil: all.
    func candidates(_ hashes: [Int]?) -> [Int] {
        guard let hashes else { return Array(self.entries.indices) }
        let index = self.preparedIndex
        var found = [Bool](repeating: false, count: self.entries.count)
        for entry in index.all { found[Int(entry)] = true }
        for hash in hashes {
            var (low, high) = (0, index.rooms.count)
            while low < high {
                let middle = low + (high - low) / 2
                if index.rooms[middle].hash < hash { low = middle + 1 } else { high = middle }
            }
            while low < index.rooms.count, index.rooms[low].hash == hash {
                found[Int(index.rooms[low].entry)] = true
                low += 1
            }
        }
        return found.indices.filter { found[$0] }
    }

    /// Made by whoever needs it first; two at the same time make the same.
    private var preparedIndex: Index {
        if let index = self.index.withLock({ $0 }) { return index }
        var index = Index()
        for (number, entry) in self.entries.enumerated() {
            guard let number = UInt8(exactly: number) else { break }
            switch entry.audience {
            case .nobody: break
            case .socket(let id): index.rooms.append((Room(id).hashValue, number))
            case .target(let rooms, _):
                if rooms.isEmpty { index.all.append(number) }
                for room in rooms { index.rooms.append((room.hashValue, number)) }
            }
        }
        index.rooms.sort { $0.hash < $1.hash }
        let made = index
        self.index.withLock { $0 = made }
        return made
    }
}
