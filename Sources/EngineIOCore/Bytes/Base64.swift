import NIOCore

/// Base64 (RFC 4648 §4) on bytes.
package enum Base64 {
    private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

    /// The value of each byte as a digit of either alphabet, 0xFF for all others.
    private static let values: [UInt8] = {
        var table = [UInt8](repeating: 0xFF, count: 256)
        for value in 0..<64 {
            table[Int(Base64.alphabet.utf8Start[value])] = UInt8(value)
        }
        table[Int(UInt8(ascii: "-"))] = 62
        table[Int(UInt8(ascii: "_"))] = 63
        return table
    }()

    /// The number of characters for `count` bytes, padding included.
    @inlinable
    package static func encodedLength(_ count: Int) -> Int {
        (count / 3 + (count % 3 == 0 ? 0 : 1)) * 4
    }

    /// Appends `bytes` in the standard alphabet, with padding.
    package static func encode(_ bytes: ByteBuffer, to buffer: inout ByteBuffer) {
        let length = self.encodedLength(bytes.readableBytes)
        guard length > 0 else { return }
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: length) { target in
            bytes.withUnsafeReadableBytes { self.encode($0, to: target) }
            return length
        }
    }

    /// `target` holds at least ``encodedLength(_:)`` bytes.
    private static func encode(_ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer) {
        let digits = self.alphabet.utf8Start
        guard let input = source.baseAddress, let output = target.baseAddress else { return }
        @inline(__always)
        func put(_ value: UInt32, _ offset: Int) {
            output.storeBytes(of: digits[Int(value & 0x3F)], toByteOffset: offset, as: UInt8.self)
        }
        @inline(__always)
        func take(_ offset: Int) -> UInt32 {
            UInt32(input.load(fromByteOffset: offset, as: UInt8.self))
        }
        let count = source.count
        var from = 0
        var to = 0
        while count &- from >= 3 {
            let group = take(from) << 16 | take(from &+ 1) << 8 | take(from &+ 2)
            put(group >> 18, to)
            put(group >> 12, to &+ 1)
            put(group >> 6, to &+ 2)
            put(group, to &+ 3)
            from &+= 3
            to &+= 4
        }
        let rest = count &- from
        guard rest > 0 else { return }
        let group = take(from) << 16 | (rest == 2 ? take(from &+ 1) << 8 : 0)
        put(group >> 18, to)
        put(group >> 12, to &+ 1)
        if rest == 2 {
            put(group >> 6, to &+ 2)
        } else {
            output.storeBytes(of: UInt8(ascii: "="), toByteOffset: to &+ 2, as: UInt8.self)
        }
        output.storeBytes(of: UInt8(ascii: "="), toByteOffset: to &+ 3, as: UInt8.self)
    }

    /// Decodes as the reference does, which never fails: both alphabets, other bytes are skipped, `=` ends the text,
    /// and bits that make no whole byte are dropped.
    package static func decodeLeniently(_ text: ByteBuffer) -> ByteBuffer {
        guard text.readableBytes > 0 else { return ByteBuffer() }
        let bound = text.readableBytes / 4 * 3 + 3
        var result = ByteBufferAllocator().buffer(capacity: bound)
        result.writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { target in
            text.withUnsafeReadableBytes { source in
                self.values.withUnsafeBufferPointer { self.decode(source, to: target, values: $0) }
            }
        }
        return result
    }

    /// Returns the number of bytes written; `values` has 256 entries, `target` room for 3 bytes per 4 of `source` and
    /// 3 more.
    private static func decode(
        _ source: UnsafeRawBufferPointer,
        to target: UnsafeMutableRawBufferPointer,
        values: UnsafeBufferPointer<UInt8>
    ) -> Int {
        guard let input = source.baseAddress, let output = target.baseAddress, let values = values.baseAddress else {
            return 0
        }
        @inline(__always)
        func digit(_ offset: Int) -> UInt32 {
            UInt32(values[Int(input.load(fromByteOffset: offset, as: UInt8.self))])
        }
        @inline(__always)
        func put(_ value: UInt32, _ offset: Int) {
            output.storeBytes(of: UInt8(truncatingIfNeeded: value), toByteOffset: offset, as: UInt8.self)
        }
        let count = source.count
        var from = 0
        var to = 0
        // Clean groups of four, as any encoder writes them.
        while count &- from >= 4 {
            let first = digit(from)
            let second = digit(from &+ 1)
            let third = digit(from &+ 2)
            let fourth = digit(from &+ 3)
            if (first | second | third | fourth) > 63 { break }
            let group = first << 18 | second << 12 | third << 6 | fourth
            put(group >> 16, to)
            put(group >> 8, to &+ 1)
            put(group, to &+ 2)
            from &+= 4
            to &+= 3
        }
        // The end, and everything behind the first byte that is no digit.
        var bits: UInt32 = 0
        var bitCount = 0
        while from < count {
            if input.load(fromByteOffset: from, as: UInt8.self) == UInt8(ascii: "=") { break }
            let value = digit(from)
            from &+= 1
            if value > 63 { continue }
            bits = bits << 6 | value
            bitCount &+= 6
            if bitCount >= 8 {
                bitCount &-= 8
                put(bits >> UInt32(bitCount), to)
                to &+= 1
            }
        }
        return to
    }
}
