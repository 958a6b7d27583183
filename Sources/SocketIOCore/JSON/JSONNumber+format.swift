extension JSONNumber {
    /// Room for every number that ``write(_:into:)`` writes: at most a sign, 21 digits and a point or exponent.
    static var maxLength: Int { 32 }

    /// Writes `value` as JavaScript does: the shortest digits that are read back as the same value, with an exponent
    /// from 1e21 on and below 1e-6. NaN and the infinities become `null`, -0 becomes `0`.
    ///
    /// - Parameter output: at least ``maxLength`` bytes.
    /// - Returns: the number of bytes written.
    static func write(_ value: Double, into output: UnsafeMutableRawBufferPointer) -> Int {
        if let integer = Int64(exactly: value), integer.magnitude <= 1 << 53 {
            return Self.write(integer.magnitude, isNegative: integer < 0, into: output)
        }
        // Most numbers have few decimals. With at most 15 digits in all, an integer divided by a power of ten that
        // gives the value is the only such integer, and the division rounds as a reader does.
        let magnitude = value.magnitude
        var decimals = 1
        var scale = 10.0
        while decimals <= 6, magnitude >= 1e-5 {
            let scaled = (magnitude * scale).rounded()
            guard scaled < 1e15 else { break }
            if scaled / scale == magnitude {
                let digits = UInt64(scaled)
                let power = UInt64(scale)
                var count = Self.write(digits / power, isNegative: value < 0, into: output)
                output[count] = Byte.point
                count &+= 1 &+ decimals
                let first = Self.write(digits % power, endingAt: count, into: output)
                for index in count &- decimals..<first { output[index] = Byte.zero }
                return count
            }
            decimals &+= 1
            scale *= 10
        }
        return Self.write(description: value.description, into: output)
    }

    /// Writes a number in the same form, of any size.
    ///
    /// - Parameters:
    ///   - description: what the standard library gives as the description of a `Double` or `Float`.
    ///   - output: at least ``maxLength`` bytes.
    /// - Returns: the number of bytes written.
    static func write(description: String, into output: UnsafeMutableRawBufferPointer) -> Int {
        // The standard library finds the shortest digits as well but lays them out differently: take its digits.
        var digits: (UInt64, UInt64, UInt64) = (0, 0, 0)
        return withUnsafeMutableBytes(of: &digits) { digits in
            var count = 0
            var isNegative = false
            var point: Int?
            var exponent = 0
            var inExponent = false
            var exponentIsNegative = false
            for byte in description.utf8 {
                switch byte {
                case Byte.minus where inExponent: exponentIsNegative = true
                case Byte.minus: isNegative = true
                case Byte.plus: break
                case Byte.point: point = count
                case Byte.lowerE: inExponent = true
                case 0x30...0x39 where inExponent: exponent = exponent &* 10 &+ Int(byte &- 0x30)
                case 0x30...0x39:
                    guard count < digits.count else { break }
                    digits[count] = byte
                    count &+= 1
                default: return Self.copy("null", into: output, at: 0)
                }
            }
            var magnitude = (point ?? count) &+ (exponentIsNegative ? -exponent : exponent)
            var first = 0
            while first < count, digits[first] == Byte.zero {
                first &+= 1
                magnitude &-= 1
            }
            while count > first, digits[count &- 1] == Byte.zero { count &-= 1 }
            let significant = UnsafeRawBufferPointer(rebasing: digits[first..<count])
            return Self.lay(out: significant, magnitude: magnitude, isNegative: isNegative, into: output)
        }
    }

    /// Writes 0.`digits` · 10^`magnitude`.
    private static func lay(
        out digits: UnsafeRawBufferPointer,
        magnitude: Int,
        isNegative: Bool,
        into output: UnsafeMutableRawBufferPointer
    ) -> Int {
        guard !digits.isEmpty else { return Self.copy("0", into: output, at: 0) }
        var count = 0
        func put(_ byte: UInt8) {
            guard count < output.count else { return }
            output[count] = byte
            count &+= 1
        }
        if isNegative { put(Byte.minus) }
        switch magnitude {
        case 1...21:
            for position in 0..<max(digits.count, magnitude) {
                if position == magnitude { put(Byte.point) }
                put(position < digits.count ? digits[position] : Byte.zero)
            }
        case -5...0:
            put(Byte.zero)
            put(Byte.point)
            for _ in magnitude..<0 { put(Byte.zero) }
            for digit in digits { put(digit) }
        default:
            put(digits[0])
            if digits.count > 1 { put(Byte.point) }
            for digit in digits.dropFirst() { put(digit) }
            put(Byte.lowerE)
            let exponent = magnitude &- 1
            put(exponent < 0 ? Byte.minus : Byte.plus)
            var divisor = exponent.magnitude >= 100 ? UInt(100) : exponent.magnitude >= 10 ? 10 : 1
            while divisor > 0 {
                put(Byte.zero &+ UInt8(truncatingIfNeeded: exponent.magnitude / divisor % 10))
                divisor /= 10
            }
        }
        return count
    }

    private static func copy(_ text: StaticString, into output: UnsafeMutableRawBufferPointer, at start: Int) -> Int {
        for offset in 0..<text.utf8CodeUnitCount where start &+ offset < output.count {
            output[start &+ offset] = text.utf8Start[offset]
        }
        return text.utf8CodeUnitCount
    }

    /// Writes a decimal integer; returns the number of bytes, at most 20.
    @inline(__always)
    static func write(_ magnitude: UInt64, isNegative: Bool, into output: UnsafeMutableRawBufferPointer) -> Int {
        var count = isNegative ? 1 : 0
        if isNegative { output[0] = Byte.minus }
        count &+= Self.digitCount(magnitude)
        Self.write(magnitude, endingAt: count, into: output)
        return count
    }

    /// Writes decimal digits so that the last one comes to stand before `end`; returns where the first one is.
    @inline(__always)
    @discardableResult
    private static func write(
        _ magnitude: UInt64,
        endingAt end: Int,
        into output: UnsafeMutableRawBufferPointer
    ) -> Int {
        var rest = magnitude
        var index = end
        repeat {
            index &-= 1
            output[index] = Byte.zero &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest != 0
        return index
    }

    @inline(__always)
    private static func digitCount(_ magnitude: UInt64) -> Int {
        var count = 1
        var rest = magnitude
        while rest >= 1000 {
            rest /= 1000
            count &+= 3
        }
        return rest < 10 ? count : rest < 100 ? count &+ 1 : count &+ 2
    }
}
