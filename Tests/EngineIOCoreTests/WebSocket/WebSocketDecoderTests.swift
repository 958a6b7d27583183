import NIOCore
import Testing

@testable import EngineIOCore

@Suite struct WebSocketDecoderTests {
    /// One of everything that is allowed, sizes around the three forms of the length.
    static var stream: (bytes: ByteBuffer, messages: [WebSocketMessage]) {
        var frames = FrameBuilder()
        var messages: [WebSocketMessage] = []
        frames.add(0x1, "4hello")
        messages.append(.text(ByteBuffer(string: "4hello")))
        frames.add(0x2, [])
        messages.append(.binary(ByteBuffer()))
        frames.add(0x1, "a\u{E9}\u{20AC}", isFinal: false)
        frames.add(0x9, [1, 2, 3])
        messages.append(.ping(ByteBuffer(bytes: [1, 2, 3])))
        frames.add(0x0, "", isFinal: false)
        frames.add(0x0, "\u{1F600}z")
        messages.append(.text(ByteBuffer(string: "a\u{E9}\u{20AC}\u{1F600}z")))
        frames.add(0xA, [])
        messages.append(.pong(ByteBuffer()))
        for size in [1, 7, 8, 9, 125, 126, 127, 300] {
            let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            frames.add(0x2, payload)
            messages.append(.binary(ByteBuffer(bytes: payload)))
        }
        frames.add(0x2, [9, 9], isFinal: false)
        frames.add(0x0, Array(repeating: 7, count: 200))
        messages.append(.binary(ByteBuffer(bytes: [9, 9] + Array(repeating: 7, count: 200))))
        frames.add(0x8, [0x03, 0xE8] + Array("bye".utf8))
        messages.append(.close(code: 1000, reason: ByteBuffer(string: "bye")))
        return (frames.buffer, messages)
    }

    @Test(arguments: Ownership.allCases)
    func wholeStream(ownership: Ownership) {
        let (bytes, messages) = Self.stream
        #expect(decode(bytes, ownership: ownership) == DecodeResult(messages: messages))
    }

    @Test(arguments: Ownership.allCases)
    func cutAnywhere(ownership: Ownership) {
        let (bytes, messages) = Self.stream
        let expected = DecodeResult(messages: messages)
        for offset in 0...bytes.readableBytes {
            #expect(decode(bytes.cut(at: [offset]), ownership: ownership) == expected, "cut at \(offset)")
        }
        #expect(decode(bytes.cut(at: Array(1..<bytes.readableBytes)), ownership: ownership) == expected)
        for step in [2, 3, 5, 64] {
            let cuts = Array(stride(from: step, to: bytes.readableBytes, by: step))
            #expect(decode(bytes.cut(at: cuts), ownership: ownership) == expected, "pieces of \(step)")
        }
    }

    @Test func sharedStorageIsNotChanged() throws {
        let (bytes, messages) = Self.stream
        let before = bytes.bytes
        var decoder = WebSocketDecoder(maxMessageBytes: 1 << 20)
        var decoded: [WebSocketMessage] = []
        try decoder.decode(bytes, into: &decoded)
        #expect(decoded == messages)
        #expect(bytes.bytes == before)
    }

    @Test func oneTextIsDecodedAlone() throws {
        var decoder = WebSocketDecoder(maxMessageBytes: 1 << 20)
        var scratch = ByteBuffer()
        func only(_ opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true, cut: Int = 0, extra: [UInt8] = []) throws
            -> ByteBuffer?
        {
            var frames = FrameBuilder()
            frames.add(opcode, payload, isFinal: isFinal)
            var bytes = ByteBuffer(bytes: frames.buffer.readableBytesView.dropLast(cut))
            bytes.writeBytes(extra)
            return try decoder.decodeOnly(bytes, scratch: &scratch)
        }
        for size in [0, 1, 125, 126, 70_000, 200_000] {
            let text = [UInt8](repeating: UInt8(ascii: "x"), count: size)
            #expect(try only(1, text) == ByteBuffer(bytes: text))
        }
        #expect(try only(1, [1], cut: 1) == nil)
        #expect(try only(1, [1], extra: [0x81]) == nil)
        #expect(try only(1, [1], isFinal: false) == nil)
        #expect(try only(2, [1]) == nil)
        #expect(try only(9, []) == nil)
        #expect(throws: WebSocketError.invalidUTF8) { try only(1, [0xFF]) }
        #expect(decoder.isFinished)
        #expect(try only(1, [1]) == nil)
    }

