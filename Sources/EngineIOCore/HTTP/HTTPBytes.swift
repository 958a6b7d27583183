/// The character classes of HTTP (RFC 9110 §5.6.2, RFC 9112 §2.2), as bits of ASCII.
enum HTTPBytes {
    @inline(__always)
    static func isToken(_ byte: UInt8) -> Bool {
        Self.contains(byte, 0x03FF_6CFA_0000_0000, 0x57FF_FFFF_C7FF_FFFE)
    }

    /// A character of an authority without user information.
    @inline(__always)
    static func isAuthority(_ byte: UInt8) -> Bool {
        Self.contains(byte, 0x2FFF_7FF2_0000_0000, 0x47FF_FFFE_AFFF_FFFE)
    }

    @inline(__always)
    private static func contains(_ byte: UInt8, _ low: UInt64, _ high: UInt64) -> Bool {
        byte < 0x80 && ((byte < 0x40 ? low : high) &>> UInt64(byte & 0x3F)) & 1 == 1
    }

    /// A control character that may stand in no line.
    @inline(__always)
    static func isForbidden(_ byte: UInt8) -> Bool { (byte < 0x20 && byte != 0x09) || byte == 0x7F }

    /// The index of the first byte at or behind `start` that is a control character (a tab is none), or the number of bytes.
    @inline(__always)
    static func firstControl(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        let count = bytes.count
        guard let base = bytes.baseAddress else { return count }
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        while count &- index >= 8 {
            let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let delete = word ^ (ones &* 0x7F)
            // Below 0x20, or zero after the exclusive or: the lowest high bit that is set marks the first such byte.
            let found = ((word &- (ones &* 0x20)) & ~word | (delete &- ones) & ~delete) & highs
            if found != 0 {
                index &+= found.trailingZeroBitCount >> 3
                if base.load(fromByteOffset: index, as: UInt8.self) != 0x09 { return index }
                index &+= 1
            } else {
                index &+= 8
            }
        }
        while index < count {
            if Self.isForbidden(base.load(fromByteOffset: index, as: UInt8.self)) { return index }
            index &+= 1
        }
        return count
    }

    /// Compares with a name in lower case, letters and hyphens only, whatever the case of the bytes. Of the bytes of a line
    /// none but a hyphen becomes one.
    @inline(__always)
    static func isEqual(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ name: StaticString) -> Bool {
        guard range.count == name.utf8CodeUnitCount else { return false }
        let wanted = name.utf8Start
        for offset in 0..<range.count where bytes[range.lowerBound &+ offset] | 0x20 != wanted[offset] { return false }
        return true
    }

    /// The range without the spaces and tabs at its ends.
    @inline(__always)
    static func trimmed(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, bytes[start] == 0x20 || bytes[start] == 0x09 { start &+= 1 }
        while start < end, bytes[end &- 1] == 0x20 || bytes[end &- 1] == 0x09 { end &-= 1 }
        return start..<end
    }

    /// Calls `body` with the items of a list that are not empty.
    @inline(__always)
    static func forEachItem(_ bytes: UnsafeRawBufferPointer, _ list: Range<Int>, _ body: (Range<Int>) -> Void) {
        var start = list.lowerBound
        while start < list.upperBound {
            var end = start
            while end < list.upperBound, bytes[end] != UInt8(ascii: ",") { end &+= 1 }
            let item = Self.trimmed(bytes, start..<end)
            if !item.isEmpty { body(item) }
            start = end &+ 1
        }
    }
}
