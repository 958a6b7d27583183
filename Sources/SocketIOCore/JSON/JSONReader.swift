import NIOCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A value is not of the type that was asked for.
struct Mismatch: Error {
    /// What was asked for, with its article.
    var expected: String
    /// What stands there.
    var found: String
}

/// Reads single values from text that a ``JSONScan`` has accepted; text that it would refuse is survived, no more.
struct JSONReader {
    let bytes: UnsafeRawBufferPointer
    let attachments: [ByteBuffer]

    /// How deep ``value(at:end:)`` goes.
    static let maxDepth = 1024

    // MARK: Tokens

    /// The content of the string that begins at `position` with a quote, and whether it contains escapes.
    @inline(__always)
    func string(at position: Int) -> (content: Range<Int>, isEscaped: Bool)? {
        guard position < self.bytes.count, self.bytes[position] == Byte.quote else { return nil }
        let start = position &+ 1
        var index = start
        var isEscaped = false
        while true {
            index = ByteSearch.special(in: self.bytes, from: index, to: self.bytes.count)
            guard index < self.bytes.count else { return nil }
            switch self.bytes[index] {
            case Byte.quote: return (start..<index, isEscaped)
            case Byte.backslash:
                isEscaped = true
                index = min(index &+ 2, self.bytes.count)
            default: index &+= 1
            }
        }
    }

    /// The text of the number that begins at `position`.
    @inline(__always)
    func number(at position: Int) -> Range<Int>? {
        guard position < self.bytes.count else { return nil }
        let first = self.bytes[position]
        guard Byte.isDigit(first) || first == Byte.minus else { return nil }
        var index = position &+ 1
        loop: while index < self.bytes.count {
            switch self.bytes[index] {
            case 0x30...0x39, Byte.point, Byte.plus, Byte.minus, Byte.lowerE, Byte.upperE: index &+= 1
            default: break loop
            }
        }
        return position..<index
    }

    @inline(__always)
    func isNull(at position: Int) -> Bool {
        position < self.bytes.count && self.bytes[position] == UInt8(ascii: "n")
    }

    /// The position of the next element of an array or member of an object: behind the bracket that opens it
    /// (`position` is there) or behind a value and a comma; `nil` at the closing bracket, `end` being behind it then.
    @inline(__always)
    func next(after position: Int, end: inout Int) -> Int? {
        let index = ByteSearch.nonSpace(in: self.bytes, from: position)
        guard index < self.bytes.count else {
            end = self.bytes.count
            return nil
        }
        switch self.bytes[index] {
        case Byte.comma, Byte.openArray, Byte.openObject:
            let start = ByteSearch.nonSpace(in: self.bytes, from: index &+ 1)
            guard start < self.bytes.count else {
                end = self.bytes.count
                return nil
            }
            if self.bytes[start] == Byte.closeArray || self.bytes[start] == Byte.closeObject {
                end = start &+ 1
                return nil
            }
            return start
        default:
            end = index &+ 1
            return nil
        }
    }

    /// The key at `position` and where its value begins.
    @inline(__always)
    func key(at position: Int) -> (content: Range<Int>, isEscaped: Bool, value: Int)? {
        guard let (content, isEscaped) = self.string(at: position) else { return nil }
        let colon = ByteSearch.nonSpace(in: self.bytes, from: content.upperBound &+ 1)
        return (content, isEscaped, ByteSearch.nonSpace(in: self.bytes, from: colon &+ 1))
    }

    /// Where the value that begins at `position` ends. Not recursive.
    func end(ofValueAt position: Int) -> Int {
        var index = position
        var depth = 0
        repeat {
            guard index < self.bytes.count else { return self.bytes.count }
            switch self.bytes[index] {
            case Byte.quote:
                guard let string = self.string(at: index) else { return self.bytes.count }
                index = string.content.upperBound &+ 1
            case Byte.openArray, Byte.openObject:
                depth &+= 1
                index &+= 1
            case Byte.closeArray, Byte.closeObject:
                depth &-= 1
                index &+= 1
            case Byte.comma, Byte.colon, 0x20, 0x0A, 0x0D, 0x09:
                index &+= 1
            case UInt8(ascii: "f"): index &+= 5
            case UInt8(ascii: "t"), UInt8(ascii: "n"): index &+= 4
            default: index = self.number(at: index)?.upperBound ?? index &+ 1
            }
        } while depth > 0
        return min(index, self.bytes.count)
    }

