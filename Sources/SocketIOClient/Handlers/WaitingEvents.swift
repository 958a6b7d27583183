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

    /// What an event takes besides its bytes.
    private static let overhead = 256

    init(maxBytes: Int) { self.maxBytes = maxBytes }

    var isEmpty: Bool { self.entries.isEmpty }

    func hasRoom(for packet: Packet) -> Bool { Self.cost(packet) <= self.maxBytes - self.bytes }

    mutating func append(_ packet: Packet, session: Int) {
        self.entries.append(Entry(packet: packet, session: session))
        self.bytes += Self.cost(packet)
    }

    mutating func popFirst() -> Entry? {
        guard let entry = self.entries.popFirst() else { return nil }
        self.bytes -= Self.cost(entry.packet)
        return entry
    }

    mutating func removeAll() {
        self.entries = CircularBuffer(initialCapacity: 1)
        self.bytes = 0
    }

    private static func cost(_ packet: Packet) -> Int { packet.byteCount + Self.overhead }
}

extension Packet {
    /// The bytes of payload and attachments.
    var byteCount: Int {
        self.attachments.reduce(self.payload?.readableBytes ?? 0) { $0 + $1.readableBytes }
    }
}
