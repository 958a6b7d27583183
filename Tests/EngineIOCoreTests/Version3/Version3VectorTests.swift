import NIOCore
import Testing

@testable import EngineIOCore

/// What the reference's codec of protocol 3 makes of packets and payloads, ours makes too.
@Suite struct Version3VectorTests {
    /// Accepted by the reference and refused here: numbers that only JavaScript takes for ones, and half a character.
    static let refused: Set = ["1e0:4", " 1:4", "0x1:4", "2:4\u{1F600}"]

    static func frames(_ packet: EngineIOPacket, base64: Bool) -> ByteBuffer {
        let frames = packet.makeFrame()
        return Version3Encoder.frames(frames, usesBase64: base64) ?? frames
    }

    @Test func packetsOfWebSockets() throws {
        let file = try Version3File.load()
        #expect(file.packets.count > 30)
        for vector in file.packets {
            let packet = try #require(vector.packet.packet)
            var frames = Self.frames(packet, base64: !vector.supportsBinary)
            let frame = try #require(WebSocketFrame.next(from: &frames))
            #expect(frames.readableBytes == 0)
            #expect(frame.opcode == (vector.encoded.isBinary ? .binary : .text))
            #expect(frame.payload == vector.encoded.bytes)
            let decoded =
                try vector.encoded.isBinary
                ? EngineIOPacket.decodeVersion3(binary: frame.payload) : .decodeVersion3(text: frame.payload)
            #expect(decoded == packet)
        }
    }

    @Test func packetsOfClients() throws {
        let file = try Version3File.load()
        #expect(file.packetDecode.count > 20)
        for vector in file.packetDecode {
            let bytes = vector.input.bytes
            // A type that the reference has no name for means nothing to it; here it is an error.
            let decoded =
                try? vector.input.isBinary
                ? EngineIOPacket.decodeVersion3(binary: bytes) : .decodeVersion3(text: bytes)
            #expect(decoded == vector.packet.packet, "\(vector.input)")
        }
    }

    @Test func payloads() throws {
        let file = try Version3File.load()
        #expect(file.cases.count > 40)
        for vector in file.cases {
            let packets = try vector.packets.map { try #require($0.packet) }
            var together = ByteBuffer()
            for packet in packets { packet.appendFrame(to: &together) }
            // In one piece of an outbox or in several.
            for frames in [packets.map { $0.makeFrame() }, [together]] {
                let (body, isBinary) = Version3Encoder.payload(frames, usesBase64: !vector.supportsBinary)
                #expect(body == vector.payload.bytes, "\(vector.name ?? "")")
                #expect(isBinary == vector.payload.isBinary, "\(vector.name ?? "")")
            }
            let (decoded, error) = Version3PayloadTests.packets(
                of: vector.payload.bytes, isBinary: vector.payload.isBinary)
            #expect(decoded == packets, "\(vector.name ?? "")")
            #expect(error == nil)
        }
    }

    @Test func payloadsOfClients() throws {
        let file = try Version3File.load()
        #expect(file.decode.count > 30)
        var differences = 0
        for vector in file.decode {
            let (packets, error) = Version3PayloadTests.packets(
                of: vector.input.bytes, isBinary: vector.input.isBinary)
            if let text = vector.input.text, Self.refused.contains(text) {
                differences += 1
                #expect(packets.isEmpty)
                #expect(error == .invalidLength)
                continue
            }
            #expect(packets == vector.packets.compactMap(\.packet), "\(vector.input)")
            #expect((error != nil) == vector.packets.contains { $0.packet == nil }, "\(vector.input)")
        }
        #expect(differences == Self.refused.count)
    }
}
