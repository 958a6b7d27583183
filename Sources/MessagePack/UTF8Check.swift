/// Tells text from bytes that only claim to be text.
enum UTF8Check {
    /// True when `bytes` are UTF-8 as a `String` would keep them: no surrogates, nothing longer than need be.
    static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let end = bytes.count
        var index = 0
        while index < end {
            // Most text is ASCII: eight bytes at a time.
            while end &- index >= 8,
                bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
            {
                index &+= 8
            }
            guard index < end else { return true }
            let first = bytes[index]
            index &+= 1
            if first < 0x80 { continue }
            // The range of the second byte is what excludes surrogates, overlong forms and all beyond U+10FFFF.
            let length: Int
            var range: ClosedRange<UInt8> = 0x80...0xBF
            switch first {
            case 0xC2...0xDF: length = 1
            case 0xE0: (length, range) = (2, 0xA0...0xBF)
            case 0xED: (length, range) = (2, 0x80...0x9F)
            case 0xE1...0xEF: length = 2
            case 0xF0: (length, range) = (3, 0x90...0xBF)
            case 0xF1...0xF3: length = 3
            case 0xF4: (length, range) = (3, 0x80...0x8F)
            default: return false
            }
            guard end &- index >= length, range ~= bytes[index] else { return false }
            for offset in 1..<3 where offset < length && bytes[index &+ offset] & 0xC0 != 0x80 { return false }
            index &+= length
        }
        return true
    }
}
