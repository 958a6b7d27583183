import NIOCore
import Testing

@testable import EngineIOCore

/// RFC 6455, rule by rule: what is refused, and with which status.
@Suite struct WebSocketRulesTests {
    struct Violation: Sendable, CustomTestStringConvertible {
        let name: String
        let hex: String
        let error: WebSocketError
        let code: UInt16
        var testDescription: String { self.name }

        init(_ name: String, _ hex: String, _ error: WebSocketError, _ code: UInt16 = 1002) {
            self.name = name
            self.hex = hex
            self.error = error
            self.code = code
        }
    }

    static let violations: [Violation] = [
        .init("RSV1", "C1 80 00000000", .reservedBits),
        .init("RSV2", "A1 80 00000000", .reservedBits),
        .init("RSV3", "91 80 00000000", .reservedBits),
        .init("RSV on a control frame", "C9 80 00000000", .reservedBits),
        .init("opcode 3", "83 80 00000000", .unknownOpcode),
        .init("opcode 7", "87 80 00000000", .unknownOpcode),
        .init("opcode 11", "8B 80 00000000", .unknownOpcode),
        .init("opcode 15", "8F 80 00000000", .unknownOpcode),
        .init("not masked", "81 01 34", .maskMissing),
        .init("not masked, control", "89 00", .maskMissing),
        .init("fragmented ping", "09 80 00000000", .fragmentedControlFrame),
        .init("fragmented close", "08 80 00000000", .fragmentedControlFrame),
        .init("ping of 126 bytes", "89 FE 007E 00000000", .controlFrameTooLong),
        .init("close with 64-bit length", "88 FF 0000000000000001 00000000", .controlFrameTooLong),
        .init("16-bit length for 125", "82 FE 007D 00000000", .lengthNotMinimal),
        .init("64-bit length for 65535", "82 FF 000000000000FFFF 00000000", .lengthNotMinimal),
        .init("64-bit length with high bit", "82 FF 8000000000000000 00000000", .lengthHighBit),
        .init("64-bit length of all ones", "82 FF FFFFFFFFFFFFFFFF 00000000", .lengthHighBit),
        .init("largest length", "82 FF 7FFFFFFFFFFFFFFF 00000000", .messageTooBig, 1009),
        .init("continuation first", "80 80 00000000", .unexpectedContinuation),
        .init("continuation after a message", "81 81 00000000 34 80 80 00000000", .unexpectedContinuation),
        .init("text inside a message", "01 81 00000000 34 81 80 00000000", .expectedContinuation),
        .init("binary inside a message", "01 81 00000000 34 02 80 00000000", .expectedContinuation),
        .init("close of 1 byte", "88 81 00000000 03", .closePayloadTooShort),
        .init("close reason not UTF-8", "88 83 00000000 03E8 FF", .invalidUTF8, 1007),
        .init("text not UTF-8", "81 81 00000000 FF", .invalidUTF8, 1007),
        .init("text with a surrogate", "81 83 00000000 EDA080", .invalidUTF8, 1007),
        .init("text cut inside a character", "81 82 00000000 E282", .invalidUTF8, 1007),
        .init("fragments not UTF-8", "01 81 00000000 E2 80 81 00000000 28", .invalidUTF8, 1007),
    ]

    @Test(arguments: violations)
    func refused(_ violation: Violation) {
        let bytes = ByteBuffer(hex: violation.hex)
        #expect(violation.error.closeCode == violation.code)
        #expect(decode(bytes).error == violation.error)
        #expect(decode(bytes, ownership: .shared).error == violation.error)
        #expect(decode(bytes.cut(at: Array(1..<bytes.readableBytes))).error == violation.error)
    }

    @Test func everyErrorHasAStatusAndAText() {
        for error in WebSocketError.allCases {
            #expect([1002, 1007, 1009].contains(error.closeCode))
            #expect(!error.message.isEmpty)
        }
        #expect(Set(WebSocketError.allCases.map(\.message)).count == WebSocketError.allCases.count)
    }

    @Test func maskOfAServerIsRefused() {
        let decoder = WebSocketDecoder(maxMessageBytes: 100, expectsMask: false)
        #expect(decode([ByteBuffer(hex: "81 81 00000000 34")], with: decoder).error == .maskForbidden)
    }

    @Test func closeCodes() {
        let valid = Set([1000, 1001, 1002, 1003] + Array(1007...1014) + Array(3000...4999))
        for code in Array(0...1100) + [2000, 2999, 3000, 3999, 4000, 4999, 5000, 65_535] {
            var frames = FrameBuilder()
            frames.add(0x8, [UInt8(code >> 8), UInt8(code & 0xFF)])
            let result = decode(frames.buffer)
            if valid.contains(code) {
                #expect(result == DecodeResult(messages: [.close(code: UInt16(code), reason: ByteBuffer())]))
            } else {
                #expect(result == DecodeResult(error: .invalidCloseCode), "code \(code)")
            }
        }
    }