    // MARK: Values

    /// The attachment that the object at `position` stands for.
    func binary(at position: Int, end: inout Int) -> ByteBuffer? {
        guard !self.attachments.isEmpty, position < self.bytes.count, self.bytes[position] == Byte.openObject else {
            return nil
        }
        var isPlaceholder = false
        var number: Int?
        var index = position
        while let start = self.next(after: index, end: &end), let key = self.key(at: start) {
            index = self.end(ofValueAt: key.value)
            if JSONString.equals(self.bytes, key.content, isEscaped: key.isEscaped, "_placeholder") {
                isPlaceholder = key.value < self.bytes.count && self.bytes[key.value] == UInt8(ascii: "t")
            } else if JSONString.equals(self.bytes, key.content, isEscaped: key.isEscaped, "num") {
                number = self.number(at: key.value).flatMap { JSONNumber.integer(self.bytes, $0) }
            }
        }
        guard isPlaceholder, let number, self.attachments.indices.contains(number) else { return nil }
        return self.attachments[number]
    }

    /// The value that begins at `position`.
    func value(at position: Int, end: inout Int, depth: Int = 0) throws(Mismatch) -> SocketIOValue {
        guard position < self.bytes.count, depth < Self.maxDepth else { throw self.mismatch("a value", at: position) }
        switch self.bytes[position] {
        case Byte.quote:
            guard let (content, isEscaped) = self.string(at: position) else { break }
            end = content.upperBound &+ 1
            return .string(JSONString.decode(self.bytes, content, isEscaped: isEscaped))
        case Byte.openArray:
            var elements: [SocketIOValue] = []
            var index = position
            while let start = self.next(after: index, end: &end) {
                elements.append(try self.value(at: start, end: &index, depth: depth + 1))
            }
            return .array(elements)
        case Byte.openObject:
            var object = SocketIOValue.Object()
            var index = position
            while let start = self.next(after: index, end: &end) {
                guard let key = self.key(at: start) else { throw self.mismatch("a key", at: start) }
                let name = JSONString.decode(self.bytes, key.content, isEscaped: key.isEscaped)
                object.updateValue(try self.value(at: key.value, end: &index, depth: depth + 1), forKey: name)
            }
            if !self.attachments.isEmpty, object["_placeholder"] == .bool(true),
                let number = object["num"]?.intValue, self.attachments.indices.contains(number)
            {
                return .binary(self.attachments[number])
            }
            return .object(object)
        case UInt8(ascii: "t"):
            end = position &+ 4
            return .bool(true)
        case UInt8(ascii: "f"):
            end = position &+ 5
            return .bool(false)
        case UInt8(ascii: "n"):
            end = position &+ 4
            return .null
        default:
            guard let range = self.number(at: position) else { break }
            end = range.upperBound
            switch JSONNumber.parse(self.bytes, range) {
            case .int(let value): return .int(value)
            case .large(let value): return .double(Double(value))
            case .double(let value): return .double(value)
            case nil: break
            }
        }
        throw self.mismatch("a value", at: position)
    }

    func mismatch(_ expected: String, at position: Int) -> Mismatch {
        var found = "nothing"
        if position < self.bytes.count {
            switch self.bytes[position] {
            case Byte.quote: found = "a string"
            case Byte.openArray: found = "an array"
            case Byte.openObject:
                var end = 0
                found = self.binary(at: position, end: &end) == nil ? "an object" : "binary data"
            case UInt8(ascii: "t"), UInt8(ascii: "f"): found = "a truth value"
            case UInt8(ascii: "n"): found = "null"
            default: found = "a number"
            }
        }
        return Mismatch(expected: expected, found: found)
    }
}
