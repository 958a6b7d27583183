import Testing

@testable import socketio

/// The line editor of `socketio connect`.
@Suite struct ConnectEditorTests {
    private static let up = "\u{1B}[A"
    private static let down = "\u{1B}[B"
    private static let left = "\u{1B}[D"
    private static let right = "\u{1B}[C"

    /// The line with `|` for the cursor, after these keys.
    private func line(_ keys: String...) -> String {
        var editor = LineEditor()
        for part in keys { _ = editor.feed(part.utf8) }
        return editor.before + "|" + editor.after
    }

    @Test func typingAndMoving() {
        #expect(self.line("hello") == "hello|")
        #expect(self.line("hello", Self.left, Self.left, "X") == "helX|lo")
        #expect(self.line("hello", "\u{01}", "X") == "X|hello")
        #expect(self.line("hello", "\u{01}", Self.right, "X", "\u{05}", "Y") == "hXelloY|")
        #expect(self.line("hello", "\u{1B}[H", "\u{1B}[3~") == "|ello")
        #expect(self.line("hello", "\u{1B}OH", "\u{04}", "\u{1B}OF") == "ello|")
        #expect(self.line("hello", "\u{7F}\u{08}") == "hel|")
        #expect(self.line(Self.left, Self.right, "\u{7F}", "\u{1B}[3~", "\u{17}\u{15}\u{0B}\u{19}") == "|")
        #expect(self.line("one two  three", "\u{1B}[1;5D", "\u{1B}b") == "one |two  three")
        #expect(self.line("one two", "\u{01}", "\u{1B}f", "\u{1B}[1;3C", "!") == "one two!|")
        #expect(self.line("a\tb") == "a b|")
        #expect(self.line("a\u{02}b\u{06}c") == "bac|")
    }

    @Test func cuttingAndPasting() {
        #expect(self.line("one two three", "\u{17}") == "one two |")
        #expect(self.line("one two ", "\u{17}", "\u{19}\u{19}") == "one two two |")
        #expect(self.line("one two", "\u{1B}b", "\u{15}", "\u{05}", " ", "\u{19}") == "two one |")
        #expect(self.line("one two", "\u{01}", "\u{0B}", "x", "\u{19}") == "xone two|")
        #expect(self.line("one two", "\u{01}", "\u{1B}d") == "| two")
        #expect(self.line("one two", "\u{1B}\u{7F}") == "one |")
    }

