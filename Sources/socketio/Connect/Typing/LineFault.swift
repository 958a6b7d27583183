/// What is wrong with a typed line, and where.
struct LineFault: Error, Equatable {
    /// In bytes of UTF-8 from the beginning of the line.
    let offset: Int
    let message: String

    init(_ offset: Int, _ message: String) {
        self.offset = offset
        self.message = message
    }

    /// The line with a mark below the place and the message; of a long line only what is around the place.
    ///
    /// - Parameter columns: as wide as the line may be shown.
    func pointing(into line: String, columns: Int = 80) -> [String] {
        let bytes = Array(line.utf8)
        let offset = max(0, min(self.offset, bytes.count))
        var before = Array(SafeText.escape(String(decoding: bytes[..<offset], as: UTF8.self)))
        var after = Array(SafeText.escape(String(decoding: bytes[offset...], as: UTF8.self)))
        let room = max(20, columns) - 1
        if TextWidth.of(before) > room / 2 {
            while TextWidth.of(before) >= room / 2 { before.removeFirst(max(1, before.count / 50)) }
            before.insert("…", at: 0)
        }
        after = Array(after.prefix(room))
        while TextWidth.of(before) + TextWidth.of(after) > room, !after.isEmpty { after.removeLast() }
        let margin = String(repeating: " ", count: TextWidth.of(before))
        return [String(before + after), "\(margin)^ \(self.message)"]
    }
}
