import MessagePack
import NIOCore
import SocketIO
import SocketIOCore

/// Broadcasts between servers: `[uid, {type, data, nsp}, {rooms, except, flags}]`.
enum ClassicBroadcast {
    static func encode(
        _ packet: BroadcastPacket, to target: BroadcastTarget, namespace: String, uid: String
    ) throws -> ByteBuffer {
        var room = ByteBuffer()
        room.reserveCapacity(packet.encoded.frames.readableBytes + 96)
        var writer = MessagePackWriter(.notepack3, into: room)
        writer.writeArrayHeader(3)
        writer.write(uid)
        try ClassicPacket.write(packet, namespace: namespace, to: &writer)
        ClassicPacket.write(target, to: &writer)
        return writer.buffer
    }

    /// The bytes with which a server's own broadcasts begin.
    static func prefix(uid: String) -> [UInt8] {
        var writer = MessagePackWriter(.notepack3)
        writer.writeArrayHeader(3)
        writer.write(uid)
        return Array(writer.buffer.readableBytesView)
    }

    /// A broadcast of another server.
    struct Received {
        var uid: String?
        var target: BroadcastTarget
        /// Nil if nobody wants it.
        var packet: BroadcastPacket?
    }

    /// Reads what another server has sent.
    ///
    /// The arguments go from MessagePack to text, not through values, and only if there is somebody to send them to.
    /// - Parameter isWanted: Whether any socket is in these rooms (all: if there are none).
    /// - Throws: ``MalformedMessage``, or why it can't be read.
    static func decode(
        _ payload: ByteBuffer, namespace: String, isWanted: ([Room]) -> Bool
    ) throws -> Received {
        if ClassicPacket.isJSON(payload) {
            let value = try JSONText.read(payload)
            guard let elements = value.arrayValue, elements.count >= 3 else { throw MalformedMessage("no broadcast") }
            return Received(
                uid: elements[0].stringValue,
                target: try ClassicPacket.target(elements[2]),
                packet: try ClassicPacket.packet(elements[1], namespace: namespace)
            )
        }
        var reader = MessagePackReader(payload, maxDepth: MessageDepth.limit)
        guard try reader.readArrayHeader() >= 3 else { throw MalformedMessage("no broadcast") }
        let uid = try Self.uid(&reader)
        let fields = try Self.readFields(&reader)
        let target = try ClassicPacket.target(&reader)
        var received = Received(uid: uid, target: target)
        guard fields.type == ClassicPacket.event || fields.type == ClassicPacket.binaryEvent else {
            throw MalformedMessage("a packet that is no event")
        }
        guard fields.namespace ?? "/" == namespace else { return received }
        guard let data = fields.data else { throw MalformedMessage("no event") }
        if isWanted(target.rooms) { received.packet = try Self.packet(data, namespace: namespace) }
        return received
    }

    private static func uid(_ reader: inout MessagePackReader) throws(MessagePackError) -> String? {
        if try reader.peekKind() == .string { return try reader.readString() }
        try reader.skip()
        return nil
    }

    private struct Fields {
        var type: Int?
        var namespace: String?
        /// The position of the arguments.
        var data: MessagePackReader?
    }

    private static func readFields(_ reader: inout MessagePackReader) throws(MessagePackError) -> Fields {
        var fields = Fields()
        for _ in 0..<(try reader.readMapHeader()) {
            switch try reader.readText() {
            case "type": fields.type = try reader.readInt()
            case "nsp": if try !reader.readNull() { fields.namespace = try reader.readText() }
            case "data":
                fields.data = reader
                try reader.skip()
            default: try reader.skip()
            }
        }
        return fields
    }

    private static func packet(_ data: MessagePackReader, namespace: String) throws -> BroadcastPacket {
        var names = data
        guard try names.readArrayHeader() > 0, let kind = try names.peekKind(), kind == .string || kind == .number
        else { throw MalformedMessage("an event without a name") }
        let name = try names.readText()
        guard !ReservedEvents.contains(name) else { throw MalformedMessage("a reserved event name") }
        var reader = data
        var json = ByteBuffer()
        var attachments: [ByteBuffer] = []
        try MessagePackTranscoder.json(from: &reader, attachments: &attachments, into: &json)
        return BroadcastPacket(
            event: name,
            encoded: PacketEncoder.event(json: json, attachments: attachments, namespace: namespace)
        )
    }
}