    @Test func utf8SplitOverFragments() {
        let text = Array("4\u{E9}\u{20AC}\u{1F600}".utf8)
        for first in 0...text.count {
            for second in first...text.count {
                var frames = FrameBuilder()
                frames.add(0x1, Array(text[..<first]), isFinal: false)
                frames.add(0x0, Array(text[first..<second]), isFinal: false)
                frames.add(0x0, Array(text[second...]))
                #expect(decode(frames.buffer).messages == [.text(ByteBuffer(bytes: text))])
            }
        }
    }

    @Test func messagesBeforeAViolationCount() {
        var frames = FrameBuilder()
        frames.add(0x1, "4a")
        frames.add(0x9, "p")
        frames.add(0x1, [0xFF])
        frames.add(0x1, "4b")
        frames.add(0x3, "")
        let expected = DecodeResult(
            messages: [.text(ByteBuffer(string: "4a")), .ping(ByteBuffer(string: "p"))],
            error: .invalidUTF8
        )
        for ownership in Ownership.allCases { #expect(decode(frames.buffer, ownership: ownership) == expected) }
    }

    @Test func nothingBehindACloseFrame() throws {
        var frames = FrameBuilder()
        frames.add(0x8, [])
        frames.add(0x3, "not looked at")
        var decoder = WebSocketDecoder(maxMessageBytes: 100)
        var messages: [WebSocketMessage] = []
        try decoder.decode(frames.buffer, into: &messages)
        #expect(decoder.isFinished)
        try decoder.decode(frames.buffer, into: &messages)
        #expect(messages == [.close(code: nil, reason: ByteBuffer())])
    }

    @Test func nothingBehindAnError() throws {
        var frames = FrameBuilder()
        frames.add(0x1, "4a")
        var decoder = WebSocketDecoder(maxMessageBytes: 100)
        var messages: [WebSocketMessage] = []
        #expect(throws: WebSocketError.unknownOpcode) {
            try decoder.decode(ByteBuffer(hex: "83 80 00000000"), into: &messages)
        }
        try decoder.decode(frames.buffer, into: &messages)
        #expect(messages.isEmpty)
    }

    @Test func messageSizeIsCheckedAtTheHeader() {
        let decoder = WebSocketDecoder(maxMessageBytes: 130)
        #expect(decode([ByteBuffer(hex: "82 FE 0083 00000000")], with: decoder).error == .messageTooBig)
        #expect(decode([ByteBuffer(hex: "82 FE 0082 00000000")], with: decoder) == DecodeResult())
        // Bytes of earlier fragments count.
        let fragments = "02 82 00000000 0102 80 FE 0080 00000000"
        #expect(decode([ByteBuffer(hex: fragments)], with: decoder) == DecodeResult())
        let tooMany = "02 83 00000000 010203 80 FE 0080 00000000"
        #expect(decode([ByteBuffer(hex: tooMany)], with: decoder).error == .messageTooBig)
        // And the next message starts from zero.
        let twice = String(
            repeating: "02 82 00000000 0102 80 FE 0080 00000000 " + String(repeating: "07", count: 128), count: 2)
        #expect(decode([ByteBuffer(hex: twice)], with: decoder).messages.count == 2)
    }

    @Test(arguments: [0, 1])
    func limitIsInclusive(excess: Int) {
        var frames = FrameBuilder()
        frames.add(0x1, String(repeating: "x", count: 100 + excess))
        let result = decode([frames.buffer], with: WebSocketDecoder(maxMessageBytes: 100))
        #expect(result.messages.count == 1 - excess)
        #expect(result.error == (excess == 0 ? nil : .messageTooBig))
    }

    @Test func fragmentsAreCounted() {
        func stream(_ fragments: Int) -> ByteBuffer {
            var frames = FrameBuilder()
            frames.add(0x2, [], isFinal: false)
            for _ in 1..<(fragments - 1) {
                frames.add(0x0, [], isFinal: false)
                frames.add(0x9, [])
            }
            frames.add(0x0, [1])
            return frames.buffer
        }
        let decoder = WebSocketDecoder(maxMessageBytes: 100, maxFragments: 8)
        #expect(decode([stream(8)], with: decoder).messages.last == .binary(ByteBuffer(bytes: [1])))
        #expect(decode([stream(9)], with: decoder).error == .tooManyFragments)
        #expect(decode([stream(1024)]).error == nil)
        #expect(decode([stream(1025)]).error == .tooManyFragments)
        #expect(WebSocketError.tooManyFragments.closeCode == 1009)
    }
}
