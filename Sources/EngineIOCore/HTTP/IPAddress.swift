/// An IPv4 or IPv6 address. IPv4 is kept as IPv4-mapped IPv6 (`::ffff:a.b.c.d`), so both spellings are equal.
package struct IPAddress: Sendable, Hashable {
    /// In network order from the high bit down.
    package let bits: UInt128

    private static let mappedPrefix: UInt128 = 0xFFFF_0000_0000

    package var isIPv4: Bool { self.bits >> 32 == 0xFFFF }

    init(bits: UInt128) {
        self.bits = bits
    }

    /// - Parameter text: dotted decimal without leading zeros, or IPv6 with or without a zone; no brackets, no port.
    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8.prefix(Self.maxTextBytes + 1))
        guard bytes.count <= Self.maxTextBytes else { return nil }
        if bytes.contains(UInt8(ascii: ":")) {
            let address = bytes.prefix { $0 != UInt8(ascii: "%") }
            guard let bits = Self.parseIPv6(address) else { return nil }
            self.bits = bits
        } else {
            guard let bits = Self.parseIPv4(bytes[...]) else { return nil }
            self.bits = Self.mappedPrefix | UInt128(bits)
        }
    }

    /// The longest IPv6 text is 45 characters; the rest is for a zone.
    private static let maxTextBytes = 64

    static func parseIPv4(_ bytes: ArraySlice<UInt8>) -> UInt32? {
        let parts = bytes.split(separator: UInt8(ascii: "."), maxSplits: 4, omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard let value = Self.decimal(part), value <= 255 else { return nil }
            bits = bits << 8 | UInt32(value)
        }
        return bits
    }

    /// Up to three digits; a leading zero is refused, since some read it as octal.
    static func decimal(_ digits: ArraySlice<UInt8>) -> Int? {
        guard let first = digits.first, digits.count <= 3, digits.count == 1 || first != UInt8(ascii: "0") else {
            return nil
        }
        var value = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            value = value * 10 + Int(digit - UInt8(ascii: "0"))
        }
        return value
    }

    private static func parseIPv6(_ bytes: ArraySlice<UInt8>) -> UInt128? {
        var groups: [UInt16] = []
        // Where `::` stands for as many zeros as are missing.
        var gap: Int?
        var rest = bytes
        if rest.starts(with: "::".utf8) {
            gap = 0
            rest = rest.dropFirst(2)
        } else if rest.first == UInt8(ascii: ":") {
            return nil
        }
        while !rest.isEmpty {
            guard groups.count < 8 else { return nil }
            let group = rest.prefix { $0 != UInt8(ascii: ":") }
            if group.count == rest.count, group.contains(UInt8(ascii: ".")) {
                guard groups.count <= 6, let bits = Self.parseIPv4(group) else { return nil }
                groups.append(UInt16(truncatingIfNeeded: bits >> 16))
                groups.append(UInt16(truncatingIfNeeded: bits))
                break
            }
            guard let value = Self.hexadecimal(group) else { return nil }
            groups.append(value)
            rest = rest.dropFirst(group.count)
            guard !rest.isEmpty else { break }
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: ":") {
                guard gap == nil else { return nil }
                gap = groups.count
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        if let gap {
            guard groups.count < 8 else { return nil }
            groups.insert(contentsOf: repeatElement(0, count: 8 - groups.count), at: gap)
        }
        guard groups.count == 8 else { return nil }
        return groups.reduce(0) { $0 << 16 | UInt128($1) }
    }

    private static func hexadecimal(_ digits: ArraySlice<UInt8>) -> UInt16? {
        guard (1...4).contains(digits.count) else { return nil }
        var value: UInt16 = 0
        for digit in digits {
            let nibble: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): nibble = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): nibble = digit - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): nibble = digit - UInt8(ascii: "A") + 10
            default: return nil
            }
            value = value << 4 | UInt16(nibble)
        }
        return value
    }
}

extension IPAddress: CustomStringConvertible {
    /// Dotted decimal for IPv4; for IPv6 the form of RFC 5952, without a zone.
    package var description: String {
        if self.isIPv4 {
            let bits = UInt32(truncatingIfNeeded: self.bits)
            return "\(bits >> 24).\(bits >> 16 & 0xFF).\(bits >> 8 & 0xFF).\(bits & 0xFF)"
        }
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: self.bits >> UInt128(112 - 16 * $0)) }
        // The first of the longest runs of at least two zeros becomes `::`.
        var gap = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start >= 2, end - start > gap.count { gap = start..<end }
            start = max(end, start + 1)
        }
        let text = { (part: ArraySlice<UInt16>) in part.map { String($0, radix: 16) }.joined(separator: ":") }
        if gap.isEmpty { return text(groups[...]) }
        return text(groups[..<gap.lowerBound]) + "::" + text(groups[gap.upperBound...])
    }
}