    @Test func scratchIsUsedAgain() throws {
        var frames = FrameBuilder()
        frames.add(0x1, "4hello")
        let read = frames.buffer
        var decoder = WebSocketDecoder(maxMessageBytes: 1 << 20)
        var scratch = ByteBuffer()
        func address() -> UInt {
            scratch.withVeryUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
        }
        var messages: [WebSocketMessage] = []
        try decoder.decode(read, scratch: &scratch, into: &messages)
        let first = address()
        messages.removeAll(keepingCapacity: true)
        try decoder.decode(read, scratch: &scratch, into: &messages)
        #expect(address() == first)
        // The message of before still refers to it.
        try decoder.decode(read, scratch: &scratch, into: &messages)
        #expect(address() != first)
        #expect(messages == Array(repeating: .text(ByteBuffer(string: "4hello")), count: 2))
    }

    @Test(arguments: [65_535, 65_536, 1_000_000], Ownership.allCases)
    func largeMessageInReads(size: Int, ownership: Ownership) {
        let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 131 &+ $0 >> 8) }
        var frames = FrameBuilder()
        frames.add(0x2, payload)
        frames.add(0x1, "4")
        let cuts = Array(stride(from: 65_536, to: frames.buffer.readableBytes, by: 65_536))
        let result = decode(frames.buffer.cut(at: cuts), ownership: ownership)
        #expect(result.error == nil)
        #expect(result.messages == [.binary(ByteBuffer(bytes: payload)), .text(ByteBuffer(string: "4"))])
    }

    @Test func declaredLengthReservesLittle() throws {
        var decoder = WebSocketDecoder(maxMessageBytes: 1 << 29)
        var messages: [WebSocketMessage] = []
        try decoder.decode(ByteBuffer(hex: "82 FF 0000000010000000 00000000 AA"), into: &messages)
        let assembly = try #require(Mirror(reflecting: decoder).descendant("assembly") as? ByteBuffer)
        #expect(assembly.readableBytes == 1)
        #expect(assembly.capacity <= 32_768)
    }

    /// A message in a thousand pieces that never ends costs its bytes, and not a thing for each piece.
    @Test func piecesOfAMessageCostLittle() throws {
        for payload in [[], [7]] as [[UInt8]] {
            var decoder = WebSocketDecoder(maxMessageBytes: 1 << 20)
            var messages: [WebSocketMessage] = []
            for index in 0..<1024 {
                var frames = FrameBuilder()
                frames.add(index == 0 ? 0x2 : 0x0, payload, isFinal: false)
                try decoder.decode(frames.buffer, into: &messages)
            }
            let assembly = try #require(Mirror(reflecting: decoder).descendant("assembly") as? ByteBuffer)
            #expect(assembly.readableBytes == 1024 * payload.count && assembly.capacity <= 32_768)
            #expect(messages.isEmpty)
            var next = FrameBuilder()
            next.add(0x0, payload, isFinal: false)
            #expect(throws: WebSocketError.tooManyFragments) { try decoder.decode(next.buffer, into: &messages) }
        }
    }

    @Test func nothingIsHeldBetweenMessages() throws {
        var frames = FrameBuilder()
        frames.add(0x1, String(repeating: "x", count: 1000))
        frames.add(0x9, "ping")
        var decoder = WebSocketDecoder(maxMessageBytes: 1 << 20)
        var messages: [WebSocketMessage] = []
        for piece in frames.buffer.cut(at: [1, 5, 900, 1010]) { try decoder.decode(piece, into: &messages) }
        #expect(messages.count == 2)
        for name in ["assembly", "stash"] {
            let buffer = try #require(Mirror(reflecting: decoder).descendant(name) as? ByteBuffer)
            #expect(buffer.capacity == 0, "\(name)")
        }
    }

    @Test func clientSideTakesServerFrames() throws {
        var stream = ByteBuffer()
        WebSocketFrame.append(opcode: .text, payload: ByteBuffer(string: "2"), to: &stream)
        WebSocketFrame.append(opcode: .binary, payload: ByteBuffer(repeating: 5, count: 70_000), to: &stream)
        WebSocketFrame.append(opcode: .ping, payload: ByteBuffer(string: "p"), to: &stream)
        stream.writeImmutableBuffer(WebSocketFrame.close(code: nil))
        let decoder = WebSocketDecoder(maxMessageBytes: 1 << 20, expectsMask: false)
        let expected: [WebSocketMessage] = [
            .text(ByteBuffer(string: "2")), .binary(ByteBuffer(repeating: 5, count: 70_000)),
            .ping(ByteBuffer(string: "p")), .close(code: nil, reason: ByteBuffer()),
        ]
        #expect(decode([stream], with: decoder) == DecodeResult(messages: expected))
        let cuts = Array(1..<20) + Array(stride(from: 1000, to: stream.readableBytes, by: 1000))
        #expect(decode(stream.cut(at: cuts), with: decoder) == DecodeResult(messages: expected))
    }
}
