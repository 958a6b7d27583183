import NIOCore

/// Writes values as JSON the way JavaScript's `JSON.stringify` does, straight into the bytes that are sent, and
/// collects the binary data that it meets.
///
/// After an error the content is undefined.
package struct JSONWriter {
    /// What becomes of binary data.
    package enum BinaryMode: Sendable {
        /// It is collected in ``attachments`` and replaced by a placeholder.
        case attach
        /// It is an error with code `binary_not_allowed`.
        case forbidden
    }

    /// How deep values may lie inside each other; deeper ones are an error with code `nesting_too_deep`.
    package static let maxDepth = 512

    private static let allocator = ByteBufferAllocator()

    /// What was written, behind the headroom.
    package var bytes: ByteBuffer
    /// Binary data in the order in which it was met; the number in a placeholder is an index here.
    package var attachments: [ByteBuffer] = []
    /// What becomes of binary data.
    package var binaryMode: BinaryMode = .attach

    /// - Parameters:
    ///   - reserving: bytes of JSON to make room for at once.
    ///   - headroom: bytes to begin with, which the caller fills in afterwards or does not send.
    ///   - storage: what to write into, if nobody else refers to it; its content is lost.
    package init(reserving: Int = 0, headroom: Int = 0, storage: consuming ByteBuffer? = nil) {
        let capacity = max(0, reserving) &+ max(0, headroom)
        // Moved, not copied: a copy would be somebody else who refers to it.
        self.bytes = consume storage ?? ByteBuffer()
        if self.bytes.modifyIfUniquelyOwned({ $0.clear(minimumCapacity: capacity) }) == nil {
            self.bytes = capacity > 0 ? Self.allocator.buffer(capacity: capacity) : ByteBuffer()
        }
        if headroom > 0 { self.bytes.moveWriterIndex(forwardBy: headroom) }
    }

    // MARK: Pieces of JSON, for callers that know what they write

    /// Writes the bytes of `text` as they are.
    @inline(__always)
    package mutating func writeRaw(_ text: StaticString) {
        self.bytes.writeStaticString(text)
    }

    /// Writes one byte as it is.
    @inline(__always)
    package mutating func writeByte(_ byte: UInt8) {
        self.bytes.writeInteger(byte)
    }

    /// Writes the UTF-8 of `text` as it is, without quotes.
    package mutating func writeText(_ text: String) {
        self.bytes.writeString(text)
    }

    /// Writes `null`.
    package mutating func writeNull() { self.writeRaw("null") }

    /// Writes `true` or `false`.
    package mutating func writeBool(_ value: Bool) {
        if value { self.writeRaw("true") } else { self.writeRaw("false") }
    }

    /// Writes a decimal integer.
    package mutating func writeInteger(_ value: some FixedWidthInteger) {
        guard let magnitude = UInt64(exactly: value.magnitude) else {
            // Only integers of 128 bits come here.
            self.bytes.writeString(String(value))
            return
        }
        let isNegative = value < 0
        self.bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: JSONNumber.maxLength) {
            JSONNumber.write(magnitude, isNegative: isNegative, into: $0)
        }
    }

    /// Writes a number in JavaScript's shortest form; NaN and the infinities as `null`.
    package mutating func writeDouble(_ value: Double) {
        self.bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: JSONNumber.maxLength) {
            JSONNumber.write(value, into: $0)
        }
    }

    /// Writes a number with the shortest digits that are read back as the same `Float`.
    package mutating func writeFloat(_ value: Float) {
        let description = value.description
        self.bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: JSONNumber.maxLength) {
            JSONNumber.write(description: description, into: $0)
        }
    }

    /// Writes a string in quotes, escaping what `JSON.stringify` escapes.
    package mutating func writeString(_ value: String) {
        self.writeString(value, before: nil, after: nil)
    }

    /// Writes the key of a member and its colon, behind a comma if the member is not the first.
    mutating func writeKey(_ key: String, isFirst: Bool) {
        self.writeString(key, before: isFirst ? nil : Byte.comma, after: Byte.colon)
    }

    /// Writes a string with a byte before its quotes and a byte after them. Each write has a price, so that one is
    /// made of three.
    @inline(__always)
    mutating func writeString(_ value: String, before: UInt8?, after: UInt8?) {
        if value.utf8.withContiguousStorageIfAvailable({
            self.writeString(utf8: UnsafeRawBufferPointer($0), before: before, after: after)
        }) == nil {
            var copy = value
            copy.withUTF8 { self.writeString(utf8: UnsafeRawBufferPointer($0), before: before, after: after) }
        }
    }

    /// Writes a string whose bytes the caller knows to be UTF-8, with a byte before its quotes and a byte after them.
    package mutating func writeString(utf8 text: UnsafeRawBufferPointer, before: UInt8? = nil, after: UInt8? = nil) {
        var plainEnd = ByteSearch.special(in: text, from: 0, to: text.count)
        self.bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: text.count &+ 4) { output in
            var count = 0
            if let before {
                output[0] = before
                count = 1
            }
            output[count] = Byte.quote
            count &+= 1
            if let source = text.baseAddress, let target = output.baseAddress {
                (target + count).copyMemory(from: source, byteCount: plainEnd)
                count &+= plainEnd
            }
            guard plainEnd == text.count else { return count }
            output[count] = Byte.quote
            count &+= 1
            guard let after else { return count }
            output[count] = after
            return count &+ 1
        }
        if plainEnd == text.count { return }
        while plainEnd < text.count {
            self.writeEscape(of: text[plainEnd])
            let start = plainEnd &+ 1
            plainEnd = ByteSearch.special(in: text, from: start, to: text.count)
            self.bytes.writeBytes(UnsafeRawBufferPointer(rebasing: text[start..<plainEnd]))
        }
        self.writeByte(Byte.quote)
        if let after { self.writeByte(after) }
    }

    private mutating func writeEscape(of byte: UInt8) {
        switch byte {
        case Byte.quote: self.writeRaw("\\\"")
        case Byte.backslash: self.writeRaw("\\\\")
        case 0x08: self.writeRaw("\\b")
        case 0x09: self.writeRaw("\\t")
        case 0x0A: self.writeRaw("\\n")
        case 0x0C: self.writeRaw("\\f")
        case 0x0D: self.writeRaw("\\r")
        default:
            self.writeRaw(byte < 0x10 ? "\\u000" : "\\u001")
            let low = byte & 0xF
            self.writeByte(low < 10 ? Byte.zero &+ low : UInt8(ascii: "a") &+ low &- 10)
        }
    }

    /// Collects `value` as an attachment and writes its placeholder.
    package mutating func writeBinary(_ value: ByteBuffer) throws(SocketIOError) {
        guard self.binaryMode == .attach else {
            throw SocketIOError(.binaryNotAllowed, "binary data can't be sent here")
        }
        self.writeRaw("{\"_placeholder\":true,\"num\":")
        self.writeInteger(self.attachments.count)
        self.writeByte(Byte.closeObject)
        self.attachments.append(value)
    }
}
