/// The lines of this session, to be had again with the cursor keys.
struct LineHistory {
    static let maxLines = 500

    private var lines: [String] = []
    /// Which one is shown; `lines.count` for the one that is being written.
    private var position = 0
    /// What was being written when the first was asked for.
    private var draft = ""

    mutating func append(_ line: String) {
        let isBlank = line.allSatisfy(\.isWhitespace)
        if !isBlank, line != self.lines.last { self.lines.append(line) }
        if self.lines.count > Self.maxLines { self.lines.removeFirst() }
        self.position = self.lines.count
        self.draft = ""
    }

    /// The line before; nil if there is none.
    mutating func older(than current: String) -> String? {
        guard self.position > 0 else { return nil }
        if self.position == self.lines.count { self.draft = current }
        self.position -= 1
        return self.lines[self.position]
    }

    /// The line after, at last the one that was being written; nil if that is shown.
    mutating func newer() -> String? {
        guard self.position < self.lines.count else { return nil }
        self.position += 1
        return self.position == self.lines.count ? self.draft : self.lines[self.position]
    }
}
