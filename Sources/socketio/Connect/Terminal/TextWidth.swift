/// How many columns of a terminal text takes.
enum TextWidth {
    static func of(_ text: some Sequence<Character>) -> Int { text.reduce(0) { $0 + Self.of($1) } }

    static func of(_ character: Character) -> Int {
        let scalars = character.unicodeScalars
        guard let first = scalars.first else { return 0 }
        if first.isASCII { return 1 }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        // A variation selector asks for the picture of a character that is also a sign.
        let isWide =
            first.properties.isEmojiPresentation || scalars.contains("\u{FE0F}")
            || Self.wide.contains { $0.contains(first.value) }
        return isWide ? 2 : 1
    }

    /// Scripts of East Asia whose characters are two columns wide (Unicode, UAX #11).
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3,
        0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF,
        0x20000...0x3FFFD,
    ]
}
