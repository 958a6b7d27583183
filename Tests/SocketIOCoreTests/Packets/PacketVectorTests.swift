import NIOCore
import Testing

@testable import SocketIOCore

@Suite struct PacketVectorTests {
    /// Cases that no Swift value can express: numbers as names or beyond `Int` as ids, a bare string as the data of
    /// CONNECT_ERROR (protocol 4), half surrogate pairs.
    static let inexpressible: Set<String> = [
        "event name number", "event ack id 1e21", "connect_error string (protocol v4 style)", "event lone surrogates",
    ]

    @Test func encodesWhatTheReferenceEncodes() throws {
        var count = 0
        for vector in try Vectors.cases("cases") {
            let name = try #require(vector["name"]?.stringValue)
            if Self.inexpressible.contains(name) { continue }
            let packet = try #require(vector["packet"])
            if name == "binary in connect auth is not extracted" {
                // The reference writes what Node's Buffer makes of itself; here it is an error.
                #expect(code { _ = try encoded(packet) } == .binaryNotAllowed)
                continue
            }
            let expected = try #require(vector["frames"]?.arrayValue).map { try Message(vector: $0) }
            #expect(try messages(try encoded(packet)) == expected, "\(name)")
            count += 1
        }
        #expect(count > 60)
    }

    private func encoded(_ packet: SocketIOValue) throws -> EncodedPacket {
        let namespace = packet["nsp"]?.stringValue ?? "/"
        let data = try packet["data"].flatMap { try Vectors.value($0) }
        let id = packet["id"]?.intValue
        switch packet["type"]?.intValue {
        case 0:
            if let sid = data?["sid"]?.stringValue {
                return PacketEncoder.connect(namespace: namespace, sid: sid, pid: data?["pid"]?.stringValue)
            }
            return try PacketEncoder.connect(namespace: namespace, auth: data)
        case 1: return PacketEncoder.disconnect(namespace: namespace)
        case 2:
            let values = try #require(data?.arrayValue)
            let name = try #require(values.first?.stringValue)
            return try PacketEncoder.event(name, namespace: namespace, id: id, values: Array(values.dropFirst()))
        case 3:
            return try PacketEncoder.ack(
                id: try #require(id),
                namespace: namespace,
                values: try #require(data?.arrayValue)
            )
        default:
            let message = try #require(data?["message"]?.stringValue)
            return try PacketEncoder.connectError(namespace: namespace, message: message, data: data?["data"])
        }
    }

    @Test func decodesWhatTheReferenceDecodes() throws {
        for vector in try Vectors.cases("cases") {
            let name = try #require(vector["name"]?.stringValue)
            var decoder = PacketDecoder(limits: PacketLimits(maxAttachments: 100))
            let frames = try #require(vector["frames"]?.arrayValue).map { try Message(vector: $0) }
            guard let expected = vector["decoded"] else {
                #expect(vector["decodeException"]?.stringValue == "invalid payload")
                // The id has more than 64 bits.
                #expect(throws: SocketIOError.self) { try run(frames, &decoder) }
                continue
            }
            let packets = try run(frames, &decoder)
            #expect(packets.count == 1, "\(name)")
            #expect(!decoder.isAwaitingAttachments)
            try expect(try #require(packets.first), expected, name)
        }
    }

    /// Where this decoder refuses what the reference's accepts, and with which code.
    static let differences: [String: SocketIOError.Code] = [
        // Events that have no name.
        "event without payload": .invalidPayload,
        "id alone": .invalidPayload,
        "namespace without comma before payload": .invalidPayload,
        "binary event type, count and dash": .invalidPayload,
        // Not a message at all.
        "empty string": .invalidPacket,
        "id 20 digits": .invalidPacket,
        "binary event placeholder num float": .illegalAttachments,
    ]

    /// Where the reference waits for ever behind a packet with no attachments.
    static let unblocked: Set<String> = [
        "binary event 0 attachments", "binary event 0 attachments, then a text packet",
        "binary event 0 attachments, then binary", "binary event without count",
    ]

    @Test func refusesWhatTheReferenceRefuses() throws {
        for vector in try Vectors.cases("invalid") {
            let name = try #require(vector["name"]?.stringValue)
            var limits = PacketLimits()
            if let count = vector["options"]?["maxAttachments"]?.intValue { limits.maxAttachments = count }
            var decoder = PacketDecoder(limits: limits)
            let frames = try #require(vector["frames"]?.arrayValue).map { try Message(vector: $0) }
            if let difference = Self.differences[name] {
                #expect(code { _ = try run(frames, &decoder) } == difference, "\(name)")
                continue
            }
            var packets: [Packet] = []
            var failure: SocketIOError?
            for frame in frames {
                do throws(SocketIOError) {
                    if let packet = try feed(frame, &decoder) { packets.append(packet) }
                } catch {
                    failure = error
                    break
                }
            }
            let expected = try #require(vector["decoded"]?.arrayValue)
            if Self.unblocked.contains(name) {
                #expect(!decoder.isAwaitingAttachments, "\(name)")
                try expect(try #require(packets.first), try #require(expected.first), name)
                continue
            }
            #expect(failure?.message == vector["exception"]?.stringValue, "\(name)")
            #expect(packets.count == expected.count, "\(name)")
            for (packet, expected) in zip(packets, expected) { try expect(packet, expected, name) }
            if failure == nil {
                #expect(decoder.isAwaitingAttachments == vector["pending"]?.boolValue, "\(name)")
            } else {
                #expect(!decoder.isAwaitingAttachments, "\(name)")
            }
        }
    }

    private func feed(_ message: Message, _ decoder: inout PacketDecoder) throws(SocketIOError) -> Packet? {
        switch message {
        case .text(let text): try decoder.decode(text: ByteBuffer(string: text))
        case .binary(let bytes): try decoder.decode(binary: ByteBuffer(bytes: bytes))
        }
    }

    @discardableResult
    private func run(_ messages: [Message], _ decoder: inout PacketDecoder) throws -> [Packet] {
        try messages.compactMap { try feed($0, &decoder) }
    }

    private func expect(_ packet: Packet, _ expected: SocketIOValue, _ name: String) throws {
        #expect(Int(packet.type.rawValue) == expected["type"]?.intValue, "\(name)")
        #expect(packet.namespace == expected["nsp"]?.stringValue, "\(name)")
        #expect(packet.id == expected["id"]?.intValue, "\(name)")
        let data = try expected["data"].flatMap { try Vectors.value($0) }
        var arguments = packet.arguments
        var values = try arguments.remainingValues()
        switch packet.type {
        case .event:
            let eventName = try #require(data?.arrayValue?.first)
            #expect(packet.eventName == eventName.stringValue ?? eventName.description, "\(name)")
            values.insert(eventName, at: 0)
            #expect(data == .array(values), "\(name)")
        case .ack:
            #expect(data ?? .array([]) == .array(values), "\(name)")
        default:
            #expect(data == values.first, "\(name)")
        }
    }
}
