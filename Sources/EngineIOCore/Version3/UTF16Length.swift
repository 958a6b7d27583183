import NIOCore

/// Lengths of UTF-8 text in UTF-16 code units, as protocol 3 counts them.
package enum UTF16Length {
    /// The code units of `text`, which is UTF-8.
    package static func of(_ text: ByteBuffer) -> Int {
        text.withUnsafeReadableBytes { bytes in
            var units = 0
            for byte in bytes { units &+= Self.units(byte) }
            return units
        }
    }

    /// The bytes at the front of `text` that hold `units` code units; nil if it holds fewer, or if they would end inside a
    /// character. No byte behind them is looked at but the one that follows. That they are UTF-8 is to be checked then.
    package static func bytes(in text: ByteBuffer, units: Int) -> Int? {
        text.withUnsafeReadableBytes { bytes in
            var left = units
            var index = 0
            while index < bytes.count {
                let more = Self.units(bytes[index])
                if more > 0, left <= 0 { break }
                left &-= more
                index &+= 1
            }
            return left == 0 ? index : nil
        }
    }

    /// What a byte adds: 1 begins a character of the first 65,536, 2 begins one of the others, 0 continues one.
    @inline(__always)
    private static func units(_ byte: UInt8) -> Int { byte & 0xC0 == 0x80 ? 0 : byte >= 0xF0 ? 2 : 1 }
}
