import NIOCore
import Testing

@testable import EngineIOCore

@Suite struct WebSocketFrameTests {
    @Test(arguments: [
        (0, "82 00"), (1, "82 01"), (125, "82 7D"), (126, "82 7E 007E"), (65_535, "82 7E FFFF"),
        (65_536, "82 7F 0000000000010000"), (1_000_000, "82 7F 00000000000F4240"),
    ])
    func headers(length: Int, hex: String) {
        var buffer = ByteBuffer()
        WebSocketFrame.writeHeader(opcode: .binary, payloadLength: length, to: &buffer)
        #expect(buffer == ByteBuffer(hex: hex))
        #expect(WebSocketFrame.headerLength(payloadLength: length) == buffer.readableBytes)
    }

    @Test func walk() throws {
        var buffer = ByteBuffer(string: "before")
        buffer.moveReaderIndex(forwardBy: 6)
        let payloads = [0, 1, 125, 126, 65_535, 65_536].map { ByteBuffer(repeating: 0x61, count: $0) }
        for payload in payloads { WebSocketFrame.append(opcode: .text, payload: payload, to: &buffer) }
        WebSocketFrame.append(opcode: .binary, payload: ByteBuffer(bytes: [1]), to: &buffer)
        for payload in payloads {
            let frame = try #require(WebSocketFrame.next(from: &buffer))
            #expect(frame.opcode == .text)
            #expect(frame.payload == payload)
        }
        let last = try #require(WebSocketFrame.next(from: &buffer))
        #expect(last.opcode == .binary)
        #expect(last.payload == ByteBuffer(bytes: [1]))
        #expect(WebSocketFrame.next(from: &buffer) == nil)
    }

    @Test(arguments: ["82", "82 02 01", "82 7E 00", "83 00", "82 80 00000000", "82 7F 7FFFFFFFFFFFFFFF"])
    func walkEndsAtWhatIsNoFrame(hex: String) {
        var buffer = ByteBuffer(hex: hex)
        #expect(WebSocketFrame.next(from: &buffer) == nil)
        #expect(buffer == ByteBuffer(hex: hex))
    }

    @Test func control() {
        #expect(WebSocketFrame.close(code: nil) == ByteBuffer(hex: "88 00"))
        #expect(WebSocketFrame.close(code: 1009) == ByteBuffer(hex: "88 02 03F1"))
        #expect(WebSocketFrame.ping() == ByteBuffer(hex: "89 00"))
        #expect(WebSocketFrame.pong(ByteBuffer(bytes: [7])) == ByteBuffer(hex: "8A 01 07"))
        #expect(WebSocketFrame.pong(ByteBuffer(repeating: 1, count: 126)).readableBytes == 127)
    }

    @Test(arguments: [0, 1, 3, 4, 7, 8, 9, 15, 16, 17, 125, 126, 1000, 65_535, 65_536])
    func masked(length: Int) {
        let payload = ByteBuffer(bytes: (0..<length).map { UInt8(truncatingIfNeeded: $0) })
        var buffer = ByteBuffer()
        WebSocketFrame.appendMasked(opcode: .binary, payload: payload, key: 0x8877_6655, to: &buffer)
        #expect(decode(buffer) == DecodeResult(messages: [.binary(payload)]))
        // Not by the decoder alone: the key lies low byte first, and byte i is masked with byte i mod 4 of it.
        let header = WebSocketFrame.headerLength(payloadLength: length)
        #expect(buffer.getBytes(at: header, length: 4) == [0x55, 0x66, 0x77, 0x88])
        let key: [UInt8] = [0x55, 0x66, 0x77, 0x88]
        #expect(buffer.bytes.dropFirst(header + 4).elementsEqual(payload.bytes.enumerated().map { $1 ^ key[$0 % 4] }))
    }
}
