import MessagePack
import NIOCore
import SocketIOCore
import Testing

@testable import SocketIORedis

/// Packets on their way between text and MessagePack.
@Suite struct ClassicPacketTests {
    private static let lists: [[SocketIOValue]] = [
        [], [1, "é\n"], [.binary(ByteBuffer(bytes: [1])), ["x": .binary(ByteBuffer())]],
    ]

    @Test(arguments: ["/", "/admin"], Self.lists)
    func thereAndBack(_ namespace: String, _ arguments: [SocketIOValue]) throws {
        let packet = try BroadcastPacket(event: "e", arguments: arguments, namespace: namespace)
        let (json, attachments) = try packet.encoded.event(namespace: namespace)
        #expect(json.getInteger(at: json.readerIndex, as: UInt8.self) == UInt8(ascii: "["))
        let again = PacketEncoder.event(json: json, attachments: attachments, namespace: namespace)
        #expect(again.frames == packet.encoded.frames && again.attachmentCount == packet.encoded.attachmentCount)

        var target = BroadcastTarget(rooms: ["a", "b"], except: ["c"])
        target.flags.volatile = true
        target.flags.compress = false
        let payload = try ClassicBroadcast.encode(packet, to: target, namespace: namespace, uid: "abcdef")
        let received = try ClassicBroadcast.decode(payload, namespace: namespace) { $0 == ["a", "b"] }
        #expect(received.uid == "abcdef" && received.target == target)
        #expect(received.packet?.encoded.frames == packet.encoded.frames)
        #expect(try ClassicBroadcast.decode(payload, namespace: namespace) { _ in false }.packet == nil)
        #expect(try ClassicBroadcast.decode(payload, namespace: "/other") { _ in true }.packet == nil)
    }

    @Test func otherPackets() throws {
        let ack = try PacketEncoder.ack(id: 1, values: [1])
        #expect(throws: SocketIOError.self) { try ack.event(namespace: "/") }
        let other = try PacketEncoder.event("e", namespace: "/", values: [])
        #expect(throws: SocketIOError.self) { try other.event(namespace: "/a-rather-long-name") }
        #expect(throws: SocketIOError.self) {
            try EncodedPacket(frames: ByteBuffer(), attachmentCount: 0).event(namespace: "/")
        }
    }

    @Test func times() {
        #expect(ClassicPacket.milliseconds(.milliseconds(1500)) == 1500)
        #expect(ClassicPacket.milliseconds(.nanoseconds(1)) == 1)
        #expect(ClassicPacket.milliseconds(.seconds(-1)) == 0)
        #expect(ClassicPacket.milliseconds(.seconds(Int64.max)) == 1_000_000_000_000)
    }

    @Test func targets() throws {
        let target = try ClassicPacket.target(["rooms": [1, "a"], "flags": ["timeout": 1e300, "volatile": 1]])
        #expect(target.rooms == ["1", "a"] && target.flags.timeout == .seconds(3600) && !target.flags.volatile)
        for wrong: SocketIOValue? in [
            nil, nil as SocketIOValue, [:], ["rooms": "a"], ["rooms": [nil]], ["rooms": [], "except": [[]]],
        ] {
            #expect(throws: MalformedMessage.self) { try ClassicPacket.target(wrong) }
        }
        var twice = BroadcastTarget(rooms: ["b", "a", "b"], except: ["c", "c"])
        twice.removeDuplicates()
        #expect(twice.rooms == ["b", "a"] && twice.except == ["c"])
    }
}
