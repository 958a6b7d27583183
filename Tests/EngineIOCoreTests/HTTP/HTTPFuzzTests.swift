import NIOCore
import Testing

@testable import EngineIOCore

/// Seeded mutations of the corpus. However a stream is cut, the same is made of it; and what is accepted, NIO's decoder has
/// accepted too, with the same meaning.
@Suite struct HTTPFuzzTests {
    private static let refused = HTTPCorpus.refused.map(\.0).filter { $0.utf8.count < 600 }

    @Test(arguments: 0..<8)
    func mutatedStreams(seed: Int) async {
        var generator = SeededGenerator(state: UInt64(seed))
        var errors = Set<Int>()
        var accepted = 0
        for round in 0..<250 {
            if round % 20 == 0 { await Task.yield() }
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let sources = Bool.random(using: &generator) ? HTTPCorpus.valid : Self.refused
                bytes += Array((sources.randomElement(using: &generator) ?? "").utf8)
            }
            for _ in 0..<Int.random(in: 0...3, using: &generator) { Self.mutate(&bytes, &generator) }
            let stream = ByteBuffer(bytes: bytes)
            let whole = parseHTTP([stream])
            let cuts = (0..<8).map { _ in Int.random(in: 0...bytes.count, using: &generator) }.sorted()
            #expect(parseHTTP(stream.cut(at: cuts)) == whole)
            #expect(parseHTTP(stream.singly) == whole)
            if let error = whole.error { errors.insert(error.hashValue) }
            accepted += whole.complete.count
            Self.compare(whole, stream)
        }
        #expect(errors.count >= 5)
        #expect(accepted >= 50)
    }

    @Test func corpusIsUnderstoodAsByNIO() {
        for text in HTTPCorpus.valid { Self.compare(parseHTTP(text), ByteBuffer(string: text)) }
        let stream = ByteBuffer(string: HTTPCorpus.stream)
        #expect(parseWithNIO(stream).requests == parseHTTP([stream]).requests)
    }

    /// What is complete for us is complete for NIO, in the same order and with the same parts.
    private static func compare(_ ours: ParseResult, _ stream: ByteBuffer) {
        let theirs = parseWithNIO(stream).requests.filter(\.isComplete)
        for (index, request) in ours.complete.enumerated() {
            // Behind these NIO's decoder reads nothing, nor does the server.
            if index > 0, ours.complete[index - 1].isLast { return }
            guard index < theirs.count else {
                Issue.record("only we accept \(request) of \(String(buffer: stream).debugDescription)")
                return
            }
            #expect(theirs[index] == request, "\(String(buffer: stream).debugDescription)")
        }
    }

    private static let interesting: [UInt8] = Array("\r\n\t :;,=\"\\/*#@09afAFxX\u{0}\u{1E}\u{7F}".utf8) + [0x80, 0xFF]

    private static let pieces: [[UInt8]] = [
        "\r\n", "\n", "\r", "\r\n\r\n", "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n", "Host: b\r\n", " ",
        ": ",
        "0\r\n\r\n", "GET / HTTP/1.1\r\n", "Connection: upgrade\r\nUpgrade: x\r\n",
    ].map { Array($0.utf8) }

    private static func mutate(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
        guard !bytes.isEmpty else { return }
        let position = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<7, using: &generator) {
        case 0: bytes[position] ^= 1 << UInt8.random(in: 0...7, using: &generator)
        case 1: bytes[position] = Self.interesting.randomElement(using: &generator) ?? 0
        case 2: bytes.remove(at: position)
        case 3: bytes.insert(Self.interesting.randomElement(using: &generator) ?? 0, at: position)
        case 4: bytes.insert(contentsOf: Self.pieces.randomElement(using: &generator) ?? [], at: position)
        case 5: bytes.insert(contentsOf: bytes[position..<min(bytes.count, position + 20)], at: position)
        default: bytes.removeSubrange(position..<min(bytes.count, position + 3))
        }
    }
}
