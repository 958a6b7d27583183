import Foundation
import NIOCore
import Testing

@testable import SocketIOCore

@Suite struct PacketEncoderTests {
    struct Upload: Codable, Equatable, Sendable {
        var name: String
        var data: Data
        var parts: [ByteBuffer]
    }

    @Test func events() throws {
        #expect(try messages(PacketEncoder.event("e")) == [.text(#"2["e"]"#)])
        let packet = try PacketEncoder.event("e", namespace: "/a", id: 0, 1, "x", nil as Int?, [1.5], true)
        #expect(try messages(packet) == [.text(#"2/a,0["e",1,"x",null,[1.5],true]"#)])
    }

    @Test func attachments() throws {
        let upload = Upload(name: "a", data: Data([1, 2]), parts: [ByteBuffer(bytes: [3]), ByteBuffer()])
        let packet = try PacketEncoder.event("up", id: 12, upload, Data([4]))
        #expect(packet.attachmentCount == 4)
        let placeholders = (0..<4).map { #"{"_placeholder":true,"num":\#($0)}"# }
        let text =
            #"54-12["up",{"name":"a","data":\#(placeholders[0]),"parts":[\#(placeholders[1]),"#
            + #"\#(placeholders[2])]},\#(placeholders[3])]"#
        #expect(try messages(packet) == [.text(text), .binary([1, 2]), .binary([3]), .binary([]), .binary([4])])

        var decoder = PacketDecoder()
        var decoded: Packet?
        for message in try messages(packet) {
            switch message {
            case .text(let text): decoded = try decoder.decode(text: ByteBuffer(string: text))
            case .binary(let bytes): decoded = try decoder.decode(binary: ByteBuffer(bytes: bytes))
            }
        }
        var arguments = try #require(decoded).arguments
        #expect(try arguments.next(Upload.self) == upload)
        #expect(try arguments.next(Data.self) == Data([4]))
    }

    @Test func manyAttachmentsFitTheHeadroom() throws {
        let values = (0..<1234).map { _ in SocketIOValue.binary(ByteBuffer(bytes: [7])) }
        let packet = try PacketEncoder.ack(id: 3, values: [.array(values)])
        guard case .text(let text)? = try messages(packet).first else { return }
        #expect(text.hasPrefix("61234-3[[{"))
    }

    @Test(arguments: [0, 100, 118, 119, 120, 121, 122, 65_528, 65_529, 65_530, 65_531, 70_000])
    func frameLengths(_ count: Int) throws {
        // messages() checks the header; at these sizes it changes its length.
        let text = String(repeating: "x", count: count)
        #expect(try messages(PacketEncoder.event("e", text)) == [.text(#"2["e","\#(text)"]"#)])
        let binary = try messages(PacketEncoder.event("e", Data(repeating: 1, count: count)))
        #expect(binary.last == .binary(Array(repeating: 1, count: count)))
    }

    @Test(arguments: ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"])
    func reservedNames(_ name: String) {
        #expect(code { _ = try PacketEncoder.event(name) } == .reservedEvent)
        #expect(code { _ = try PacketEncoder.event(name, values: []) } == .reservedEvent)
    }

    @Test func acknowledgements() throws {
        #expect(try messages(PacketEncoder.ack(id: 5)) == [.text("35[]")])
        #expect(try messages(PacketEncoder.ack(id: 0, namespace: "/a", "x", 1)) == [.text(#"3/a,0["x",1]"#)])
        let several: any AcknowledgementValues = Ack("ok", 200)
        #expect(try messages(several.acknowledgement(id: 1, namespace: "/")) == [.text(#"31["ok",200]"#)])
        #expect(try json(Ack("ok", 200)) == #"["ok",200]"#)
    }

    @Test func othersRefuseBinary() throws {
        let binary = SocketIOValue.binary(ByteBuffer(bytes: [1]))
        #expect(code { _ = try PacketEncoder.connect(namespace: "/", auth: ["a": binary]) } == .binaryNotAllowed)
        #expect(code { _ = try PacketEncoder.connect(namespace: "/", auth: [1]) } == .invalidPayload)
        let error = { _ = try PacketEncoder.connectError(namespace: "/", message: "m", data: binary) }
        #expect(code(error) == .binaryNotAllowed)
    }

    @Test func ownEventsCanBeRead() throws {
        let upload = Upload(name: "a\n", data: Data([1, 2]), parts: [])
        let packet = try PacketEncoder.event("up", namespace: "/a", id: 1, upload, 2)
        let (name, arguments) = try decodeOwnEvent(packet)
        #expect(name == "up")
        #expect(arguments == [["name": "a\n", "data": .binary(ByteBuffer(bytes: [1, 2])), "parts": []], 2])
        #expect(try decodeOwnEvent(PacketEncoder.event("e")).arguments.isEmpty)
        #expect(code { _ = try decodeOwnEvent(PacketEncoder.ack(id: 1)) } == .invalidPacket)
        #expect(code { _ = try decodeOwnEvent(EncodedPacket(frames: ByteBuffer(), attachmentCount: 0)) } != nil)
        #expect(
            code { _ = try decodeOwnEvent(EncodedPacket(frames: ByteBuffer(bytes: [0x81, 0]), attachmentCount: 0)) }
                != nil)
    }

    @Test(arguments: ["/", "/a", "/é?x=1"])
    func idsCanBeAddedLater(_ namespace: String) throws {
        for count in [0, 1, 12] {
            let values =
                [.string(String(repeating: "x", count: 110))]
                + (0..<count).map { SocketIOValue.binary(ByteBuffer(bytes: [UInt8($0)])) }
            let plain = try PacketEncoder.event("e", namespace: namespace, values: values)
            let expected = try PacketEncoder.event("e", namespace: namespace, id: 1234, values: values)
            let packet = try PacketEncoder.withAckID(plain, namespace: namespace, id: 1234)
            #expect(try messages(packet) == messages(expected))
        }
        let empty = EncodedPacket(frames: ByteBuffer(), attachmentCount: 0)
        #expect(code { _ = try PacketEncoder.withAckID(empty, namespace: namespace, id: 1) } == .invalidPacket)
    }

    @Test func valuesAsArguments() throws {
        var reader = try ArgumentReader(values: [1, .binary(ByteBuffer(bytes: [2])), ["street": "x"]])
        #expect(try reader.next(Int.self) == 1)
        #expect(try reader.next(Data.self) == Data([2]))
        #expect(try reader.next(Address.self) == Address(street: "x", number: nil))
        #expect(reader.isAtEnd)
        #expect(try ArgumentReader(values: []).isAtEnd)
    }

    // MARK: Storage of others

    @Test func scratchStorage() throws {
        var scratch = ByteBuffer()
        for size in [0, 10, 5000, 3] {
            let text = String(repeating: "é", count: size)
            let expected = try PacketEncoder.event("e", namespace: "/n", id: 7, text, 1, ["a": [size]])
            let packet = try PacketEncoder.event("e", namespace: "/n", id: 7, scratch: scratch, text, 1, ["a": [size]])
            #expect(packet.frames == expected.frames)
            scratch = packet.frames
        }
        // Somebody refers to it: it is left alone.
        let held = scratch
        let before = Array(buffer: held)
        scratch = try PacketEncoder.ack(id: 1, scratch: held, "other").frames
        #expect(Array(buffer: held) == before)
        #expect(scratch == (try PacketEncoder.ack(id: 1, "other").frames))
        #expect(throws: SocketIOError.self) { try PacketEncoder.event("connect", scratch: scratch, 1) }
    }
}
