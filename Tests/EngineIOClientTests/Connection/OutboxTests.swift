import EngineIOCore
import NIOCore
import Testing

@testable import EngineIOClient

struct OutboxTests {
    private static func outbox(_ packets: [EngineIOPacket]) -> Outbox {
        var outbox = Outbox()
        for packet in packets { outbox.append(packet) }
        return outbox
    }

    private static func text(_ text: String) -> EngineIOPacket { .message(ByteBuffer(string: text)) }

    @Test func payload() {
        var outbox = Self.outbox([
            Self.text("a"), .binary(ByteBuffer(bytes: [1, 2, 3, 4])), .pong(ByteBuffer()), Self.text(""),
        ])
        #expect(outbox.bytes == 2 + 5 + 1 + 1)
        let (body, cost) = outbox.takePayload(maxBytes: 1000, maxPackets: 100)
        #expect(String(buffer: body) == "4a\u{1E}bAQIDBA==\u{1E}3\u{1E}4")
        #expect(cost == 9)
        #expect(outbox.isEmpty)
        #expect(outbox.bytes == 0)
    }

    @Test(arguments: 1...40) func bounded(maxBytes: Int) {
        let packets = (0..<20).map {
            $0 % 3 == 2 ? EngineIOPacket.binary(ByteBuffer(bytes: Array(0..<UInt8($0)))) : Self.text("\($0)")
        }
        var outbox = Self.outbox(packets)
        var bodies: [ByteBuffer] = []
        while !outbox.isEmpty {
            let (body, _) = outbox.takePayload(maxBytes: maxBytes, maxPackets: 100)
            // One that is too large goes alone.
            #expect(body.readableBytes <= maxBytes || !body.readableBytesView.contains(PayloadDecoder.separator))
            bodies.append(body)
        }
        #expect(outbox.bytes == 0)
        var decoded: [EngineIOPacket] = []
        for body in bodies {
            var payload = PayloadDecoder(body)
            while let packet = try? payload.next() { decoded.append(packet) }
        }
        #expect(decoded == packets)
    }

    @Test func countedPackets() {
        var outbox = Self.outbox((0..<5).map { Self.text("\($0)") })
        #expect(String(buffer: outbox.takePayload(maxBytes: 1000, maxPackets: 2).body) == "40\u{1E}41")
        #expect(String(buffer: outbox.takePayload(maxBytes: 1000, maxPackets: 0).body) == "42")
        #expect(String(buffer: outbox.takePayload(maxBytes: 1000, maxPackets: 100).body) == "43\u{1E}44")
        #expect(outbox.bytes == 0)
    }

    @Test func frames() throws {
        let packets = (0..<100).map { Self.text(String(repeating: "x", count: $0 * 20)) }
        var outbox = Self.outbox(packets)
        var keys = MaskKeys()
        var decoder = WebSocketDecoder(maxMessageBytes: 1 << 20)
        var messages: [WebSocketMessage] = []
        var batches = 0
        while !outbox.isEmpty {
            let frames = outbox.takeFrames(maxBytes: 4096, keys: &keys)
            #expect(frames.readableBytes < 4096 + 100 * 14)
            try decoder.decode(frames, into: &messages)
            batches += 1
        }
        #expect(batches > 20)
        #expect(outbox.bytes == 0)
        let texts = packets.map { packet in
            var text = ByteBuffer()
            packet.appendText(to: &text)
            return WebSocketMessage.text(text)
        }
        #expect(messages == texts)
    }

    @Test func pongs() {
        var outbox = Self.outbox([Self.text("a")])
        for _ in 0..<1000 { outbox.appendPong(ByteBuffer(string: "first")) }
        outbox.appendPong(ByteBuffer(repeating: 0x61, count: 200))
        outbox.append(Self.text("b"))
        outbox.appendPong(ByteBuffer())
        #expect(outbox.bytes == 2 + 126 + 2 + 1)
        let (body, _) = outbox.takePayload(maxBytes: 1000, maxPackets: 100)
        #expect(String(buffer: body) == "4a\u{1E}3" + String(repeating: "a", count: 125) + "\u{1E}4b\u{1E}3")
        #expect(outbox.bytes == 0)
    }

    @Test func keysDiffer() {
        var keys = MaskKeys()
        #expect(Set((0..<1000).map { _ in keys.next() }).count > 990)
    }
}
