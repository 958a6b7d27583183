import NIOCore
import SocketIOCore

/// Events that wait until handlers end, in order of arrival, bounded.
struct WaitingEvents {
    struct Entry {
        let packet: Packet
        /// The connection that has brought it.
        let session: Int
    }

    private var entries = CircularBuffer<Entry>(initialCapacity: 1)
    private(set) var bytes = 0
    private let maxBytes: Int

    init(maxBytes: Int) { self.maxBytes = maxBytes }

    var isEmpty: Bool { self.entries.isEmpty }

    func hasRoom(for packet: Packet) -> Bool { packet.waitingCost <= self.maxBytes - self.bytes }

    mutating func append(_ packet: Packet, session: Int) {
        self.entries.append(Entry(packet: packet.compacted, session: session))
        self.bytes += packet.waitingCost
    }

    mutating func popFirst() -> Entry? {
        guard let entry = self.entries.popFirst() else { return nil }
        self.bytes -= entry.packet.waitingCost
        return entry
    }

    mutating func removeAll() {
        self.entries = CircularBuffer(initialCapacity: 1)
        self.bytes = 0
    }
}

extension Packet {
    /// What an event that is kept takes: the bytes of payload and attachments, and what is around them.
    var waitingCost: Int {
        self.attachments.reduce(256 + (self.payload?.readableBytes ?? 0)) { $0 + 64 + $1.readableBytes }
    }
}
