import NIOCore

/// Writes MessagePack in the shortest forms, as the library does whose dialect it is.
///
/// Headers and values follow each other; that an array or map gets as many values as its header says is for the
/// caller to see to. After an error the content is undefined.
package struct MessagePackWriter {
    /// Whose numbers are written.
    let dialect: MessagePackDialect
    /// What was written.
    package internal(set) var buffer: ByteBuffer

    /// - Parameter buffer: is written to behind what it holds already.
    package init(_ dialect: MessagePackDialect, into buffer: consuming ByteBuffer = ByteBuffer()) {
        self.dialect = dialect
        self.buffer = buffer
    }

    /// Writes nil, which is what `null` and, in arrays, `undefined` become.
    package mutating func writeNil() {
        self.buffer.writeInteger(0xC0 as UInt8)
    }

    package mutating func writeBool(_ value: Bool) {
        self.buffer.writeInteger((value ? 0xC3 : 0xC2) as UInt8)
    }

    package mutating func write(_ string: String) {
        if string.utf8.withContiguousStorageIfAvailable({ self.writeString(utf8: UnsafeRawBufferPointer($0)) }) == nil {
            var copy = string
            copy.withUTF8 { self.writeString(utf8: UnsafeRawBufferPointer($0)) }
        }
    }

    /// Writes a string whose bytes the caller knows to be UTF-8.
    mutating func writeString(utf8 text: UnsafeRawBufferPointer) {
        // Each write has a price, so that header and text are one.
        self.buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: text.count &+ 5) { output in
            let header: Int
            switch text.count {
            case ..<32:
                output[0] = 0xA0 | UInt8(truncatingIfNeeded: text.count)
                header = 1
            case ...0xFF:
                output[0] = 0xD9
                output[1] = UInt8(truncatingIfNeeded: text.count)
                header = 2
            case ...0xFFFF:
                output[0] = 0xDA
                output.storeBytes(
                    of: UInt16(truncatingIfNeeded: text.count).bigEndian, toByteOffset: 1, as: UInt16.self)
                header = 3
            default:
                output[0] = 0xDB
                output.storeBytes(
                    of: UInt32(truncatingIfNeeded: text.count).bigEndian, toByteOffset: 1, as: UInt32.self)
                header = 5
            }
            if let source = text.baseAddress, let target = output.baseAddress {
                (target + header).copyMemory(from: source, byteCount: text.count)
            }
            return header &+ text.count
        }
    }

    package mutating func writeBinary(_ bytes: ByteBuffer) {
        let count = bytes.readableBytes
        switch count {
        case ...0xFF: self.buffer.writeMultipleIntegers(0xC4 as UInt8, UInt8(truncatingIfNeeded: count))
        case ...0xFFFF: self.buffer.writeMultipleIntegers(0xC5 as UInt8, UInt16(truncatingIfNeeded: count))
        default: self.buffer.writeMultipleIntegers(0xC6 as UInt8, UInt32(truncatingIfNeeded: count))
        }
        self.buffer.writeImmutableBuffer(bytes)
    }

    /// Begins an array of `count` values, at most 2³² − 1.
    package mutating func writeArrayHeader(_ count: Int) {
        self.writeHeader(count, 0x90, 0xDC, 0xDD)
    }

    /// Begins a map of `count` members, at most 2³² − 1: a key and a value for each.
    package mutating func writeMapHeader(_ count: Int) {
        self.writeHeader(count, 0x80, 0xDE, 0xDF)
    }

    private mutating func writeHeader(_ count: Int, _ tiny: UInt8, _ short: UInt8, _ long: UInt8) {
        let count = UInt32(clamping: count)
        switch count {
        case ..<16: self.buffer.writeInteger(tiny | UInt8(truncatingIfNeeded: count))
        case ...0xFFFF: self.buffer.writeMultipleIntegers(short, UInt16(truncatingIfNeeded: count))
        default: self.buffer.writeMultipleIntegers(long, count)
        }
    }
}
