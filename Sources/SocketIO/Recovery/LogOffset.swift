/// The offsets of the log in memory: 4 characters that tell one log from another, and the number of the packet in 8, in base 64.
/// All have the same length, so that one can take the place of another in a frame.
struct LogOffset: Sendable {
    /// Of the log whose offsets these are.
    let epoch: [UInt8]

    static let length = 13
    private static let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_".utf8)
    private static let values: [UInt8: UInt64] = Dictionary(
        uniqueKeysWithValues: Self.digits.enumerated().map { ($1, UInt64($0)) })

    init(random: UInt64 = .random(in: 0 ... .max)) {
        self.epoch = (0..<4).map { Self.digits[Int(truncatingIfNeeded: (random >> UInt64($0 * 6)) & 0x3F)] }
    }

    /// An offset that is to be replaced.
    static let blank = String(repeating: "0", count: Self.length)

    func text(_ sequence: UInt64) -> [UInt8] {
        var text = self.epoch
        text.reserveCapacity(Self.length)
        text.append(UInt8(ascii: "."))
        var shift: UInt64 = 48
        while shift > 0 {
            shift -= 6
            text.append(Self.digits[Int(truncatingIfNeeded: (sequence >> shift) & 0x3F)])
        }
        return text
    }

    enum Parsed: Equatable, Sendable {
        case sequence(UInt64)
        /// It is of another log: of before a restart, or of another server.
        case foreign
        case invalid
    }

    func parse(_ text: String) -> Parsed {
        let bytes = Array(text.utf8)
        guard bytes.count == Self.length, bytes[4] == UInt8(ascii: ".") else { return .invalid }
        var sequence: UInt64 = 0
        for byte in bytes[5...] {
            guard let value = Self.values[byte] else { return .invalid }
            sequence = sequence << 6 | value
        }
        guard bytes[..<4].allSatisfy({ Self.values[$0] != nil }) else { return .invalid }
        return bytes[..<4].elementsEqual(self.epoch) ? .sequence(sequence) : .foreign
    }
}
