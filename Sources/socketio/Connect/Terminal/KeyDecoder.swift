/// A key, or what is typed with it.
enum Key: Equatable {
    case character(Unicode.Scalar)
    case enter
    case backspace, delete
    case left, right, wordLeft, wordRight, home, end
    case up, down
    case killToEnd, killToStart, killWordBefore, killWordAfter, yank
    case interrupt, endOfInput, suspend, clearScreen
}

/// Turns the bytes that a terminal sends into keys. What it does not know is passed over.
struct KeyDecoder {
    private enum State {
        case ground
        /// The first bytes of a character, and how many are to follow.
        case character([UInt8], missing: Int)
        case escape
        /// Behind `ESC [`.
        case sequence([UInt8])
        /// Behind `ESC O`.
        case function
    }

    private var state = State.ground
    private var wasReturn = false

    /// Terminals send shorter sequences.
    private static let maxSequence = 32

    mutating func feed(_ byte: UInt8, into keys: inout [Key]) {
        // Return and line feed, from a paste, are one end of a line.
        let isSecondHalf = self.wasReturn && byte == 0x0A
        self.wasReturn = byte == 0x0D
        if isSecondHalf { return }
        switch self.state {
        case .ground: self.begin(byte, into: &keys)
        case .character(var bytes, let missing):
            guard byte & 0xC0 == 0x80 else {
                self.state = .ground
                Self.append("\u{FFFD}", to: &keys)
                return self.begin(byte, into: &keys)
            }
            bytes.append(byte)
            guard missing == 1 else {
                self.state = .character(bytes, missing: missing - 1)
                return
            }
            self.state = .ground
            for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars { Self.append(scalar, to: &keys) }
        case .escape: self.escaped(byte, into: &keys)
        case .sequence(var bytes):
            if byte == 0x1B {
                self.state = .escape
            } else if (0x40...0x7E).contains(byte) {
                self.state = .ground
                if let key = Self.key(String(decoding: bytes, as: UTF8.self), final: byte) { keys.append(key) }
            } else if (0x20...0x3F).contains(byte), bytes.count < Self.maxSequence {
                bytes.append(byte)
                self.state = .sequence(bytes)
            } else {
                self.state = .ground
            }
        case .function:
            self.state = .ground
            if let key = Self.key("", final: byte) { keys.append(key) }
        }
    }

    private mutating func begin(_ byte: UInt8, into keys: inout [Key]) {
        switch byte {
        case 0x1B: self.state = .escape
        // A tab between arguments is as good as a space; in a text it would have to be escaped.
        case 0x09: keys.append(.character(" "))
        case 0..<0x20, 0x7F: if let key = Self.control(byte) { keys.append(key) }
        case 0x20..<0x7F: keys.append(.character(Unicode.Scalar(byte)))
        case 0xC2...0xDF: self.state = .character([byte], missing: 1)
        case 0xE0...0xEF: self.state = .character([byte], missing: 2)
        case 0xF0...0xF4: self.state = .character([byte], missing: 3)
        default: keys.append(.character("\u{FFFD}"))
        }
    }

    private static func append(_ scalar: Unicode.Scalar, to keys: inout [Key]) {
        // Those of C1 are no characters.
        if scalar.properties.generalCategory != .control { keys.append(.character(scalar)) }
    }

    private static func control(_ byte: UInt8) -> Key? {
        switch byte {
        case 0x01: .home
        case 0x02: .left
        case 0x03: .interrupt
        case 0x04: .endOfInput
        case 0x05: .end
        case 0x06: .right
        case 0x08, 0x7F: .backspace
        case 0x0A, 0x0D: .enter
        case 0x0B: .killToEnd
        case 0x0C: .clearScreen
        case 0x0E: .down
        case 0x10: .up
        case 0x15: .killToStart
        case 0x17: .killWordBefore
        case 0x19: .yank
        case 0x1A: .suspend
        default: nil
        }
    }

    /// With Alt or Meta.
    private mutating func escaped(_ byte: UInt8, into keys: inout [Key]) {
        self.state = .ground
        switch byte {
        case UInt8(ascii: "["): self.state = .sequence([])
        case UInt8(ascii: "O"): self.state = .function
        case 0x1B: self.state = .escape
        case UInt8(ascii: "b"): keys.append(.wordLeft)
        case UInt8(ascii: "f"): keys.append(.wordRight)
        case UInt8(ascii: "d"): keys.append(.killWordAfter)
        case 0x08, 0x7F: keys.append(.killWordBefore)
        // Escape alone, then a key that is meant.
        case 0..<0x20: self.begin(byte, into: &keys)
        default: break
        }
    }

    private static func key(_ parameters: String, final: UInt8) -> Key? {
        // The second parameter says what else is pressed: Alt, Control or both move by words.
        let byWord = ["1;3", "1;5", "1;7", "5"].contains(parameters)
        switch final {
        case UInt8(ascii: "A"): return .up
        case UInt8(ascii: "B"): return .down
        case UInt8(ascii: "C"): return byWord ? .wordRight : .right
        case UInt8(ascii: "D"): return byWord ? .wordLeft : .left
        case UInt8(ascii: "H"): return .home
        case UInt8(ascii: "F"): return .end
        case UInt8(ascii: "~"):
            switch parameters {
            case "1", "7": return .home
            case "4", "8": return .end
            case "3": return .delete
            case "3;3", "3;5": return .killWordAfter
            default: return nil
            }
        default: return nil
        }
    }
}
