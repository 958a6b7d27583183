import NIOCore
import Testing

@testable import EngineIOCore

@Suite struct PayloadTests {
    static func packets(
        of body: ByteBuffer,
        maxPackets: Int = 10_000
    ) -> (packets: [EngineIOPacket], error: EngineIOPacketError?) {
        var decoder = PayloadDecoder(body, maxPackets: maxPackets)
        var packets: [EngineIOPacket] = []
        do {
            while let packet = try decoder.next() { packets.append(packet) }
        } catch {
            let again = try? decoder.next()
            #expect(again == nil, "no packet behind an error")
            return (packets, error)
        }
        return (packets, nil)
    }

    @Test func encoding() throws {
        let file = try Vectors.load("engineio-v4-payloads", as: Vectors.PayloadFile.self)
        #expect(file.cases.count > 10)
        for vector in file.cases {
            var frames = ByteBuffer()
            for packet in vector.packets { try #require(packet.packet).appendFrame(to: &frames) }
            var body = ByteBuffer()
            PayloadEncoder.append(frames: frames, to: &body)
            #expect(body.text == vector.payload, "\(vector.name)")
            #expect(PayloadEncoder.encodedSize(ofFrames: frames) == body.readableBytes, "\(vector.name)")

            // Entry by entry gives the same body.
            body.clear()
            for packet in vector.packets {
                PayloadEncoder.append(frames: try #require(packet.packet).makeFrame(), to: &body)
            }
            #expect(body.text == vector.payload, "\(vector.name)")
        }
    }

    @Test func decoding() throws {
        let file = try Vectors.load("engineio-v4-payloads", as: Vectors.PayloadFile.self)
        #expect(file.decode.count > 10)
        for vector in file.decode {
            let (packets, error) = Self.packets(of: ByteBuffer(string: vector.payload))
            #expect(packets == vector.packets.compactMap(\.packet), "\(vector.payload)")
            #expect((error != nil) == (vector.packets.last?.type == "error"), "\(vector.payload)")
        }
    }

    @Test func controlFramesHaveNoForm() {
        var frames = EngineIOPacket.message(ByteBuffer(string: "a")).makeFrame()
        frames.writeImmutableBuffer(WebSocketFrame.close(code: 1000))
        EngineIOPacket.noop.appendFrame(to: &frames)
        var body = ByteBuffer()
        PayloadEncoder.append(frames: frames, to: &body)
        #expect(body.text == "4a\u{1E}6")
        #expect(PayloadEncoder.encodedSize(ofFrames: frames) == 4)
        #expect(PayloadEncoder.encodedSize(ofFrames: ByteBuffer()) == 0)
    }

    /// The size is said in front of the payload, so it must be right.
    @Test func payloadBehindSomethingElse() {
        func frame(_ opcode: WebSocketOpcode, _ text: String) -> ByteBuffer {
            var buffer = ByteBuffer()
            WebSocketFrame.append(opcode: opcode, payload: ByteBuffer(string: text), to: &buffer)
            return buffer
        }
        var several = frame(.text, "4b")
        several.writeImmutableBuffer(frame(.binary, "xyz"))
        let lists: [[ByteBuffer]] = [
            [], [frame(.text, "4a")], [frame(.text, "4a"), several, frame(.text, "2")], [several, several],
            [frame(.ping, ""), frame(.text, "4a"), frame(.ping, "x"), ByteBuffer(), frame(.binary, "")],
        ]
        for list in lists {
            var alone = ByteBuffer()
            for frames in list { PayloadEncoder.append(frames: frames, to: &alone) }
            var behind = ByteBuffer(string: "head")
            var isFirst = true
            for frames in list { PayloadEncoder.append(frames: frames, to: &behind, isFirst: &isFirst) }
            #expect(String(buffer: behind) == "head" + String(buffer: alone))
            #expect(PayloadEncoder.encodedSize(of: list) == alone.readableBytes)
        }
    }

    @Test func packetsAreCounted() {
        let body = { (count: Int) in
            ByteBuffer(string: Array(repeating: "4x", count: count).joined(separator: "\u{1E}"))
        }
        #expect(Self.packets(of: body(3), maxPackets: 3).packets.count == 3)
        #expect(Self.packets(of: body(3), maxPackets: 3).error == nil)
        let over = Self.packets(of: body(4), maxPackets: 3)
        #expect(over.packets.count == 3)
        #expect(over.error == .tooManyPackets)
        #expect(Self.packets(of: body(10_000)).error == nil)
        #expect(Self.packets(of: body(10_001)).error == .tooManyPackets)
        #expect(Self.packets(of: ByteBuffer(), maxPackets: 0).error == .tooManyPackets)
    }

    @Test func invalidUTF8EndsThePayload() {
        let (packets, error) = Self.packets(of: ByteBuffer(hex: "3461 1E 34FF 1E 3462"))
        #expect(packets == [.message(ByteBuffer(string: "a"))])
        #expect(error == .invalidUTF8)
    }

    /// Time that is quadratic in the size would keep this from ending in any reasonable time.
    @Test func manySmallPackets() {
        let count = 300_000
        let body = ByteBuffer(string: String(repeating: "4\u{1E}", count: count - 1) + "4")
        let (packets, error) = Self.packets(of: body, maxPackets: count)
        #expect(packets.count == count)
        #expect(error == nil)
    }

    @Test func separatorAtEveryOffset() {
        for count in 1...40 {
            for offset in 1..<max(2, count) {
                let first = "4" + String(repeating: "x", count: offset - 1)
                let second = "4" + String(repeating: "\u{1F}", count: count)
                let (packets, error) = Self.packets(of: ByteBuffer(string: first + "\u{1E}" + second))
                #expect(error == nil)
                #expect(
                    packets == [
                        .message(ByteBuffer(string: String(first.dropFirst()))),
                        .message(ByteBuffer(string: String(second.dropFirst()))),
                    ]
                )
            }
        }
    }

    @Test func mutatedPayloads() {
        var generator = SeededGenerator(state: 11)
        let valid = Array("4hello\u{1E}bAQIDBA==\u{1E}2probe\u{1E}4\u{20AC}\u{1E}6".utf8)
        for _ in 0..<5000 {
            var bytes = valid
            for _ in 0..<3 {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            let (packets, error) = Self.packets(of: ByteBuffer(bytes: bytes))
            let pieces = bytes.split(separator: 0x1E, omittingEmptySubsequences: false)
            #expect(error == nil ? packets.count == pieces.count : packets.count < pieces.count)
        }
    }
}
