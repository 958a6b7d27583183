/// Reads the line in front of a chunk, `size *(;name[=value]) CR LF`, byte by byte. The extensions mean nothing to us.
struct ChunkLine: Sendable {
    private enum State: Sendable {
        case firstDigit, digits
        case firstOfName, name
        case firstOfValue, value
        case quoted, escaped, behindQuoted
        case lineFeed
    }

    private var state = State.firstDigit
    private var size = 0
    private var digits = 0

    /// Takes a byte. Returns the size of the chunk when the line is complete.
    ///
    /// - Parameter extensionBytes: how many bytes extensions may still have.
    mutating func take(_ byte: UInt8, extensionBytes: inout Int) throws(HTTPRequestError) -> Int? {
        if byte == 0x0D {
            switch self.state {
            case .digits, .name, .value, .behindQuoted: self.state = .lineFeed
            default: throw .badChunk
            }
            return nil
        }
        switch self.state {
        case .firstDigit, .digits:
            if byte == UInt8(ascii: ";"), self.state == .digits {
                self.state = .firstOfName
                break
            }
            guard let digit = Self.hexadecimal(byte), self.digits < 15 else { throw .badChunk }
            // 15 digits are 60 bits.
            self.size = self.size << 4 | digit
            self.digits += 1
            self.state = .digits
            return nil
        case .firstOfName:
            guard HTTPBytes.isToken(byte) else { throw .badChunk }
            self.state = .name
        case .name:
            if byte == UInt8(ascii: "=") { self.state = .firstOfValue } else { try self.endPart(byte, in: .name) }
        case .firstOfValue:
            if byte == UInt8(ascii: "\"") {
                self.state = .quoted
            } else {
                guard HTTPBytes.isToken(byte) else { throw .badChunk }
                self.state = .value
            }
        case .value: try self.endPart(byte, in: .value)
        case .quoted:
            guard !HTTPBytes.isForbidden(byte) else { throw .badChunk }
            if byte == UInt8(ascii: "\"") { self.state = .behindQuoted }
            if byte == UInt8(ascii: "\\") { self.state = .escaped }
        case .escaped:
            guard !HTTPBytes.isForbidden(byte) else { throw .badChunk }
            self.state = .quoted
        case .behindQuoted:
            guard byte == UInt8(ascii: ";") else { throw .badChunk }
            self.state = .firstOfName
        case .lineFeed:
            guard byte == 0x0A else { throw .badChunk }
            return self.size
        }
        guard extensionBytes > 0 else { throw .tooLarge }
        extensionBytes -= 1
        return nil
    }

    private mutating func endPart(_ byte: UInt8, in state: State) throws(HTTPRequestError) {
        if byte == UInt8(ascii: ";") {
            self.state = .firstOfName
        } else {
            guard HTTPBytes.isToken(byte) else { throw .badChunk }
            self.state = state
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }
}
