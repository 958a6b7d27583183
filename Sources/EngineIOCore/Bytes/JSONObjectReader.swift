import NIOCore

/// Reads the small JSON objects of Engine.IO: the handshake, and what a server says when it refuses.
///
/// Only the members of the outermost object are kept; what is nested deeper is skipped, to a depth of 64. Input beyond 64 KiB
/// is refused.
package struct JSONObjectReader {
    package enum Value: Sendable, Equatable {
        case string(String)
        case integer(Int)
        case strings([String])
        /// Any other value.
        case other
    }

    package static let maxBytes = 65_536
    private static let maxDepth = 64

    private let bytes: [UInt8]
    private var index = 0

    /// The members of an object, the last of each name; nil if the text is none.
    package static func read(_ text: ByteBuffer) -> [String: Value]? {
        guard text.readableBytes <= self.maxBytes else { return nil }
        var reader = JSONObjectReader(bytes: Array(text.readableBytesView))
        guard let members = reader.readMembers() else { return nil }
        return reader.next() == nil ? members : nil
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func readMembers() -> [String: Value]? {
        guard self.take("{") else { return nil }
        var members: [String: Value] = [:]
        if self.take("}") { return members }
        repeat {
            guard self.next() == UInt8(ascii: "\""), let name = self.readString(), self.take(":"),
                let value = self.readValue()
            else { return nil }
            members[name] = value
        } while self.take(",")
        return self.take("}") ? members : nil
    }

    private mutating func readValue() -> Value? {
        switch self.next() {
        case UInt8(ascii: "\""): self.readString().map { .string($0) }
        case UInt8(ascii: "["): self.readArray()
        case UInt8(ascii: "{"): self.skip() ? .other : nil
        case nil: nil
        default: self.readScalar()
        }
    }

    /// An array of strings; any other is skipped.
    private mutating func readArray() -> Value? {
        let start = self.index
        self.index += 1
        var strings: [String] = []
        if self.take("]") { return .strings([]) }
        while self.next() == UInt8(ascii: "\""), let string = self.readString() {
            strings.append(string)
            if self.take("]") { return .strings(strings) }
            guard self.take(",") else { return nil }
        }
        self.index = start
        return self.skip() ? .other : nil
    }

    private mutating func readScalar() -> Value? {
        let start = self.index
        while self.index < self.bytes.count, !" \t\r\n,:{}[]\"".utf8.contains(self.bytes[self.index]) {
            self.index += 1
        }
        let text = String(decoding: self.bytes[start..<self.index], as: UTF8.self)
        if let integer = Int(text) { return .integer(integer) }
        if let number = Double(text) {
            return Int(exactly: number.rounded()).map { .integer($0) } ?? .other
        }
        return ["true", "false", "null"].contains(text) ? .other : nil
    }

    /// Skips an array or object; only brackets and strings are looked at.
    private mutating func skip() -> Bool {
        var depth = 0
        repeat {
            switch self.next() {
            case nil: return false
            case UInt8(ascii: "\""):
                guard self.readString() != nil else { return false }
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                guard depth <= Self.maxDepth else { return false }
                self.index += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                self.index += 1
            default:
                self.index += 1
            }
        } while depth > 0
        return true
    }

    /// The next byte that is no white space; it is not taken.
    private mutating func next() -> UInt8? {
        while self.index < self.bytes.count {
            switch self.bytes[self.index] {
            case 0x20, 0x09, 0x0A, 0x0D: self.index += 1
            case let byte: return byte
            }
        }
        return nil
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard self.next() == UInt8(ascii: character) else { return false }
        self.index += 1
        return true
    }
}

// MARK: - Strings

extension JSONObjectReader {
    /// The index is at the opening quote.
    private mutating func readString() -> String? {
        self.index += 1
        var content: [UInt8] = []
        while self.index < self.bytes.count {
            let byte = self.bytes[self.index]
            self.index += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: content, as: UTF8.self)
            case 0..<0x20: return nil
            case UInt8(ascii: "\\"):
                guard let scalar = self.readEscape() else { return nil }
                content.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            default: content.append(byte)
            }
        }
        return nil
    }

    private mutating func readEscape() -> Unicode.Scalar? {
        guard self.index < self.bytes.count else { return nil }
        let byte = self.bytes[self.index]
        self.index += 1
        switch byte {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "u"): return self.readUnicodeEscape()
        default: return nil
        }
    }

    private mutating func readUnicodeEscape() -> Unicode.Scalar? {
        guard let first = self.readHex() else { return nil }
        guard UTF16.isLeadSurrogate(first), self.bytes[self.index...].starts(with: "\\u".utf8) else {
            return Unicode.Scalar(first) ?? "\u{FFFD}"
        }
        let behind = self.index
        self.index += 2
        guard let second = self.readHex() else { return nil }
        guard UTF16.isTrailSurrogate(second) else {
            self.index = behind
            return "\u{FFFD}"
        }
        return UTF16.decode(UTF16.EncodedScalar([first, second]))
    }

    private mutating func readHex() -> UInt16? {
        guard self.bytes.count - self.index >= 4 else { return nil }
        var value: UInt16 = 0
        for byte in self.bytes[self.index..<self.index + 4] {
            guard let digit = Self.hexDigit(byte) else { return nil }
            value = value << 4 | digit
        }
        self.index += 4
        return value
    }

    private static func hexDigit(_ byte: UInt8) -> UInt16? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }
}
