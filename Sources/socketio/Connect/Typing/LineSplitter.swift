/// Cuts what is read from a pipe into lines.
struct LineSplitter {
    /// A longer line is cut.
    static let maxBytes = 16 << 20

    private var partial: [UInt8] = []

    mutating func feed(_ bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == 0x0A {
                lines += self.end()
            } else if self.partial.count < Self.maxBytes {
                self.partial.append(byte)
            }
        }
        return lines
    }

    /// The last line, if it has no end.
    mutating func end() -> [String] {
        defer { self.partial = [] }
        return self.partial.isEmpty ? [] : [String(decoding: self.partial, as: UTF8.self)]
    }
}
