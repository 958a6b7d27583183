import Testing

@testable import MessagePack

@Suite struct UTF8CheckTests {
    private static func isValid(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { UTF8Check.isValid($0) } }
    private static func isText(_ bytes: [UInt8]) -> Bool { String(validating: bytes, as: UTF8.self) != nil }

    /// All sequences of up to four bytes that decide something, at both sides of eight bytes of ASCII.
    @Test func agreesWithTheStandardLibrary() {
        let leads: [UInt8] =
            [0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF] + [
                0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
            ]
        let others: [UInt8] = [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF]
        var valid = 0
        for lead in leads {
            var sequences: [[UInt8]] = [[lead]]
            for _ in 0..<4 {
                for sequence in sequences {
                    let expected = Self.isText(sequence)
                    if expected { valid += 1 }
                    if Self.isValid(sequence) != expected { Issue.record("\(sequence)") }
                    let padded = Array("12345678".utf8) + sequence + Array("123456789".utf8)
                    if Self.isValid(padded) != Self.isText(padded) { Issue.record("\(padded)") }
                }
                guard sequences[0].count < 4 else { break }
                sequences = sequences.flatMap { sequence in others.map { sequence + [$0] } }
            }
        }
        #expect(valid > 100)
        #expect(Self.isValid([]))
    }
}
