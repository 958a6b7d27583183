import NIOCore
import Testing

@testable import EngineIOCore

@Suite struct EngineIOPacketTests {
    @Test func encoding() throws {
        let file = try Vectors.load("engineio-v4-packets", as: Vectors.PacketFile.self)
        #expect(file.cases.count > 30)
        for vector in file.cases {
            let packet = try #require(vector.packet.packet, "\(vector.name)")
            if vector.supportsBinary {
                var frame = packet.makeFrame()
                let (opcode, payload) = try #require(WebSocketFrame.next(from: &frame))
                #expect(frame.readableBytes == 0)
                if let text = vector.encoded.text {
                    #expect(opcode == .text)
                    #expect(payload.text == text, "\(vector.name)")
                } else {
                    #expect(opcode == .binary)
                    #expect(payload == ByteBuffer(hex: vector.encoded.binary ?? ""), "\(vector.name)")
                }
            } else {
                var text = ByteBuffer()
                packet.appendText(to: &text)
                #expect(text.text == vector.encoded.text, "\(vector.name)")
            }
        }
    }

    @Test func decoding() throws {
        let file = try Vectors.load("engineio-v4-packets", as: Vectors.PacketFile.self)
        #expect(file.decode.count > 30)
        var refused = 0
        for vector in file.decode {
            // A binary frame is a message as it is; only text comes to the decoder.
            guard let text = vector.input.text else { continue }
            let decoded = try? EngineIOPacket.decode(text: ByteBuffer(string: text))
            #expect(decoded == vector.packet.packet, "\(text)")
            if decoded == nil { refused += 1 }
        }
        #expect(refused == 10)
    }

    @Test func errors() {
        #expect(throws: EngineIOPacketError.empty) { try EngineIOPacket.decode(text: ByteBuffer()) }
        #expect(throws: EngineIOPacketError.unknownType(0x37)) {
            try EngineIOPacket.decode(text: ByteBuffer(string: "7x"))
        }
    }

    @Test func payloadsAreSlices() throws {
        let text = ByteBuffer(string: "4" + String(repeating: "x", count: 100))
        guard case .message(let data) = try EngineIOPacket.decode(text: text) else {
            Issue.record("not a message")
            return
        }
        let address = { (buffer: ByteBuffer) in buffer.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) } }
        #expect(address(data) == address(text) + 1)
    }

    @Test func handshake() {
        var handshake = Handshake(
            sid: "lv_VI97HAXpY6yYWAAAC",
            upgrades: ["websocket"],
            pingInterval: 25_000,
            pingTimeout: 20_000,
            maxPayload: 1_000_000
        )
        var text = ByteBuffer()
        handshake.packet.appendText(to: &text)
        let json =
            #"{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"#
            + #""maxPayload":1000000}"#
        #expect(text.text == "0" + json)
        handshake.upgrades = []
        handshake.sid = "a\"b\\c\u{1}\u{1F}\u{E9}"
        text.clear()
        handshake.writeJSON(to: &text)
        #expect(text.text.hasPrefix(#"{"sid":"a\"b\\c\u0001\u001f"# + "\u{E9}" + #"","upgrades":[],"#))
        handshake.upgrades = ["websocket", "webtransport"]
        text.clear()
        handshake.writeJSON(to: &text)
        #expect(text.text.contains(#""upgrades":["websocket","webtransport"],"#))
    }
}
