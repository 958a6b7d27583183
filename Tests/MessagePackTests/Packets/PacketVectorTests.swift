import NIOCore
import Testing

@testable import MessagePack
@testable import SocketIOCore

/// The packets of socket.io-msgpack-parser, in both directions.
@Suite struct PacketVectorTests {
    @Test func reading() throws {
        for vector in try PacketVectors.list("cases") + PacketVectors.list("live") {
            let frame = try bytes(try #require((vector["frame"] ?? vector["binary"])?.stringValue))
            let packet = try #require(try PacketVectors.decode(frame))
            try Self.check(packet, try #require(vector["decoded"]), "\(vector)")
        }
    }

    /// What the reference refuses is refused, and what it takes is taken, but for what is listed here.
    @Test func invalid() throws {
        // python-socketio writes nil.
        let taken: Set = ["connect, data nil", "disconnect, data nil"]
        // As in the default form.
        let refused: Set = [
            "event, reserved name (not checked)", "event, empty data (not checked)", "event, name object (not checked)",
            "event, id negative",
        ]
        var seen: Set<String> = []
        for vector in try PacketVectors.list("invalid") {
            let name = try #require(vector["name"]?.stringValue)
            seen.insert(name)
            let frame = try bytes(try #require(vector["frame"]?.stringValue))
            let isTaken = !refused.contains(name) && (vector["decoded"] != nil || taken.contains(name))
            let result = Result { try PacketVectors.decode(frame) }
            switch result {
            case .success(let packet):
                #expect(isTaken, "\(name)")
                if let decoded = vector["decoded"] { try Self.check(try #require(packet), decoded, name) }
            case .failure(let error):
                #expect(!isTaken, "\(name): \(error)")
                #expect(error is SocketIOError)
                // The reference's words, where it has some that are for others.
                if let words = vector["exception"]?.stringValue, words.hasPrefix("invalid"), name != "not a map" {
                    #expect((error as? SocketIOError)?.message == words, "\(name)")
                }
            }
        }
        #expect(taken.union(refused).isSubset(of: seen))
    }

    /// The members that the reference writes, with the same bytes; their order does not count.
    @Test func writing() throws {
        // What this package does not write: `undefined`, dates, and numbers that notepack.io damages.
        let foreign: Set = [
            "event undefined and null", "event date", "event NaN and infinities", "event typed array (ext type 0)",
            "event array buffer (ext type 0)", "event numbers beyond 2^53 (1e21 is damaged by notepack)",
            "connect_error", "server connect (pid undefined)",
        ]
        var seen: Set<String> = []
        for vector in try PacketVectors.list("cases") {
            let name = try #require(vector["name"]?.stringValue)
            seen.insert(name)
            if foreign.contains(name) { continue }
            let tagged = try #require(vector["packet"])
            let packet = try #require(try Vectors.value(tagged))
            let written = try MessagePackForm().encode(frames: try Self.encoded(packet).frames)
            var frames = written.frames
            let frame = try #require(ServerFrame.read(from: &frames))
            #expect(frames.readableBytes == 0 && frame.opcode == ServerFrame.binary && written.attachmentCount == 1)
            var expected = try Self.members(try bytes(try #require(vector["frame"]?.stringValue)))
            // For a server's compression.
            expected["options"] = nil
            if expected["data"] == "d40000" { expected["data"] = nil }
            #expect(try Self.members(frame.payload) == expected, "\(name)")
        }
        #expect(foreign.isSubset(of: seen))
    }

    // MARK: Pieces

    private static func check(_ packet: Packet, _ decoded: SocketIOValue, _ what: String) throws {
        #expect(Int(packet.type.rawValue) == decoded["type"]?.intValue, "\(what)")
        #expect(packet.namespace == decoded["nsp"]?.stringValue, "\(what)")
        #expect(packet.id == decoded["id"]?.intValue, "\(what)")
        // Members that are `undefined` are none, as in JSON.
        let data = try Vectors.value(decoded["data"] ?? ["$undefined": true])
        var reader = packet.arguments
        guard let data else { return #expect(reader.isAtEnd, "\(what)") }
        guard var elements = data.arrayValue else {
            return #expect(try Self.isSame(try reader.nextValue(), data), "\(what)")
        }
        if packet.type == .event {
            #expect(packet.eventName == elements.removeFirst().stringValue, "\(what)")
        }
        #expect(try Self.isSame(.array(try reader.remainingValues()), .array(elements)), "\(what)")
    }

    /// Whether JSON makes the same of both. The vectors have numbers only to the digits that JavaScript shows.
    private static func isSame(_ left: SocketIOValue, _ right: SocketIOValue) throws -> Bool {
        func rounded(_ value: SocketIOValue) -> SocketIOValue {
            switch value {
            case .int(let int) where int.magnitude > 1 << 53: .double(Double(int))
            case .double(let double) where !double.isFinite: .null
            case .array(let elements): .array(elements.map(rounded))
            default: value
            }
        }
        return rounded(left) == rounded(right)
    }

    private static func encoded(_ packet: SocketIOValue) throws -> EncodedPacket {
        let namespace = try #require(packet["nsp"]?.stringValue)
        switch try #require(packet["type"]?.intValue) {
        case 0: return try PacketEncoder.connect(namespace: namespace, auth: packet["data"])
        case 1: return PacketEncoder.disconnect(namespace: namespace)
        case 2:
            var data = try #require(packet["data"]?.arrayValue)
            let name = try #require(data.removeFirst().stringValue)
            return try PacketEncoder.event(name, namespace: namespace, id: packet["id"]?.intValue, values: data)
        case 3:
            return try PacketEncoder.ack(
                id: try #require(packet["id"]?.intValue), namespace: namespace,
                values: try #require(packet["data"]?.arrayValue))
        default:
            return try PacketEncoder.connectError(
                namespace: namespace, message: try #require(packet["data"]?["message"]?.stringValue),
                data: packet["data"]?["data"])
        }
    }

    private static func members(_ message: ByteBuffer) throws -> [String: String] {
        var reader = MessagePackReader(message)
        var members: [String: String] = [:]
        for _ in 0..<(try reader.readMapHeader()) {
            let key = try reader.readText()
            members[key] = hex(try reader.readRaw())
        }
        try reader.expectEnd()
        return members
    }
}

/// Packets of socket.io-msgpack-parser.
enum PacketVectors {
    static func list(_ name: String) throws -> [SocketIOValue] { try Vectors.list(name, of: "socketio-msgpack") }

    static func decode(_ message: ByteBuffer, _ limits: PacketLimits = PacketLimits()) throws -> Packet? {
        try MessagePackForm().makeDecoder(limits).decode(message, isBinary: true)
    }
}
