import NIOCore

/// Which of the slots of Redis Cluster a key or a channel belongs to.
enum SlotHash {
    static let slotCount = 16384

    static func slot(of key: ByteBuffer) -> Int { self.slot(of: key.readableBytesView) }

    static func slot(of key: String) -> Int { self.slot(of: Array(key.utf8)) }

    static func slot(of key: some RandomAccessCollection<UInt8>) -> Int {
        // Of a key with {…} only what is in the first braces counts, unless that is nothing.
        if let brace = key.firstIndex(of: UInt8(ascii: "{")) {
            let rest = key[key.index(after: brace)...]
            if let end = rest.firstIndex(of: UInt8(ascii: "}")), end > rest.startIndex {
                return Int(self.checksum(rest[..<end])) % Self.slotCount
            }
        }
        return Int(self.checksum(key)) % Self.slotCount
    }

    /// CRC-16 with the polynomial 0x1021, starting from 0 (XMODEM).
    static func checksum(_ bytes: some Sequence<UInt8>) -> UInt16 {
        bytes.reduce(0) { sum, byte in
            (sum << 8) ^ Self.table[Int(UInt8(truncatingIfNeeded: sum >> 8) ^ byte)]
        }
    }

    private static let table: [UInt16] = (0..<256).map { index in
        (0..<8).reduce(UInt16(index) << 8) { sum, _ in sum & 0x8000 == 0 ? sum << 1 : (sum << 1) ^ 0x1021 }
    }
}
