/// One line that is being typed: takes the bytes of a terminal and says what comes of them. It knows no terminal.
struct LineEditor {
    enum Event: Equatable {
        /// Return was pressed; the editor is empty again.
        case line(String)
        /// Control-C: the line is given up.
        case abandoned
        /// Control-C or Control-D in an empty line.
        case leave
        case clearScreen
        case suspend
    }

    /// More is not taken, in bytes of UTF-8.
    static let maxBytes = 1 << 20

    /// What stands before the cursor, and behind it.
    private(set) var before = ""
    private(set) var after = ""
    private var decoder = KeyDecoder()
    private var history = LineHistory()
    private var killed = ""

    var text: String { self.before + self.after }
    var isEmpty: Bool { self.before.isEmpty && self.after.isEmpty }

    mutating func feed(_ bytes: some Sequence<UInt8>) -> [Event] {
        var keys: [Key] = []
        for byte in bytes { self.decoder.feed(byte, into: &keys) }
        return keys.compactMap { self.press($0) }
    }

    private mutating func press(_ key: Key) -> Event? {
        switch key {
        case .character(let scalar): self.insert(scalar)
        case .enter:
            let line = self.text
            self.history.append(line)
            self.show("")
            return .line(line)
        case .interrupt:
            if self.isEmpty { return .leave }
            self.show("")
            return .abandoned
        case .endOfInput:
            if self.isEmpty { return .leave }
            if !self.after.isEmpty { self.after.removeFirst() }
        case .suspend: return .suspend
        case .clearScreen: return .clearScreen
        case .backspace: if !self.before.isEmpty { self.before.removeLast() }
        case .delete: if !self.after.isEmpty { self.after.removeFirst() }
        case .left: if let last = self.before.popLast() { self.after.insert(last, at: self.after.startIndex) }
        case .right: if !self.after.isEmpty { self.before.append(self.after.removeFirst()) }
        case .home: self.move(to: self.before.startIndex)
        case .end:
            self.before += self.after
            self.after = ""
        case .wordLeft: self.move(to: self.wordStart)
        case .wordRight:
            let end = self.wordEnd
            self.before += self.after[..<end]
            self.after.removeSubrange(..<end)
        case .killToEnd: self.kill(after: self.after.endIndex)
        case .killToStart: self.kill(before: self.before.startIndex)
        case .killWordBefore: self.kill(before: self.wordStart)
        case .killWordAfter: self.kill(after: self.wordEnd)
        case .yank: for scalar in self.killed.unicodeScalars { self.insert(scalar) }
        case .up: if let line = self.history.older(than: self.text) { self.show(line) }
        case .down: if let line = self.history.newer() { self.show(line) }
        }
        return nil
    }

    private mutating func insert(_ scalar: Unicode.Scalar) {
        guard self.before.utf8.count + self.after.utf8.count + 4 <= Self.maxBytes else { return }
        // Combining marks and joined emoji become one with what stands before them.
        self.before.unicodeScalars.append(scalar)
    }

    private mutating func show(_ line: String) {
        self.before = line
        self.after = ""
    }

    private mutating func move(to index: String.Index) {
        self.after = self.before[index...] + self.after
        self.before.removeSubrange(index...)
    }

    private mutating func kill(before start: String.Index) {
        if start == self.before.endIndex { return }
        self.killed = String(self.before[start...])
        self.before.removeSubrange(start...)
    }

    private mutating func kill(after end: String.Index) {
        if end == self.after.startIndex { return }
        self.killed = String(self.after[..<end])
        self.after.removeSubrange(..<end)
    }

    /// Words are what stands between spaces.
    private var wordStart: String.Index {
        var index = self.before.endIndex
        func character(_ index: String.Index) -> Character { self.before[self.before.index(before: index)] }
        while index > self.before.startIndex, character(index).isWhitespace { index = self.before.index(before: index) }
        while index > self.before.startIndex, !character(index).isWhitespace {
            index = self.before.index(before: index)
        }
        return index
    }

    private var wordEnd: String.Index {
        var index = self.after.startIndex
        while index < self.after.endIndex, self.after[index].isWhitespace { index = self.after.index(after: index) }
        while index < self.after.endIndex, !self.after[index].isWhitespace { index = self.after.index(after: index) }
        return index
    }
}
