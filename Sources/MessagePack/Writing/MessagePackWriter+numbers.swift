import NIOCore

extension MessagePackWriter {
    /// The greatest integer up to which JavaScript's numbers have no gaps.
    private static var maxSafeInteger: UInt64 { 1 << 53 - 1 }

    /// Writes an integer as the library writes the number in JavaScript.
    ///
    /// An integer that JavaScript can't hold is written in full: readers in JavaScript round it to the nearest number,
    /// which is the one they would have got, and readers in Swift get what a client of this server gets.
    package mutating func write(_ int: Int) {
        self.writeInteger(magnitude: UInt64(int.magnitude), isNegative: int < 0)
    }

    /// Writes a number as the library writes it: one without a fraction as an integer if it fits into 64 bits, -0 as 0.
    package mutating func write(_ double: Double) {
        guard double.isFinite, double.rounded(.towardZero) == double else { return self.writeFloat(double) }
        let magnitude = double.magnitude
        if let exact = UInt64(exactly: magnitude), double > 0 || exact <= 1 << 63 {
            return self.writeInteger(magnitude: exact, isNegative: double < 0)
        }
        // Of what does not fit into 64 bits notepack.io writes the low ones, which is another number. It reads this one.
        self.writeFloat(double)
    }

    /// Writes an integer that fits into 64 bits, `magnitude` being at most 2⁶³ if it is negative.
    mutating func writeInteger(magnitude: UInt64, isNegative: Bool) {
        if self.dialect == .msgpackJS, magnitude > Self.maxSafeInteger,
            UInt64(exactly: Double(magnitude)) == magnitude
        {
            return self.writeFloat(isNegative ? -Double(magnitude) : Double(magnitude))
        }
        guard isNegative, magnitude > 0 else {
            switch magnitude {
            case ..<0x80: self.buffer.writeInteger(UInt8(truncatingIfNeeded: magnitude))
            case ...0xFF: self.buffer.writeMultipleIntegers(0xCC as UInt8, UInt8(truncatingIfNeeded: magnitude))
            case ...0xFFFF: self.buffer.writeMultipleIntegers(0xCD as UInt8, UInt16(truncatingIfNeeded: magnitude))
            case ...0xFFFF_FFFF: self.buffer.writeMultipleIntegers(0xCE as UInt8, UInt32(truncatingIfNeeded: magnitude))
            default: self.buffer.writeMultipleIntegers(0xCF as UInt8, magnitude)
            }
            return
        }
        // The two's complement; of its bits the lowest are those of the narrower type.
        let bits = 0 &- magnitude
        switch magnitude {
        case ...0x20: self.buffer.writeInteger(UInt8(truncatingIfNeeded: bits))
        case ...0x80: self.buffer.writeMultipleIntegers(0xD0 as UInt8, UInt8(truncatingIfNeeded: bits))
        case ...0x8000: self.buffer.writeMultipleIntegers(0xD1 as UInt8, UInt16(truncatingIfNeeded: bits))
        case ...0x8000_0000: self.buffer.writeMultipleIntegers(0xD2 as UInt8, UInt32(truncatingIfNeeded: bits))
        default: self.buffer.writeMultipleIntegers(0xD3 as UInt8, bits)
        }
    }

    private mutating func writeFloat(_ value: Double) {
        // JavaScript has one NaN only.
        self.buffer.writeMultipleIntegers(0xCB as UInt8, value.isNaN ? 0x7FF8_0000_0000_0000 : value.bitPattern)
    }
}
