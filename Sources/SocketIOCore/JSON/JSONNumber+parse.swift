/// Numbers from and to JSON text.
package enum JSONNumber {
    /// What a number's text says.
    package enum Parsed {
        /// Digits only, and it fits.
        case int(Int)
        /// Digits only, positive, and it fits only here.
        case large(UInt64)
        /// Everything else, correctly rounded; infinite beyond the range of `Double`.
        case double(Double)
    }

    /// The value of the number in `range`, which must follow the grammar of JSON; `nil` if it plainly does not.
    package static func parse(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Parsed? {
        guard range.lowerBound >= 0, range.upperBound <= bytes.count else { return nil }
        var index = range.lowerBound
        let end = range.upperBound
        var isNegative = false
        if index < end, bytes[index] == Byte.minus {
            isNegative = true
            index &+= 1
        }
        guard index < end else { return nil }

        // The significant digits as an integer, as far as they fit, and the power of ten that belongs to it.
        var significand: UInt64 = 0
        var isExact = true
        var exponent = 0
        while index < end, Byte.isDigit(bytes[index]) {
            isExact = isExact && Self.append(bytes[index], to: &significand)
            index &+= 1
        }
        if index == end {
            guard isExact else { return Self.parseSlowly(bytes, range) }
            if isNegative {
                if significand == 0 { return .double(-0.0) }
                if significand <= Int.min.magnitude { return .int(Int(truncatingIfNeeded: 0 &- significand)) }
                return .double(-Double(significand))
            }
            return Int(exactly: significand).map { .int($0) } ?? .large(significand)
        }
        if bytes[index] == Byte.point {
            index &+= 1
            while index < end, Byte.isDigit(bytes[index]) {
                isExact = isExact && Self.append(bytes[index], to: &significand)
                exponent &-= 1
                index &+= 1
            }
        }
        if index < end {
            guard bytes[index] | 0x20 == Byte.lowerE, let written = Self.exponent(bytes, index &+ 1..<end) else {
                return nil
            }
            exponent &+= written
        }
        // Both factors are exact, so one multiplication or division rounds correctly.
        guard isExact, significand <= 1 << 53, -22...22 ~= exponent else { return Self.parseSlowly(bytes, range) }
        var value = Double(significand)
        if exponent < 0 { value /= Self.powersOfTen[-exponent] } else { value *= Self.powersOfTen[exponent] }
        return .double(isNegative ? -value : value)
    }

    /// The number in `range` as a `Double`.
    static func double(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Double? {
        switch Self.parse(bytes, range) {
        case .int(let value): Double(value)
        case .large(let value): Double(value)
        case .double(let value): value
        case nil: nil
        }
    }

    /// The number in `range` if it is an integer, however written, that fits into `T`.
    @inline(__always)
    static func integer<T: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> T? {
        switch Self.parse(bytes, range) {
        case .int(let value): T(exactly: value)
        case .large(let value): T(exactly: value)
        case .double(let value): T(exactly: value)
        case nil: nil
        }
    }

    /// Appends a decimal digit; false, and `value` unchanged, if it does not fit any more.
    @inline(__always)
    private static func append(_ byte: UInt8, to value: inout UInt64) -> Bool {
        let (product, overflow) = value.multipliedReportingOverflow(by: 10)
        let (sum, carry) = product.addingReportingOverflow(UInt64(byte &- Byte.zero))
        if overflow || carry { return false }
        value = sum
        return true
    }

    /// The exponent behind the letter, bounded to ±100 000, which is beyond every `Double`.
    private static func exponent(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
        var index = range.lowerBound
        var isNegative = false
        if index < range.upperBound, bytes[index] == Byte.minus || bytes[index] == Byte.plus {
            isNegative = bytes[index] == Byte.minus
            index &+= 1
        }
        guard index < range.upperBound else { return nil }
        var value = 0
        while index < range.upperBound {
            guard Byte.isDigit(bytes[index]) else { return nil }
            value = min(value &* 10 &+ Int(bytes[index] &- Byte.zero), 100_000)
            index &+= 1
        }
        return isNegative ? -value : value
    }

    /// Numbers with more digits or larger exponents, by the standard library.
    private static func parseSlowly(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Parsed? {
        let text = String(decoding: bytes[range], as: UTF8.self)
        return Double(text).map { .double($0) }
    }

    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]
}
