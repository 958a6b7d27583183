/// The patterns of Redis: `*`, `?`, `[a-z]`, `[^a]` and `\` before any of them.
enum Glob {
    static func matches(_ pattern: String, _ text: String) -> Bool {
        Self.matches(Array(pattern.utf8)[...], Array(text.utf8)[...])
    }

    private static func matches(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        var pattern = pattern
        var text = text
        while let first = pattern.first {
            switch first {
            case UInt8(ascii: "*"):
                let rest = pattern.drop { $0 == UInt8(ascii: "*") }
                if rest.isEmpty { return true }
                return (text.startIndex...text.endIndex).contains { Self.matches(rest, text[$0...]) }
            case UInt8(ascii: "?"):
                guard text.popFirst() != nil else { return false }
                pattern.removeFirst()
            case UInt8(ascii: "["):
                guard let byte = text.popFirst() else { return false }
                pattern.removeFirst()
                guard Self.takeSet(&pattern, byte) else { return false }
            default:
                if first == UInt8(ascii: "\\"), pattern.count > 1 { pattern.removeFirst() }
                guard text.popFirst() == pattern.popFirst() else { return false }
            }
        }
        return text.isEmpty
    }

    /// Takes a set off the front, behind its bracket; whether the byte is in it.
    private static func takeSet(_ pattern: inout ArraySlice<UInt8>, _ byte: UInt8) -> Bool {
        let isInverted = pattern.first == UInt8(ascii: "^")
        if isInverted { pattern.removeFirst() }
        var isMember = false
        while var first = pattern.popFirst(), first != UInt8(ascii: "]") {
            if first == UInt8(ascii: "\\"), let escaped = pattern.popFirst() { first = escaped }
            if pattern.count >= 2, pattern.first == UInt8(ascii: "-") {
                pattern.removeFirst()
                guard let last = pattern.popFirst() else { break }
                isMember = isMember || (min(first, last)...max(first, last)).contains(byte)
            } else {
                isMember = isMember || first == byte
            }
        }
        return isMember != isInverted
    }
}
