/// Checks JSON text in one pass: what `JSON.parse` accepts passes, nothing else does.
///
/// Only UTF-8 is not looked at; whoever reads strings afterwards repairs it.
package enum JSONScan {
    /// What kind of value a text begins with.
    package enum Kind: Sendable {
        case null, bool, number, string, array, object
    }

    /// Why a text is refused.
    package enum Failure: Error {
        /// It is no JSON text.
        case malformed
        /// Arrays and objects lie deeper inside each other than allowed.
        case tooDeep
        /// The outermost array has more elements than allowed.
        case tooManyElements
        /// A placeholder names no attachment.
        case illegalPlaceholder
    }

    /// What the pass found out.
    package struct Summary: Sendable {
        /// The kind of the whole value.
        package var kind: Kind
        /// Where it stands, without white space.
        package var range: Range<Int>
        /// The first element, if this is an array that has one.
        package var first: Element?
        /// The number of elements, if this is an array.
        package var count = 0
        /// The number of placeholders, if there are attachments.
        package var placeholders = 0
    }

    /// An element of the outermost array.
    package struct Element: Sendable {
        package var kind: Kind
        /// The whole text of the value; of a string, without the quotes.
        package var range: Range<Int>
        /// True for a string with escape sequences.
        package var isEscaped = false
    }

    /// Checks the text from `start` to the end of `bytes`.
    ///
    /// - Parameters:
    ///   - maxDepth: how many arrays and objects may lie inside each other.
    ///   - maxElements: how many elements the outermost array may have.
    ///   - attachments: if not zero, every placeholder must have a number below this.
    package static func scan(
        _ bytes: UnsafeRawBufferPointer,
        from start: Int = 0,
        maxDepth: Int = 256,
        maxElements: Int = .max,
        attachments: Int = 0
    ) -> Result<Summary, Failure> {
        // One byte per level, on the stack for any sensible limit.
        withUnsafeTemporaryAllocation(byteCount: max(1, min(maxDepth, 65_536)), alignment: 1) { levels in
            var scanner = JSONScanner(
                bytes: bytes,
                index: start,
                levels: levels,
                maxDepth: min(maxDepth, levels.count),
                maxElements: maxElements,
                attachments: attachments
            )
            do throws(Failure) { return .success(try scanner.run()) } catch { return .failure(error) }
        }
    }
}

/// The state of one pass. No recursion, no allocation.
private struct JSONScanner {
    let bytes: UnsafeRawBufferPointer
    var index: Int
    let levels: UnsafeMutableRawBufferPointer
    let maxDepth: Int
    let maxElements: Int
    let attachments: Int
    var depth = 0

    /// What is known of an array or object that is open.
    private enum Level {
        static let isObject: UInt8 = 1
        /// The last `_placeholder` was `true`.
        static let isPlaceholder: UInt8 = 2
        /// The last `num` was the number of an attachment.
        static let hasNumber: UInt8 = 4
    }

    /// Which member the value about to be read belongs to.
    private enum Member { case other, placeholder, number }

    mutating func run() throws(JSONScan.Failure) -> JSONScan.Summary {
        self.skipSpace()
        let start = self.index
        guard start < self.bytes.count else { throw .malformed }
        var summary = JSONScan.Summary(kind: try self.kind(), range: start..<start)
        var member = Member.other

        while true {
            // A value begins here.
            self.skipSpace()
            guard self.index < self.bytes.count else { throw .malformed }
            if self.depth == 1, summary.kind == .array {
                summary.count += 1
                if summary.count > self.maxElements { throw .tooManyElements }
            }
            let valueStart = self.index
            let byte = self.bytes[valueStart]
            switch byte {
            case Byte.openArray, Byte.openObject:
                let isFirst = self.depth == 1 && summary.kind == .array && summary.count == 1
                if isFirst {
                    let kind: JSONScan.Kind = byte == Byte.openArray ? .array : .object
                    summary.first = JSONScan.Element(kind: kind, range: valueStart..<valueStart)
                }
                self.noteContainer(member)
                guard self.depth < self.maxDepth else { throw .tooDeep }
                self.levels[self.depth] = byte == Byte.openObject ? Level.isObject : 0
                self.depth &+= 1
                self.index &+= 1
                self.skipSpace()
                guard self.index < self.bytes.count else { throw .malformed }
                if byte == Byte.openObject {
                    if self.bytes[self.index] != Byte.closeObject {
                        member = try self.key()
                        continue
                    }
                } else if self.bytes[self.index] != Byte.closeArray {
                    member = .other
                    continue
                }
            default:
                let element = try self.scalar(byte)
                if self.depth == 1, summary.count == 1, summary.kind == .array { summary.first = element }
                self.note(member, element.kind, element.range)
            }

            // A value ended here: close what ends with it, up to the next comma.
            var goesOn = false
            while !goesOn {
                guard self.depth > 0 else {
                    summary.range = start..<self.index
                    self.skipSpace()
                    guard self.index == self.bytes.count else { throw .malformed }
                    return summary
                }
                self.skipSpace()
                guard self.index < self.bytes.count else { throw .malformed }
                let level = self.levels[self.depth &- 1]
                let isObject = level & Level.isObject != 0
                switch self.bytes[self.index] {
                case Byte.comma:
                    self.index &+= 1
                    member = isObject ? try self.key() : .other
                    goesOn = true
                case Byte.closeArray where !isObject, Byte.closeObject where isObject:
                    if self.attachments > 0, level & Level.isPlaceholder != 0 {
                        if level & Level.hasNumber == 0 { throw .illegalPlaceholder }
                        summary.placeholders &+= 1
                    }
                    self.index &+= 1
                    self.depth &-= 1
                    if self.depth == 1, summary.count == 1, summary.kind == .array, let first = summary.first {
                        summary.first?.range = first.range.lowerBound..<self.index
                    }
                default: throw .malformed
                }
            }
        }
    }