    @Test func charactersOfSeveralBytes() {
        #expect(self.line("größe", Self.left, Self.left, "\u{7F}") == "gr|ße")
        // Byte by byte, a family of joined people is one character, and so is a letter with a combining mark.
        var editor = LineEditor()
        for byte in "👨‍👩‍👧e\u{301}".utf8 { #expect(editor.feed([byte]) == []) }
        #expect(editor.before.count == 2)
        _ = editor.feed(Self.left.utf8)
        #expect(editor.before == "👨‍👩‍👧")
        _ = editor.feed([0x7F])
        #expect(editor.text == "e\u{301}")
        // What is no UTF-8, and controls of C1.
        editor = LineEditor()
        _ = editor.feed([0xFF, 0xC3, 0x41, 0xE2, 0x82, 0x42, 0xC2, 0x9B, 0x43])
        #expect(editor.text == "\u{FFFD}\u{FFFD}A\u{FFFD}BC")
    }

    @Test func linesComeOutWhole() {
        var editor = LineEditor()
        #expect(editor.feed("one\rtwo\r\nthree\n\rfo".utf8) == [.line("one"), .line("two"), .line("three"), .line("")])
        #expect(editor.text == "fo")
        #expect(editor.feed("ur\r".utf8) == [.line("four")])
        #expect(editor.isEmpty)
    }

    @Test func endsAndSignals() {
        var editor = LineEditor()
        #expect(editor.feed("abc\u{03}".utf8) == [.abandoned])
        #expect(editor.isEmpty)
        #expect(editor.feed("\u{03}".utf8) == [.leave])
        #expect(editor.feed("\u{04}".utf8) == [.leave])
        #expect(editor.feed("ab\u{04}".utf8) == [])
        #expect(editor.feed("\u{0C}\u{1A}".utf8) == [.clearScreen, .suspend])
        #expect(editor.text == "ab")
    }

    @Test func history() {
        var editor = LineEditor()
        func press(_ keys: String) -> String {
            _ = editor.feed(keys.utf8)
            return editor.text
        }
        #expect(press(Self.up) == "")
        _ = press("one\rtwo\rtwo\r  \r")
        _ = press("draft")
        #expect(press(Self.up) == "two")
        #expect(press(Self.up) == "one")
        #expect(press(Self.up) == "one")
        #expect(press("!") == "one!")
        #expect(press(Self.down) == "two")
        #expect(press("\u{0E}") == "draft")
        #expect(press(Self.down) == "draft")
        // What is sent from the history is its newest line.
        #expect(press(Self.up + Self.up + "\r") == "")
        #expect(press("\u{10}") == "one")
        for number in 0..<(LineHistory.maxLines + 10) { _ = press("\(number)\r") }
        var oldest = ""
        for _ in 0..<(LineHistory.maxLines + 10) { oldest = press(Self.up) }
        #expect(oldest == "10")
    }

    @Test func unknownSequencesAreNoText() {
        #expect(self.line("a\u{1B}[200~b\u{1B}[201~\u{1B}[5~\u{1B}[15;2~\u{1B}Qc\u{1B}[?1;2cd") == "abcd|")
        // Pieces of sequences, one in another.
        #expect(self.line("\u{1B}", "[", "1", ";", "5", "D", "x\u{1B}[\u{1B}[Dy") == "y|x")
        #expect(self.line("\u{1B}[" + String(repeating: "1", count: 100) + "x").hasSuffix("x|"))
    }

    @Test func anyBytes() {
        var generator = SplitMix(seed: 3)
        for _ in 0..<300 {
            var editor = LineEditor()
            let bytes = (0..<300).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let other = (0..<300).map { _ in UInt8.random(in: 0x1B...0x5F, using: &generator) }
            _ = editor.feed(bytes + other)
            #expect(editor.text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
            let drawn = PromptView.draw(prompt: "> ", editor, columns: 40)
            #expect(drawn.hasPrefix("\r\u{1B}[K> "))
        }
    }

    @Test func aLineIsBounded() {
        var editor = LineEditor()
        let paste = [UInt8](repeating: UInt8(ascii: "x"), count: LineEditor.maxBytes + 100)
        #expect(editor.feed(paste) == [])
        #expect(editor.text.utf8.count <= LineEditor.maxBytes)
        #expect(editor.text.utf8.count > LineEditor.maxBytes - 10)
    }

    // MARK: The view

    private func draw(_ keys: String..., columns: Int) -> (text: String, column: Int) {
        var editor = LineEditor()
        for part in keys { _ = editor.feed(part.utf8) }
        let drawn = PromptView.draw(prompt: "> ", editor, columns: columns)
        let parts = drawn.dropFirst(PromptView.erase.count - 1).split(separator: "\r\u{1B}[")
        let text = drawn.replacing(PromptView.erase, with: "").split(separator: "\r").first.map { String($0) } ?? ""
        return (text, Int(parts.last?.dropLast() ?? "") ?? -1)
    }

    @Test func shortLinesAreShownWhole() {
        #expect(self.draw("hello", columns: 80) == ("> hello", 7))
        #expect(self.draw("hello", Self.left, Self.left, columns: 80) == ("> hello", 5))
        #expect(self.draw("", columns: 80) == ("> ", 2))
        #expect(self.draw("日本", columns: 80) == ("> 日本", 6))
        #expect(self.draw("e\u{301}👍🏽", columns: 80) == ("> e\u{301}👍🏽", 5))
    }

    @Test(arguments: [1, 10, 20, 33, 80]) func longLinesFitAndShowTheCursor(columns: Int) {
        let text = (0..<200).map { $0 % 7 == 0 ? "日" : "\($0 % 10)" }.joined()
        for back in [0, 1, 5, 50, 195, 200] {
            let (shown, column) = self.draw(text, String(repeating: Self.left, count: back), columns: columns)
            // A terminal too narrow for anything gets ten columns.
            let limit = max(columns, 13)
            #expect(TextWidth.of(shown) < limit, "\(shown)")
            #expect(column >= 2 && column <= TextWidth.of(shown), "\(column) in \(shown)")
        }
    }
}
