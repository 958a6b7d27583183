/// Where replies are put together. Whoever makes one has seen to the space.
struct Output {
    let base: UnsafeMutableRawPointer
    var count = 0

    init(_ base: UnsafeMutableRawPointer) { self.base = base }

    var end: UnsafeMutableRawPointer { self.base + self.count }

    mutating func put(_ byte: UInt8) {
        self.end.storeBytes(of: byte, as: UInt8.self)
        self.count += 1
    }

    mutating func put(_ text: StaticString) {
        self.end.copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
        self.count += text.utf8CodeUnitCount
    }

    mutating func put(_ bytes: UnsafeRawBufferPointer) {
        if let start = bytes.baseAddress { self.end.copyMemory(from: start, byteCount: bytes.count) }
        self.count += bytes.count
    }

    mutating func put(hex value: UInt64) {
        for shift in stride(from: UInt64(60), through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: value &>> shift & 15)
            self.put(digit < 10 ? 0x30 + digit : 0x57 + digit)
        }
    }

    mutating func put(decimal value: Int) {
        var divisor = 1
        while value / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            self.put(0x30 + UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
    }

    mutating func putHeader(opcode: UInt8, count: Int) {
        self.put(0x80 | opcode)
        if count < 126 {
            self.put(UInt8(truncatingIfNeeded: count))
        } else if count < 1 << 16 {
            self.put(126)
            self.put(UInt8(truncatingIfNeeded: count &>> 8))
            self.put(UInt8(truncatingIfNeeded: count))
        } else {
            self.put(127)
            for shift in stride(from: 56, through: 0, by: -8) { self.put(UInt8(truncatingIfNeeded: count &>> shift)) }
        }
    }
}
