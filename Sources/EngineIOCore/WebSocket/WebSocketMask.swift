/// Masking of payloads (RFC 6455 §5.3), eight bytes at a time.
enum WebSocketMask {
    /// Writes `source` XOR `key` to `destination`, which may be the same memory and must hold `source.count` bytes.
    ///
    /// `key` has the byte for the first byte of `source` lowest.
    @inline(__always)
    static func apply(_ key: UInt32, from source: UnsafeRawBufferPointer, to destination: UnsafeMutableRawPointer) {
        let count = source.count
        guard count > 0, let base = source.baseAddress else { return }
        let wide = (UInt64(key) << 32 | UInt64(key)).littleEndian
        var index = 0
        while count &- index >= 8 {
            let word = base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            destination.storeBytes(of: word ^ wide, toByteOffset: index, as: UInt64.self)
            index &+= 8
        }
        var rest = key
        while index < count {
            let byte = base.load(fromByteOffset: index, as: UInt8.self)
            destination.storeBytes(of: byte ^ UInt8(truncatingIfNeeded: rest), toByteOffset: index, as: UInt8.self)
            rest = rest >> 8 | rest << 24
            index &+= 1
        }
    }

    /// The key as it applies from the byte at `offset` of the payload on.
    @inline(__always)
    static func rotate(_ key: UInt32, by offset: Int) -> UInt32 {
        let bits = UInt32(truncatingIfNeeded: offset & 3) &* 8
        return bits == 0 ? key : key >> bits | key << (32 &- bits)
    }
}
