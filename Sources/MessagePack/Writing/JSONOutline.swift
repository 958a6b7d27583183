import SocketIOCore

/// What must be known of each array and object in a JSON text before its first element can be written in a format that
/// begins with counts.
struct JSONOutline {
    /// An array or object, in the order in which they open.
    struct Container {
        /// Its elements or members.
        var count: UInt32 = 0
        /// Where it ends in the text.
        var end: UInt32 = 0
        /// The container around it while it is open, the next one that opens behind it afterwards.
        var link: Int32
        /// The last `num`, if it was the number of an attachment, or -1.
        var number: Int32 = -1
        /// The last `_placeholder` was `true`.
        var isPlaceholder = false
    }

    /// Room for all containers of a text, strings with brackets counted as if they were some.
    static func capacity(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int {
        var count = 0
        // Both brackets that open, at once.
        for byte in UnsafeRawBufferPointer(rebasing: bytes[range]) where byte | 0x20 == UInt8(ascii: "{") {
            count &+= 1
        }
        return count
    }

    /// Fills `containers` for the text in `range`, which a ``JSONScan`` has accepted.
    static func fill(
        _ containers: UnsafeMutableBufferPointer<Container>,
        _ bytes: UnsafeRawBufferPointer,
        _ range: Range<Int>,
        attachments: Int
    ) {
        var used = 0
        var open = -1
        var index = range.lowerBound
        let end = min(range.upperBound, bytes.count)
        while index < end {
            let byte = bytes[index]
            index &+= 1
            switch byte {
            case UInt8(ascii: "\""):
                let content = JSONText.string(bytes, from: index, to: end)
                index = content.range.upperBound &+ 1
                // Only of placeholders the keys matter.
                if attachments > 0, open >= 0 {
                    Self.note(&containers[open], bytes, content, end, attachments)
                }
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                guard used < containers.count else { return }
                containers.initializeElement(at: used, to: Container(link: Int32(truncatingIfNeeded: open)))
                let first = JSONText.nonSpace(bytes, from: index, to: end)
                if first < end, bytes[first] | 0x20 != UInt8(ascii: "}") { containers[used].count = 1 }
                open = used
                used &+= 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                guard open >= 0 else { return }
                let around = Int(containers[open].link)
                containers[open].end = UInt32(truncatingIfNeeded: index)
                containers[open].link = Int32(truncatingIfNeeded: used)
                open = around
            case UInt8(ascii: ","):
                if open >= 0 { containers[open].count &+= 1 }
            default: break
            }
        }
    }

    /// Remembers what a string says about the object around it, if it is the key of a member of a placeholder.
    private static func note(
        _ container: inout Container,
        _ bytes: UnsafeRawBufferPointer,
        _ key: (range: Range<Int>, isEscaped: Bool),
        _ end: Int,
        _ attachments: Int
    ) {
        let colon = JSONText.nonSpace(bytes, from: key.range.upperBound &+ 1, to: end)
        guard colon < end, bytes[colon] == UInt8(ascii: ":") else { return }
        let value = JSONText.nonSpace(bytes, from: colon &+ 1, to: end)
        guard value < end else { return }
        if JSONString.equals(bytes, key.range, isEscaped: key.isEscaped, "_placeholder") {
            container.isPlaceholder = bytes[value] == UInt8(ascii: "t")
        } else if JSONString.equals(bytes, key.range, isEscaped: key.isEscaped, "num") {
            var number: Int?
            switch JSONNumber.parse(bytes, value..<JSONText.number(bytes, from: value, to: end)) {
            case .int(let value): number = value
            case .double(let value): number = Int(exactly: value)
            case .large, nil: break
            }
            container.number = number.flatMap { 0 <= $0 && $0 < attachments ? Int32(exactly: $0) : nil } ?? -1
        }
    }
}

/// The ends of tokens in text that a ``JSONScan`` has accepted; other text is survived.
enum JSONText {
    /// The content of the string that begins at `start`, behind its quote.
    static func string(
        _ bytes: UnsafeRawBufferPointer,
        from start: Int,
        to end: Int
    ) -> (range: Range<Int>, isEscaped: Bool) {
        var index = start
        var isEscaped = false
        while true {
            index = ByteSearch.special(in: bytes, from: index, to: end)
            guard index < end, bytes[index] != UInt8(ascii: "\"") else { return (start..<index, isEscaped) }
            if bytes[index] == UInt8(ascii: "\\") {
                isEscaped = true
                index = min(index &+ 2, end)
            } else {
                index &+= 1
            }
        }
    }

    /// Where the number that begins at `start` ends.
    static func number(_ bytes: UnsafeRawBufferPointer, from start: Int, to end: Int) -> Int {
        var index = start
        loop: while index < end {
            switch bytes[index] {
            case 0x30...0x39, UInt8(ascii: "."), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "e"),
                UInt8(ascii: "E"):
                index &+= 1
            default: break loop
            }
        }
        return index
    }

    /// Where white space that begins at `start`, if any, ends.
    @inline(__always)
    static func nonSpace(_ bytes: UnsafeRawBufferPointer, from start: Int, to end: Int) -> Int {
        var index = start
        while index < end, bytes[index] <= 0x20 { index &+= 1 }
        return index
    }
}
