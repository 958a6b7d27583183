/// SHA-1 (RFC 3174). For the handshake of WebSocket only, where nothing rests on its strength.
enum SHA1 {
    static func digest(_ message: [UInt8]) -> [UInt8] {
        var state: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0]
        for block in SHABlocks(message) {
            var words = block
            for index in 16..<80 {
                let mixed = words[index - 3] ^ words[index - 8] ^ words[index - 14] ^ words[index - 16]
                words.append(mixed << 1 | mixed >> 31)
            }
            self.compress(words, into: &state)
        }
        return SHABlocks.bytes(of: state)
    }

    private static func compress(_ words: [UInt32], into state: inout [UInt32]) {
        var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
        for (round, word) in words.enumerated() {
            let (mix, constant): (UInt32, UInt32) =
                switch round / 20 {
                case 0: (b & c | ~b & d, 0x5A82_7999)
                case 1: (b ^ c ^ d, 0x6ED9_EBA1)
                case 2: (b & c | b & d | c & d, 0x8F1B_BCDC)
                default: (b ^ c ^ d, 0xCA62_C1D6)
                }
            let next = (a << 5 | a >> 27) &+ mix &+ e &+ constant &+ word
            (a, b, c, d, e) = (next, a, b << 30 | b >> 2, c, d)
        }
        for (index, value) in [a, b, c, d, e].enumerated() { state[index] &+= value }
    }
}

/// A message as SHA-1 and SHA-256 take it: padded, in blocks of sixteen words.
struct SHABlocks: Sequence, IteratorProtocol {
    private let padded: [UInt8]
    private var offset = 0

    init(_ message: [UInt8]) {
        var padded = message
        padded.append(0x80)
        while padded.count % 64 != 56 { padded.append(0) }
        padded.append(contentsOf: Self.bytes(of: [UInt64(message.count) &* 8]))
        self.padded = padded
    }

    mutating func next() -> [UInt32]? {
        guard self.offset < self.padded.count else { return nil }
        defer { self.offset += 64 }
        return stride(from: self.offset, to: self.offset + 64, by: 4).map { start in
            self.padded[start..<start + 4].reduce(0) { $0 << 8 | UInt32($1) }
        }
    }

    /// In network order.
    static func bytes<Word: FixedWidthInteger>(of words: [Word]) -> [UInt8] {
        words.flatMap { word in
            stride(from: Word.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> $0) }
        }
    }
}
