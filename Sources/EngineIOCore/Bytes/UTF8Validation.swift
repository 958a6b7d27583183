import NIOCore

/// Whether bytes are well-formed UTF-8 (Unicode 15, table 3-7): no surrogates, no overlong forms, nothing above
/// U+10FFFF.
package enum UTF8Validation {
    package static func isValid(_ buffer: ByteBuffer) -> Bool {
        buffer.withUnsafeReadableBytes { Self.isValid($0) }
    }

    package static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let count = bytes.count
        guard count > 0, let base = bytes.baseAddress else { return true }
        var index = 0
        while true {
            index = Self.endOfASCII(base, from: index, count: count)
            // A run of multi-byte sequences, as in text that is not Latin.
            while index < count {
                let lead = base.load(fromByteOffset: index, as: UInt8.self)
                guard lead >= 0x80 else { break }
                let length = Self.sequenceLength(base.advanced(by: index), lead: lead, available: count &- index)
                guard length > 0 else { return false }
                index &+= length
            }
            if index >= count { return true }
        }
    }

    /// The index of the first byte at or behind `start` that is not ASCII, else `count`.
    @inline(__always)
    private static func endOfASCII(_ base: UnsafeRawPointer, from start: Int, count: Int) -> Int {
        var index = start
        while count &- index >= 32 {
            let first = base.loadUnaligned(fromByteOffset: index, as: SIMD4<UInt64>.self)
            let any = (first[0] | first[1]) | (first[2] | first[3])
            if any & 0x8080_8080_8080_8080 != 0 { break }
            index &+= 32
        }
        while count &- index >= 8 {
            let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let high = word & 0x8080_8080_8080_8080
            if high != 0 { return index &+ high.trailingZeroBitCount >> 3 }
            index &+= 8
        }
        while index < count, base.load(fromByteOffset: index, as: UInt8.self) < 0x80 { index &+= 1 }
        return index
    }

    /// The length of the sequence at `base`, 0 if it is ill-formed or cut off.
    @inline(__always)
    private static func sequenceLength(_ base: UnsafeRawPointer, lead: UInt8, available: Int) -> Int {
        @inline(__always)
        func byte(_ offset: Int) -> UInt8 { base.load(fromByteOffset: offset, as: UInt8.self) }
        @inline(__always)
        func isContinuation(_ offset: Int) -> Bool { byte(offset) & 0xC0 == 0x80 }
        switch lead {
        case 0xC2...0xDF:
            return available >= 2 && isContinuation(1) ? 2 : 0
        case 0xE0...0xEF:
            guard available >= 3, isContinuation(1), isContinuation(2) else { return 0 }
            if lead == 0xE0, byte(1) < 0xA0 { return 0 }
            if lead == 0xED, byte(1) > 0x9F { return 0 }
            return 3
        case 0xF0...0xF4:
            guard available >= 4, isContinuation(1), isContinuation(2), isContinuation(3) else { return 0 }
            if lead == 0xF0, byte(1) < 0x90 { return 0 }
            if lead == 0xF4, byte(1) > 0x8F { return 0 }
            return 4
        default:
            return 0
        }
    }
}
