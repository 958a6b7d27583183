import NIOCore
import Testing

@testable import MessagePack
@testable import SocketIOCore

/// Thousands of damaged messages, always the same ones: nothing may crash, and what is accepted is consistent.
@Suite struct FuzzTests {
    @Test func mutations() throws {
        let seeds = try Vectors.samples().map { Array(buffer: $0) }.filter { $0.count < 64 }
        var random = SplitMix64(state: 0x5EED)
        var accepted = 0
        for _ in 0..<40_000 {
            var bytes = seeds.randomElement(using: &random) ?? []
            // Several in an array, so that damage in one moves the others.
            if Bool.random(using: &random) {
                bytes.insert(0x92, at: 0)
                bytes += seeds.randomElement(using: &random) ?? []
            }
            for _ in 0..<Int.random(in: 1...3, using: &random) { Self.mutate(&bytes, seeds, &random) }
            if try Self.check(bytes) { accepted += 1 }
        }
        #expect(accepted > 5000)
    }

    @Test func noise() throws {
        var random = SplitMix64(state: 0xB17E5)
        var accepted = 0
        for _ in 0..<40_000 {
            let count = Int.random(in: 0..<24, using: &random)
            // Half of them from the range of the types that are more than numbers.
            let range: ClosedRange<UInt8> = Bool.random(using: &random) ? 0x80...0xDF : 0x00...0xFF
            if try Self.check((0..<count).map { _ in UInt8.random(in: range, using: &random) }) { accepted += 1 }
        }
        #expect(accepted > 500)
    }

    /// Damaged JSON: what is refused writes nothing, what is accepted gives one whole value.
    @Test func json() throws {
        let seeds = try Vectors.list("cases").compactMap { try Vectors.value($0["value"] ?? .null) }
            .map { Array(try MessagePackTests.json($0).text.utf8) }.filter { $0.count < 64 }
        let interesting = Array("[]{}\",:\\-+.eEu0129/tfn \u{0}_".utf8) + [0x80, 0xC3, 0xED, 0xFF]
        let attachments = [ByteBuffer(bytes: [1])]
        var random = SplitMix64(state: 0x1502)
        var accepted = 0
        for _ in 0..<40_000 {
            var text = Array("[".utf8) + (seeds.randomElement(using: &random) ?? []) + Array(",".utf8)
            text += (seeds.randomElement(using: &random) ?? []) + Array("]".utf8)
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                let position = Int.random(in: 0..<text.count, using: &random)
                text[position] = interesting.randomElement(using: &random) ?? 0
            }
            var writer = MessagePackWriter(.msgpackJS)
            if let failure = code({ try writer.writeJSON(ByteBuffer(bytes: text), attachments: attachments) }) {
                if failure != .malformedJSON || writer.buffer.readableBytes > 0 { Issue.record("\(text)") }
                continue
            }
            accepted += 1
            var reader = ArgumentReader(value: ByteBuffer(bytes: text), attachments: attachments)
            let value = try reader.nextValue()
            // The writer takes the first placeholder for the attachment, the reader each.
            let places = String(decoding: text, as: UTF8.self).ranges(of: "_placeholder").count
            if try places < 2 && !isSame(try decode(writer.buffer), value) { Issue.record("\(text)") }
        }
        #expect(accepted > 10_000)
    }

    /// Reads `bytes` in all ways, which must agree; true if they are accepted.
    private static func check(_ bytes: [UInt8]) throws -> Bool {
        let buffer = ByteBuffer(bytes: bytes)
        let value = Result { try decode(buffer) }
        let text = Result { try transcode(buffer) }
        var reader = MessagePackReader(buffer)
        let skipped = Result { try reader.skip() }
        switch (value, text) {
        case (.success(let value), .success(let text)):
            if case .failure = skipped { Issue.record("not skipped: \(hex(buffer))") }
            let expected = try MessagePackTests.json(value)
            // Repeated keys are all in the text.
            if text.text != expected.text {
                var again = ArgumentReader(value: ByteBuffer(string: text.text), attachments: text.attachments)
                let reread = try again.nextValue()
                if try MessagePackTests.json(reread).text != expected.text { Issue.record("differs: \(hex(buffer))") }
            }
            // And what was read can be written.
            for dialect in [MessagePackDialect.notepack3, .msgpackJS] {
                _ = try decode(try encode(value, dialect))
            }
            return true
        case (.failure(let left), .failure(let right)):
            if left as? MessagePackError != right as? MessagePackError || !(left is MessagePackError) {
                Issue.record("\(left) or \(right): \(hex(buffer))")
            }
            return false
        default:
            Issue.record("disagreement: \(hex(buffer))")
            return false
        }
    }

    static func mutate(_ bytes: inout [UInt8], _ seeds: [[UInt8]], _ random: inout SplitMix64) {
        let position = Int.random(in: 0...bytes.count, using: &random)
        let byte = UInt8.random(in: 0...0xFF, using: &random)
        switch UInt8.random(in: 0..<6, using: &random) {
        case 0: bytes.insert(byte, at: position)
        case 1 where position < bytes.count: bytes[position] = byte
        case 2 where position < bytes.count: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 3 where position < bytes.count: bytes.remove(at: position)
        case 4: bytes.removeSubrange(position...)
        default:
            guard let other = seeds.randomElement(using: &random), !other.isEmpty else { return }
            bytes.replaceSubrange(position..., with: other[Int.random(in: 0..<other.count, using: &random)...])
        }
    }
}
