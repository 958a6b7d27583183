/// SHA-1 (RFC 3174). For the handshake of WebSocket only, where nothing rests on its strength.
enum SHA1 {
    static func digest(_ message: [UInt8]) -> [UInt8] {
        let padded = SHABlocks.padded(message)
        var state: (UInt32, UInt32, UInt32, UInt32, UInt32) = (
            0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0
        )
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 80) { words in
            padded.withUnsafeBytes { bytes in
                for block in stride(from: 0, to: bytes.count, by: 64) {
                    for index in 0..<16 {
                        let word = bytes.loadUnaligned(fromByteOffset: block + 4 * index, as: UInt32.self)
                        words.initializeElement(at: index, to: UInt32(bigEndian: word))
                    }
                    for index in 16..<80 {
                        let mixed = words[index - 3] ^ words[index - 8] ^ words[index - 14] ^ words[index - 16]
                        words.initializeElement(at: index, to: mixed << 1 | mixed >> 31)
                    }
                    Self.compress(words, into: &state)
                }
            }
        }
        return SHABlocks.bytes(of: [state.0, state.1, state.2, state.3, state.4])
    }

    private static func compress(
        _ words: UnsafeMutableBufferPointer<UInt32>,
        into state: inout (UInt32, UInt32, UInt32, UInt32, UInt32)
    ) {
        var (a, b, c, d, e) = state
        for round in 0..<80 {
            let mix: UInt32
            let constant: UInt32
            switch round {
            case 0..<20: (mix, constant) = (b & c | ~b & d, 0x5A82_7999)
            case 20..<40: (mix, constant) = (b ^ c ^ d, 0x6ED9_EBA1)
            case 40..<60: (mix, constant) = (b & c | b & d | c & d, 0x8F1B_BCDC)
            default: (mix, constant) = (b ^ c ^ d, 0xCA62_C1D6)
            }
            let next = (a << 5 | a >> 27) &+ mix &+ e &+ constant &+ words[round]
            (a, b, c, d, e) = (next, a, b << 30 | b >> 2, c, d)
        }
        state = (state.0 &+ a, state.1 &+ b, state.2 &+ c, state.3 &+ d, state.4 &+ e)
    }
}

/// A message as SHA-1 and SHA-256 take it: padded, in blocks of sixteen words.
struct SHABlocks: Sequence, IteratorProtocol {
    private let padded: [UInt8]
    private var offset = 0

    init(_ message: [UInt8]) {
        self.padded = Self.padded(message)
    }

    /// With a one bit, zeros and the length behind it: whole blocks of 64 bytes.
    static func padded(_ message: [UInt8]) -> [UInt8] {
        var padded: [UInt8] = []
        padded.reserveCapacity(message.count + 72)
        padded.append(contentsOf: message)
        padded.append(0x80)
        while padded.count % 64 != 56 { padded.append(0) }
        let bits = UInt64(message.count) &* 8
        for shift in stride(from: 56, through: 0, by: -8) { padded.append(UInt8(truncatingIfNeeded: bits >> shift)) }
        return padded
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
