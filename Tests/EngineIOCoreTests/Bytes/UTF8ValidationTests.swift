import NIOCore
import Testing

@testable import EngineIOCore

/// Against the standard library's validation.
@Suite struct UTF8ValidationTests {
    static func agrees(_ bytes: [UInt8]) -> Bool {
        UTF8Validation.isValid(ByteBuffer(bytes: bytes)) == (String(validating: bytes, as: UTF8.self) != nil)
    }

    @Test func everyPairOfBytes() {
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max where !Self.agrees([first, second]) {
                Issue.record("\(first) \(second)")
            }
        }
    }

    @Test func edgesOfLongSequences() {
        let edges: [UInt8] = [0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xE0, 0xF0, 0xFF]
        for lead in (0xC0 as UInt8)...0xFF {
            for second in edges {
                for third in edges {
                    if !Self.agrees([lead, second, third]) { Issue.record("\(lead) \(second) \(third)") }
                    for fourth in edges where !Self.agrees([lead, second, third, fourth]) {
                        Issue.record("\(lead) \(second) \(third) \(fourth)")
                    }
                }
            }
        }
    }

    @Test func badByteAtEveryOffset() {
        for count in 0...80 {
            let ascii = [UInt8](repeating: 0x61, count: count)
            #expect(UTF8Validation.isValid(ByteBuffer(bytes: ascii)))
            for offset in 0..<count {
                var bytes = ascii
                bytes[offset] = 0x80
                if UTF8Validation.isValid(ByteBuffer(bytes: bytes)) { Issue.record("\(count) \(offset)") }
                let euro = Array(ascii[..<offset]) + [0xE2, 0x82, 0xAC] + Array(ascii[offset...])
                if !UTF8Validation.isValid(ByteBuffer(bytes: euro)) { Issue.record("\(count) \(offset), euro") }
            }
        }
    }

    @Test func mutatedText() {
        var generator = SeededGenerator(state: 1)
        let text = Array(
            "plain, h\u{E9}, \u{20AC}\u{20AC}, \u{1F600}\u{10FFFF}, \u{4E2D}\u{6587}\u{5B57} and more".utf8)
        #expect(UTF8Validation.isValid(ByteBuffer(bytes: text)))
        for _ in 0..<20_000 {
            var bytes = text
            for _ in 0..<Int.random(in: 1...2, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            if !Self.agrees(bytes) { Issue.record("\(bytes)") }
        }
    }
}
