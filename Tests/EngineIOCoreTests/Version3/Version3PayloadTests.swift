import NIOCore
import Testing

@testable import EngineIOCore

@Suite struct Version3PayloadTests {
    static func packets(
        of body: ByteBuffer,
        isBinary: Bool,
        maxPackets: Int = 10_000
    ) -> (packets: [EngineIOPacket], error: EngineIOPacketError?) {
        var decoder = Version3PayloadDecoder(body, isBinary: isBinary, maxPackets: maxPackets)
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

    /// What a ping brings goes back as text, which binary data may not be.
    @Test func binaryPing() throws {
        #expect(
            try EngineIOPacket.decodeVersion3(binary: ByteBuffer(bytes: [2, 0x61])) == .ping(ByteBuffer(string: "a")))
        #expect(try EngineIOPacket.decodeVersion3(binary: ByteBuffer(bytes: [2, 0xFF])) == .ping(ByteBuffer()))
        #expect(try EngineIOPacket.decodeVersion3(text: ByteBuffer(string: "b2/w==")) == .ping(ByteBuffer()))
    }

    @Test func packetsAreCounted() {
        let text = { (count: Int) in ByteBuffer(string: String(repeating: "2:4x", count: count)) }
        #expect(Self.packets(of: text(3), isBinary: false, maxPackets: 3).error == nil)
        let over = Self.packets(of: text(4), isBinary: false, maxPackets: 3)
        #expect(over.packets.count == 3)
        #expect(over.error == .tooManyPackets)
        // Those without content too.
        let empty = ByteBuffer(string: String(repeating: "0:", count: 4))
        #expect(Self.packets(of: empty, isBinary: false, maxPackets: 3).error == .tooManyPackets)
        let binary = ByteBuffer(hex: String(repeating: "0001ff36", count: 4))
        #expect(Self.packets(of: binary, isBinary: true, maxPackets: 3).error == .tooManyPackets)
        #expect(Self.packets(of: binary, isBinary: true, maxPackets: 4).packets.count == 4)
    }

    @Test(arguments: [
        "99999999999:4", "18446744073709551616:4", "00000000000000000001:4", ":4", "1", "1:", "-1:4", "+1:4", "١:4",
        "9999999999:4x",
    ])
    func lengthsThatAreNone(body: String) {
        let (packets, error) = Self.packets(of: ByteBuffer(string: body), isBinary: false)
        #expect(packets.isEmpty)
        #expect(error == .invalidLength)
    }

    @Test(arguments: ["00", "000a", "00ff", "0000000000000000000000000001ff36", "01", "ff", "000aff36"])
    func lengthsThatAreNoneInBinary(hex: String) {
        let (packets, error) = Self.packets(of: ByteBuffer(hex: hex), isBinary: true)
        #expect(packets.isEmpty)
        #expect(error == .invalidLength)
    }

    @Test func leadingZeros() {
        #expect(Self.packets(of: ByteBuffer(string: "0000000001:6"), isBinary: false).packets == [.noop])
    }

    @Test func invalidUTF8EndsThePayload() {
        for hex in ["323A3461 323A34FF", "323A3461 313A80", "323A3461 343A34EDA080"] {
            let (packets, error) = Self.packets(of: ByteBuffer(hex: hex), isBinary: false)
            #expect(packets == [.message(ByteBuffer(string: "a"))])
            #expect(error != nil)
        }
    }

    /// Time that is quadratic in the size would keep this from ending in any reasonable time.
    @Test func manySmallPackets() {
        let count = 300_000
        let text = Self.packets(
            of: ByteBuffer(string: String(repeating: "1:4", count: count)), isBinary: false, maxPackets: count)
        #expect(text.packets.count == count)
        #expect(text.error == nil)
        let binary = Self.packets(
            of: ByteBuffer(hex: String(repeating: "0101ff04", count: count)), isBinary: true, maxPackets: count)
        #expect(binary.packets.count == count)
        #expect(binary.error == nil)
    }

    @Test func frameOfControlHasNoForm() {
        var frames = EngineIOPacket.message(ByteBuffer(string: "a")).makeFrame()
        frames.writeImmutableBuffer(WebSocketFrame.close(code: 1000))
        EngineIOPacket.binary(ByteBuffer(string: "b")).appendFrame(to: &frames)
        #expect(Version3Encoder.payload([frames], usesBase64: true).body.text == "2:4a6:b4Yg==")
        #expect(Version3Encoder.payload([], usesBase64: false).body.text == "0:")
    }

    /// Text is not copied.
    @Test func framesWithoutBinaryData() {
        var frames = EngineIOPacket.message(ByteBuffer(string: "a")).makeFrame()
        EngineIOPacket.ping(ByteBuffer()).appendFrame(to: &frames)
        #expect(Version3Encoder.frames(frames, usesBase64: false) == nil)
        #expect(Version3Encoder.frames(frames, usesBase64: true) == nil)
    }

    /// Headers have three sizes, and a byte more may need the next.
    @Test(arguments: [0, 1, 124, 125, 126, 65_534, 65_535, 65_536])
    func sizesOfFrames(size: Int) throws {
        let data = ByteBuffer(repeating: 7, count: size)
        var packet = EngineIOPacket.message(ByteBuffer(string: "51-[]")).makeFrame()
        EngineIOPacket.binary(data).appendFrame(to: &packet)
        for usesBase64 in [false, true] {
            var frames = try #require(Version3Encoder.frames(packet, usesBase64: usesBase64))
            #expect(WebSocketFrame.next(from: &frames)?.payload.text == "451-[]")
            let frame = try #require(WebSocketFrame.next(from: &frames))
            #expect(frame.opcode == (usesBase64 ? .text : .binary))
            let decoded =
                try usesBase64
                ? EngineIOPacket.decodeVersion3(text: frame.payload) : .decodeVersion3(binary: frame.payload)
            #expect(decoded == .binary(data))
            #expect(frames.readableBytes == 0)
        }
    }
}
