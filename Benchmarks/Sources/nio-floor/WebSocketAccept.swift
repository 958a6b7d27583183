/// `Sec-WebSocket-Accept` (RFC 6455, section 4.2.2), put straight where it belongs.
enum WebSocketAccept {
    private static let suffix: StaticString = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

    /// `key` has 24 bytes; with the suffix they are 60, and two blocks of SHA-1.
    static func put(key: UnsafeRawBufferPointer, into output: inout Output) {
        withUnsafeTemporaryAllocation(byteCount: 128, alignment: 8) { message in
            message.initializeMemory(as: UInt8.self, repeating: 0)
            message.copyMemory(from: key)
            UnsafeMutableRawBufferPointer(rebasing: message.dropFirst(24)).copyMemory(
                from: UnsafeRawBufferPointer(start: self.suffix.utf8Start, count: 36))
            message[60] = 0x80
            message.storeBytes(of: UInt64(60 * 8).bigEndian, toByteOffset: 120, as: UInt64.self)
            var state = SIMD8<UInt32>(0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0, 0, 0, 0)
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 80) { words in
                for block in 0..<2 {
                    for index in 0..<16 {
                        words[index] = UInt32(
                            bigEndian: message.load(fromByteOffset: block * 64 + index * 4, as: UInt32.self))
                    }
                    self.compress(words, into: &state)
                }
            }
            for index in 0..<5 {
                message.storeBytes(of: state[index].bigEndian, toByteOffset: index * 4, as: UInt32.self)
            }
            self.putBase64(UnsafeRawBufferPointer(rebasing: message[..<20]), into: &output)
        }
    }

    private static func compress(_ words: UnsafeMutableBufferPointer<UInt32>, into state: inout SIMD8<UInt32>) {
        for index in 16..<80 {
            let mixed = words[index - 3] ^ words[index - 8] ^ words[index - 14] ^ words[index - 16]
            words[index] = mixed << 1 | mixed >> 31
        }
        var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
        for index in 0..<80 {
            let mix: UInt32
            switch index {
            case ..<20: mix = (b & c | ~b & d) &+ 0x5A82_7999
            case ..<40: mix = (b ^ c ^ d) &+ 0x6ED9_EBA1
            case ..<60: mix = (b & c | b & d | c & d) &+ 0x8F1B_BCDC
            default: mix = (b ^ c ^ d) &+ 0xCA62_C1D6
            }
            let next = (a << 5 | a >> 27) &+ mix &+ e &+ words[index]
            (a, b, c, d, e) = (next, a, b << 30 | b >> 2, c, d)
        }
        state &+= SIMD8(a, b, c, d, e, 0, 0, 0)
    }

    /// 20 bytes: six groups of three, and one of two.
    private static func putBase64(_ digest: UnsafeRawBufferPointer, into output: inout Output) {
        for start in stride(from: 0, to: 20, by: 3) {
            let third = start + 2 < 20 ? UInt32(digest[start + 2]) : 0
            let group = UInt32(digest[start]) << 16 | UInt32(digest[start + 1]) << 8 | third
            for shift in stride(from: UInt32(18), through: 0, by: -6) {
                output.put(self.alphabet.utf8Start[Int(group >> shift & 63)])
            }
        }
        output.count -= 1
        output.put(0x3D)
    }
}
