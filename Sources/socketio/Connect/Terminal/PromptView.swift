/// Draws a prompt and the line behind it on one row of a terminal; of a long line what is around the cursor.
enum PromptView {
    /// Returns to the first column and clears the row.
    static let erase = "\r\u{1B}[K"

    static func draw(prompt: String, _ editor: LineEditor, columns: Int) -> String {
        var before = Array(editor.before)
        var after = Array(editor.after)
        // In the last column the cursor would wrap on some terminals.
        let room = max(10, columns - TextWidth.of(prompt) - 1)
        var width = TextWidth.of(before)
        if width >= room {
            // Where the cursor is at the end, nothing behind it needs space.
            let space = (after.isEmpty ? room : room * 3 / 4) - 1
            var kept = before.count
            var keptWidth = 0
            while kept > 0, keptWidth + TextWidth.of(before[kept - 1]) <= space {
                kept -= 1
                keptWidth += TextWidth.of(before[kept])
            }
            before = ["…"] + before[kept...]
            width = keptWidth + 1
        }
        let space = room - width
        if TextWidth.of(after) > space {
            var shown = 0
            var shownWidth = 0
            while shown < after.count, shownWidth + TextWidth.of(after[shown]) < space {
                shownWidth += TextWidth.of(after[shown])
                shown += 1
            }
            after = after[..<shown] + ["…"]
        }
        let column = TextWidth.of(prompt) + width
        return "\(Self.erase)\(prompt)\(String(before + after))\r\u{1B}[\(column)C"
    }
}