    @inline(__always)
    private mutating func skipSpace() {
        if self.index < self.bytes.count, self.bytes[self.index] <= 0x20 {
            self.index = ByteSearch.nonSpace(in: self.bytes, from: self.index)
        }
    }

    private func kind() throws(JSONScan.Failure) -> JSONScan.Kind {
        switch self.bytes[self.index] {
        case Byte.openArray: .array
        case Byte.openObject: .object
        case Byte.quote: .string
        case UInt8(ascii: "n"): .null
        case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
        case Byte.minus, 0x30...0x39: .number
        default: throw .malformed
        }
    }

    /// Reads a key and its colon.
    private mutating func key() throws(JSONScan.Failure) -> Member {
        self.skipSpace()
        guard self.index < self.bytes.count, self.bytes[self.index] == Byte.quote else { throw .malformed }
        let key = try self.string()
        self.skipSpace()
        guard self.index < self.bytes.count, self.bytes[self.index] == Byte.colon else { throw .malformed }
        self.index &+= 1
        guard self.attachments > 0 else { return .other }
        return switch true {
        case JSONString.equals(self.bytes, key.range, isEscaped: key.isEscaped, "_placeholder"): .placeholder
        case JSONString.equals(self.bytes, key.range, isEscaped: key.isEscaped, "num"): .number
        default: .other
        }
    }

    /// Remembers what the value of a member says about the object around it; of repeated keys the last counts.
    @inline(__always)
    private func note(_ member: Member, _ kind: JSONScan.Kind, _ range: Range<Int>) {
        guard member != .other, self.depth > 0 else { return }
        switch member {
        case .placeholder:
            let isTrue = kind == .bool && self.bytes[range.lowerBound] == UInt8(ascii: "t")
            self.set(Level.isPlaceholder, isTrue)
        case .number:
            let number: Int? = kind == .number ? JSONNumber.integer(self.bytes, range) : nil
            self.set(Level.hasNumber, number.map { 0 <= $0 && $0 < self.attachments } ?? false)
        case .other: break
        }
    }

    @inline(__always)
    private func noteContainer(_ member: Member) {
        guard member != .other, self.depth > 0 else { return }
        self.set(member == .placeholder ? Level.isPlaceholder : Level.hasNumber, false)
    }

    private func set(_ flag: UInt8, _ isOn: Bool) {
        if isOn { self.levels[self.depth &- 1] |= flag } else { self.levels[self.depth &- 1] &= ~flag }
    }

    // MARK: Scalars

    @inline(__always)
    private mutating func scalar(_ first: UInt8) throws(JSONScan.Failure) -> JSONScan.Element {
        switch first {
        case Byte.quote: return try self.string()
        case Byte.minus, 0x30...0x39: return JSONScan.Element(kind: .number, range: try self.number())
        case UInt8(ascii: "t"): return JSONScan.Element(kind: .bool, range: try self.word("true"))
        case UInt8(ascii: "f"): return JSONScan.Element(kind: .bool, range: try self.word("false"))
        case UInt8(ascii: "n"): return JSONScan.Element(kind: .null, range: try self.word("null"))
        default: throw .malformed
        }
    }

    private mutating func word(_ word: StaticString) throws(JSONScan.Failure) -> Range<Int> {
        let start = self.index
        let end = start &+ word.utf8CodeUnitCount
        guard end <= self.bytes.count, ByteSearch.equals(self.bytes, start..<end, word) else { throw .malformed }
        self.index = end
        return start..<end
    }

    @inline(__always)
    private mutating func string() throws(JSONScan.Failure) -> JSONScan.Element {
        let start = self.index &+ 1
        var position = start
        var isEscaped = false
        while true {
            position = ByteSearch.special(in: self.bytes, from: position, to: self.bytes.count)
            guard position < self.bytes.count else { throw .malformed }
            let byte = self.bytes[position]
            if byte == Byte.quote {
                self.index = position &+ 1
                return JSONScan.Element(kind: .string, range: start..<position, isEscaped: isEscaped)
            }
            guard byte == Byte.backslash, position &+ 1 < self.bytes.count else { throw .malformed }
            isEscaped = true
            switch self.bytes[position &+ 1] {
            case Byte.quote, Byte.backslash, UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
                UInt8(ascii: "r"), UInt8(ascii: "t"):
                position &+= 2
            case UInt8(ascii: "u"):
                guard JSONString.hexadecimal(self.bytes, at: position &+ 2) != nil else { throw .malformed }
                position &+= 6
            default: throw .malformed
            }
        }
    }

    private mutating func number() throws(JSONScan.Failure) -> Range<Int> {
        let start = self.index
        if self.bytes[self.index] == Byte.minus { self.index &+= 1 }
        guard self.index < self.bytes.count else { throw .malformed }
        if self.bytes[self.index] == Byte.zero { self.index &+= 1 } else { try self.digits() }
        if self.index < self.bytes.count, self.bytes[self.index] == Byte.point {
            self.index &+= 1
            try self.digits()
        }
        if self.index < self.bytes.count, self.bytes[self.index] | 0x20 == Byte.lowerE {
            self.index &+= 1
            if self.index < self.bytes.count,
                self.bytes[self.index] == Byte.plus || self.bytes[self.index] == Byte.minus
            {
                self.index &+= 1
            }
            try self.digits()
        }
        return start..<self.index
    }

    /// At least one digit.
    @inline(__always)
    private mutating func digits() throws(JSONScan.Failure) {
        let start = self.index
        while self.index < self.bytes.count, Byte.isDigit(self.bytes[self.index]) { self.index &+= 1 }
        if self.index == start { throw .malformed }
    }
}
