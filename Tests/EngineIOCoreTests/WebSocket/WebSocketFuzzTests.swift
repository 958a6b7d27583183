import NIOCore
import Testing

@testable import EngineIOCore

/// Seeded mutations. A stream must give the same messages and the same error however it is cut and whoever owns the
/// storage.
@Suite struct WebSocketFuzzTests {
    @Test(arguments: 0..<8)
    func mutatedStreams(seed: Int) {
        var generator = SeededGenerator(state: UInt64(seed))
        let valid = WebSocketDecoderTests.stream.bytes.bytes
        var errors = Set<String>()
        for _ in 0..<80 {
            var bytes = valid
            for _ in 0..<Int.random(in: 1...4, using: &generator) { Self.mutate(&bytes, &generator) }
            let stream = ByteBuffer(bytes: bytes)
            let whole = decode([stream], with: Self.decoder)
            #expect(whole.messages.count <= bytes.count / 6 + 1)
            let cuts = (0..<20).map { _ in Int.random(in: 0...bytes.count, using: &generator) }.sorted()
            #expect(decode(stream.cut(at: cuts), with: Self.decoder, ownership: .shared) == whole)
            #expect(decode(stream.cut(at: Array(0..<bytes.count)), with: Self.decoder) == whole)
            if let error = whole.error { errors.insert(error.message) }
        }
        // The mutations reach the rules and not only the first of them.
        #expect(errors.count >= 3)
    }

    @Test func noise() {
        var generator = SeededGenerator(state: 4711)
        for _ in 0..<2000 {
            let count = Int.random(in: 0...64, using: &generator)
            var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            // Past the first rules more often than one time in a hundred.
            if count > 1 {
                bytes[0] = [0x81, 0x82, 0x01, 0x88, 0x89, 0x80].randomElement(using: &generator) ?? 0
                bytes[1] |= 0x80
            }
            let stream = ByteBuffer(bytes: bytes)
            let whole = decode([stream], with: Self.decoder)
            #expect(decode(stream.cut(at: Array(0..<count)), with: Self.decoder) == whole)
            #expect(whole.messages.count <= count / 6)
        }
    }

    private static let decoder = WebSocketDecoder(maxMessageBytes: 400, maxFragments: 4)

    private static func mutate(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
        let position = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: bytes[position] ^= 1 << UInt8.random(in: 0...7, using: &generator)
        case 1: bytes[position] = UInt8.random(in: 0...255, using: &generator)
        case 2: bytes.remove(at: position)
        case 3: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: position)
        default: bytes.replaceSubrange(position..., with: bytes[(bytes.count - position)...])
        }
        if bytes.isEmpty { bytes = [0] }
    }
}
