import NIOCore
import Testing

@testable import EngineIOCore

@Suite struct Version3FuzzTests {
    private static func text(_ generator: inout SeededGenerator) -> String {
        let pieces = [
            "a", "4", ":", "b", "\u{E9}", "\u{20AC}", "\u{1F600}", "\u{1E}", "\u{0}", "\\n", "\u{2028}", "12:",
        ]
        return (0..<Int.random(in: 0...12, using: &generator))
            .map { _ in pieces[Int.random(in: 0..<pieces.count, using: &generator)] }.joined()
    }

    private static func packet(_ generator: inout SeededGenerator) -> EngineIOPacket {
        switch Int.random(in: 0...5, using: &generator) {
        case 0: return .noop
        case 1: return .ping(ByteBuffer())
        case 2:
            let bytes = (0..<Int.random(in: 0...20, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            return .binary(ByteBuffer(bytes: bytes))
        default: return .message(ByteBuffer(string: Self.text(&generator)))
        }
    }

    @Test func whatIsEncodedIsDecoded() {
        var generator = SeededGenerator(state: 3)
        for round in 0..<3000 {
            let packets = (0..<Int.random(in: 1...6, using: &generator)).map { _ in Self.packet(&generator) }
            let (body, isBinary) = Version3Encoder.payload(
                packets.map { $0.makeFrame() }, usesBase64: round % 2 == 0)
            let (decoded, error) = Version3PayloadTests.packets(of: body, isBinary: isBinary)
            #expect(decoded == packets)
            #expect(error == nil)
        }
    }

    /// The same rules in the plainest way: by strings of UTF-16.
    private static func plainly(_ body: [UInt8]) -> (packets: [EngineIOPacket], isComplete: Bool) {
        var packets: [EngineIOPacket] = []
        guard let whole = String(validating: body, as: UTF8.self) else { return ([], false) }
        var rest = Array(whole.utf16)[...]
        if rest.isEmpty { return ([], false) }
        while !rest.isEmpty {
            guard let colon = rest.prefix(11).firstIndex(of: 0x3A) else { return (packets, false) }
            let digits = String(decoding: rest[..<colon], as: UTF16.self)
            guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(digits)
            else { return (packets, false) }
            rest = rest[(colon + 1)...]
            if length == 0 { continue }
            guard rest.count >= length else { return (packets, false) }
            let units = Array(rest.prefix(length))
            rest = rest.dropFirst(length)
            let text = String(decoding: units, as: UTF16.self)
            guard Array(text.utf16) == units,
                let packet = try? EngineIOPacket.decodeVersion3(text: ByteBuffer(string: text))
            else { return (packets, false) }
            packets.append(packet)
        }
        return (packets, true)
    }

    @Test func mutatedTextPayloads() {
        var generator = SeededGenerator(state: 5)
        for _ in 0..<6000 {
            let packets = (0..<Int.random(in: 1...4, using: &generator)).map { _ in Self.packet(&generator) }
            var bytes = Array(
                Version3Encoder.payload(packets.map { $0.makeFrame() }, usesBase64: true).body.readableBytesView)
            for _ in 0..<Int.random(in: 0...3, using: &generator) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0...3, using: &generator) {
                case 0: bytes.remove(at: index)
                case 1: bytes.insert(UInt8.random(in: 0x30...0x3A, using: &generator), at: index)
                case 2: bytes[index] = UInt8.random(in: 0x20...0x7E, using: &generator)
                default: bytes[index] = UInt8.random(in: 0...255, using: &generator)
                }
            }
            let (decoded, error) = Version3PayloadTests.packets(of: ByteBuffer(bytes: bytes), isBinary: false)
            let expected = Self.plainly(bytes)
            if String(validating: bytes, as: UTF8.self) == nil {
                // The packets before the bad bytes count; which these are is not compared.
                #expect(error != nil)
            } else {
                #expect(decoded == expected.packets, "\(bytes)")
                #expect((error == nil) == expected.isComplete, "\(bytes)")
            }
        }
    }

    @Test func mutatedBinaryPayloads() {
        var generator = SeededGenerator(state: 7)
        for _ in 0..<6000 {
            let packets = [.binary(ByteBuffer(bytes: [1]))] + (0..<4).map { _ in Self.packet(&generator) }
            var bytes = Array(
                Version3Encoder.payload(packets.map { $0.makeFrame() }, usesBase64: false).body.readableBytesView)
            for _ in 0..<3 {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            let (decoded, _) = Version3PayloadTests.packets(of: ByteBuffer(bytes: bytes), isBinary: true)
            // Each has a marker, a digit and an end.
            #expect(decoded.count * 4 <= bytes.count)
        }
    }

    @Test func noise() {
        var generator = SeededGenerator(state: 9)
        for _ in 0..<5000 {
            let bytes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            for isBinary in [false, true] {
                let (decoded, _) = Version3PayloadTests.packets(of: ByteBuffer(bytes: bytes), isBinary: isBinary)
                #expect(decoded.count <= bytes.count)
            }
            let form = JSONP.payload(ofForm: ByteBuffer(bytes: Array("d=".utf8) + bytes))
            #expect((form?.readableBytes ?? 0) <= bytes.count)
        }
    }
}
