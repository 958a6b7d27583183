import NIOCore

/// Values that are one line.
extension RESPParser {
    static func integer(_ bytes: ByteBuffer) throws(RedisError) -> Int64 {
        guard let value = decimal(bytes.readableBytesView) else { throw Self.violation("no integer where one must be") }
        return value
    }

    private static func decimal(_ bytes: ByteBufferView) -> Int64? {
        var digits = bytes[...]
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative || digits.first == UInt8(ascii: "+") { digits = digits.dropFirst() }
        guard !digits.isEmpty else { return nil }
        var value: Int64 = 0
        for digit in digits {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
            // Downwards: the smallest number has no positive counterpart.
            let (sum, overflowOfSum) = shifted.subtractingReportingOverflow(Int64(digit - UInt8(ascii: "0")))
            guard !overflow, !overflowOfSum else { return nil }
            value = sum
        }
        if isNegative { return value }
        return value == .min ? nil : -value
    }

    static func bool(_ bytes: ByteBuffer) throws(RedisError) -> Bool {
        switch (bytes.readableBytes, bytes.getInteger(at: bytes.readerIndex, as: UInt8.self)) {
        case (1, UInt8(ascii: "t")): return true
        case (1, UInt8(ascii: "f")): return false
        default: throw Self.violation("no boolean where one must be")
        }
    }

    static func double(_ bytes: ByteBuffer) throws(RedisError) -> Double {
        let text = String(buffer: bytes)
        // Swift's own reader takes hexadecimal numbers and more.
        let isPlain = text.utf8.allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "+-.eE".utf8.contains(byte)
        }
        switch text {
        case "inf", "+inf": return .infinity
        case "-inf": return -.infinity
        case "nan", "-nan": return .nan
        default:
            guard isPlain, let value = Double(text) else { throw Self.violation("no number where one must be") }
            return value
        }
    }

    static func bigNumber(_ bytes: ByteBuffer) throws(RedisError) -> ByteBuffer {
        var digits = bytes.readableBytesView[...]
        if let sign = digits.first, "+-".utf8.contains(sign) { digits = digits.dropFirst() }
        guard !digits.isEmpty, digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            throw Self.violation("no number where one must be")
        }
        return bytes
    }
}
