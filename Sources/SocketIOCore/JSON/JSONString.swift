/// The content of JSON strings: from the bytes between two quotes to text.
package enum JSONString {
    /// The text between two quotes, `range` being what lies between them.
    ///
    /// A surrogate without its partner becomes U+FFFD, and so does anything that is not UTF-8.
    static func decode(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, isEscaped: Bool) -> String {
        let raw = UnsafeRawBufferPointer(rebasing: bytes[range])
        guard isEscaped else {
            return raw.withMemoryRebound(to: UInt8.self) { String(decoding: $0, as: UTF8.self) }
        }
        // What an escape sequence stands for is never longer than the sequence.
        return String(unsafeUninitializedCapacity: raw.count) { Self.unescape(raw, into: $0) }
    }

    /// Writes the text of `raw` to `output`, which has room for as many bytes as `raw`; returns the length.
    ///
    /// Malformed sequences (a scan has refused them before) are passed on as they are.
    package static func unescape(
        _ raw: UnsafeRawBufferPointer,
        into output: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        var count = 0
        var index = 0
        while index < raw.count, count < output.count {
            let byte = raw[index]
            index &+= 1
            guard byte == Byte.backslash, index < raw.count else {
                output[count] = byte
                count &+= 1
                continue
            }
            let escape = raw[index]
            index &+= 1
            var character: UInt8
            switch escape {
            case UInt8(ascii: "b"): character = 0x08
            case UInt8(ascii: "f"): character = 0x0C
            case UInt8(ascii: "n"): character = 0x0A
            case UInt8(ascii: "r"): character = 0x0D
            case UInt8(ascii: "t"): character = 0x09
            case UInt8(ascii: "u"):
                guard var scalar = Self.hexadecimal(raw, at: index) else {
                    character = escape
                    break
                }
                index &+= 4
                if scalar & 0xFC00 == 0xD800, index &+ 1 < raw.count, raw[index] == Byte.backslash,
                    raw[index &+ 1] == UInt8(ascii: "u"), let low = Self.hexadecimal(raw, at: index &+ 2),
                    low & 0xFC00 == 0xDC00
                {
                    scalar = 0x10000 &+ ((scalar & 0x3FF) << 10) &+ (low & 0x3FF)
                    index &+= 6
                }
                count &+= Self.write(Unicode.Scalar(scalar) ?? "\u{FFFD}", to: output, at: count)
                continue
            default: character = escape
            }
            output[count] = character
            count &+= 1
        }
        return count
    }

    /// The value of four hexadecimal digits.
    @inline(__always)
    static func hexadecimal(_ bytes: UnsafeRawBufferPointer, at start: Int) -> UInt32? {
        guard start >= 0, bytes.count &- start >= 4 else { return nil }
        var value: UInt32 = 0
        for offset in 0..<4 {
            let byte = bytes[start &+ offset]
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte &- 0x30
            case 0x61...0x66: digit = byte &- 0x61 &+ 10
            case 0x41...0x46: digit = byte &- 0x41 &+ 10
            default: return nil
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    /// Writes `scalar` in UTF-8 as far as there is room; returns the number of bytes.
    private static func write(
        _ scalar: Unicode.Scalar,
        to output: UnsafeMutableBufferPointer<UInt8>,
        at start: Int
    ) -> Int {
        var count = 0
        for unit in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter where start &+ count < output.count {
            output[start &+ count] = unit
            count &+= 1
        }
        return count
    }

    /// True when the content of a string, unescaped, is the ASCII `text`.
    package static func equals(
        _ bytes: UnsafeRawBufferPointer,
        _ range: Range<Int>,
        isEscaped: Bool,
        _ text: StaticString
    ) -> Bool {
        guard isEscaped else { return ByteSearch.equals(bytes, range, text) }
        // Rare: no writer known escapes these letters. Six bytes of text stand for a character at most.
        guard range.count <= text.utf8CodeUnitCount &* 6 else { return false }
        return Self.decode(bytes, range, isEscaped: true) == text.description
    }
}
