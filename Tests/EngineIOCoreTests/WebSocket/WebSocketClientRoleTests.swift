import NIOCore
import Testing

@testable import EngineIOCore

/// The client's side: what it sends is masked, what it receives must not be.
struct WebSocketClientRoleTests {
    private static func decoder() -> WebSocketDecoder {
        WebSocketDecoder(maxMessageBytes: 1 << 20, expectsMask: false)
    }

    private static let packets: [EngineIOPacket] = [
        .message(ByteBuffer(string: "")), .message(ByteBuffer(string: "hällo")), .ping(ByteBuffer(string: "probe")),
        .pong(ByteBuffer()), .upgrade, .close, .binary(ByteBuffer()), .binary(ByteBuffer(bytes: Array(0...255))),
        .message(ByteBuffer(repeating: 0x61, count: 125)), .message(ByteBuffer(repeating: 0x62, count: 70_000)),
    ]

    @Test(arguments: [0, 0x0403_0201, 0xFFFF_FFFF, 0x8000_0001] as [UInt32]) func maskedPackets(key: UInt32) throws {
        var stream = ByteBuffer()
        for packet in Self.packets { packet.appendMaskedFrame(key: key, to: &stream) }
        let result = decode(stream)
        #expect(result.error == nil)
        let decoded = try result.messages.map { message in
            switch message {
            case .text(let text): try EngineIOPacket.decode(text: text)
            case .binary(let data): EngineIOPacket.binary(data)
            default: EngineIOPacket.noop
            }
        }
        #expect(decoded == Self.packets)
    }

    @Test func textLengths() {
        for packet in Self.packets {
            var text = ByteBuffer()
            packet.appendText(to: &text)
            #expect(packet.textLength == text.readableBytes)
        }
        #expect(Self.packets.map(\.dataLength) == [0, 6, 5, 0, 0, 0, 0, 256, 125, 70_000])
    }

    @Test func unmaskedAtEveryCut() {
        var stream = ByteBuffer()
        WebSocketFrame.append(opcode: .text, payload: ByteBuffer(string: "4grüße"), to: &stream)
        WebSocketFrame.append(opcode: .binary, payload: ByteBuffer(repeating: 7, count: 130), to: &stream)
        stream.writeImmutableBuffer(WebSocketFrame.ping(ByteBuffer(string: "p")))
        // A message in two pieces with a pong between.
        stream.writeBytes([0x01, 0x01, 0x34, 0x8A, 0x00, 0x80, 0x02, 0xC3, 0xA9])
        stream.writeImmutableBuffer(WebSocketFrame.close(code: 1001))
        let expected = DecodeResult(messages: [
            .text(ByteBuffer(string: "4grüße")), .binary(ByteBuffer(repeating: 7, count: 130)),
            .ping(ByteBuffer(string: "p")), .pong(ByteBuffer()), .text(ByteBuffer(string: "4é")),
            .close(code: 1001, reason: ByteBuffer()),
        ])
        for cut in 1..<stream.readableBytes {
            #expect(decode(stream.cut(at: [cut]), with: Self.decoder()) == expected)
        }
        #expect(decode(stream.cut(at: Array(1..<stream.readableBytes)), with: Self.decoder()) == expected)
    }

    @Test func maskedIsRefused() {
        var stream = ByteBuffer()
        EngineIOPacket.noop.appendMaskedFrame(key: 1, to: &stream)
        #expect(decode([stream], with: Self.decoder()) == DecodeResult(error: .maskForbidden))
    }
}
