/// Bytes with a meaning in JSON text.
enum Byte {
    static let quote = UInt8(ascii: "\"")
    static let backslash = UInt8(ascii: "\\")
    static let comma = UInt8(ascii: ",")
    static let colon = UInt8(ascii: ":")
    static let minus = UInt8(ascii: "-")
    static let plus = UInt8(ascii: "+")
    static let point = UInt8(ascii: ".")
    static let zero = UInt8(ascii: "0")
    static let openArray = UInt8(ascii: "[")
    static let closeArray = UInt8(ascii: "]")
    static let openObject = UInt8(ascii: "{")
    static let closeObject = UInt8(ascii: "}")
    static let lowerE = UInt8(ascii: "e")
    static let upperE = UInt8(ascii: "E")

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- Self.zero < 10 }

    /// White space as JSON allows it.
    @inline(__always)
    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }
}

/// Searches in raw bytes, eight at a time.
package enum ByteSearch {
    private static var ones: UInt64 { 0x0101_0101_0101_0101 }
    private static var highs: UInt64 { 0x8080_8080_8080_8080 }

    /// The index of the first quote, backslash or control character (< 0x20) in `start ..< end`, or `end`.
    ///
    /// The bounds must lie within `bytes`.
    @inline(__always)
    package static func special(in bytes: UnsafeRawBufferPointer, from start: Int, to end: Int) -> Int {
        var index = start
        while end &- index >= 8 {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let quotes = word ^ (Self.ones &* UInt64(Byte.quote))
            let backslashes = word ^ (Self.ones &* UInt64(Byte.backslash))
            // In each term the lowest bit that is set marks the first byte that is zero, or below 0x20, exactly.
            let found =
                ((quotes &- Self.ones) & ~quotes) | ((backslashes &- Self.ones) & ~backslashes)
                | ((word &- Self.ones &* 0x20) & ~word)
            let mask = found & Self.highs
            if mask != 0 { return index &+ mask.trailingZeroBitCount / 8 }
            index &+= 8
        }
        while index < end {
            let byte = bytes[index]
            if byte == Byte.quote || byte == Byte.backslash || byte < 0x20 { return index }
            index &+= 1
        }
        return end
    }

    /// The index of the first byte from `start` on that is not white space, or the end.
    @inline(__always)
    static func nonSpace(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        while index < bytes.count, Byte.isSpace(bytes[index]) { index &+= 1 }
        return index
    }

    /// True when `bytes` in `range` are exactly the ASCII `text`.
    @inline(__always)
    static func equals(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ text: StaticString) -> Bool {
        guard range.count == text.utf8CodeUnitCount, range.lowerBound >= 0, range.upperBound <= bytes.count else {
            return false
        }
        for offset in 0..<range.count where bytes[range.lowerBound &+ offset] != text.utf8Start[offset] {
            return false
        }
        return true
    }
}
