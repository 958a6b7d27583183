import MessagePack
import NIOCore
import SocketIO
import SocketIOCore

/// What another server or an emitter asks for.
struct ClassicRequest {
    enum Action {
        /// 0: the ids of the sockets in rooms.
        case sockets([Room])
        /// 1
        case allRooms
        /// 2
        case join([Room], BroadcastTarget)
        /// 3
        case leave([Room], BroadcastTarget)
        /// 4
        case disconnect(BroadcastTarget, close: Bool)
        /// 5
        case fetch(BroadcastTarget)
        /// 6
        case serverSideEvent(String, [SocketIOValue])
        /// 7; without a packet it is for another namespace.
        case broadcast(BroadcastPacket?, BroadcastTarget)
        /// The old form of 2, 3 and 4: one socket, which the request names.
        case one(String, OneSocket)
        /// The rooms of a socket, of Socket.IO 2.
        case roomsOf(String)
    }

    enum OneSocket {
        case join(Room)
        case leave(Room)
        case disconnect(close: Bool)
    }

    var uid: String?
    var id: String?
    var action: Action
    /// It is in the form of socket.io-redis 5, and must be answered in it.
    var isVersion2 = false

    /// Reads a message of the request channel; nil if it is one that needs no answer and has no effect here.
    ///
    /// - Throws: ``MalformedMessage``, or why it can't be read.
    static func decode(_ payload: ByteBuffer, namespace: String) throws -> ClassicRequest? {
        let value: SocketIOValue
        if ClassicPacket.isJSON(payload) {
            value = try JSONText.read(payload)
        } else {
            var reader = MessagePackReader(payload, maxDepth: MessageDepth.limit)
            value = try reader.read()
        }
        guard let request = value.objectValue, let type = request["type"]?.intValue else {
            throw MalformedMessage("no type")
        }
        if request["requestId"] == nil, let id = request["requestid"] {
            return try Self.version2(type, try Self.checked(id), request)
        }
        let id = try request["requestId"].flatMap { $0.isNull ? nil : try Self.checked($0) }
        let action = try Self.action(type, request, namespace: namespace)
        guard let action else { return nil }
        let uid = request["uid"]?.stringValue
        return ClassicRequest(uid: uid, id: id, action: action)
    }

    /// Ids are kept for a while, and answered with: they must not be long.
    private static func checked(_ id: SocketIOValue) throws -> String {
        guard let id = id.stringValue, id.utf8.count <= RecentIDs.maxLength else {
            throw MalformedMessage("an id that is none")
        }
        return id
    }

    private static func action(
        _ type: Int, _ request: SocketIOValue.Object, namespace: String
    ) throws -> Action? {
        switch type {
        case 0: return .sockets(try ClassicPacket.rooms(request["rooms"]))
        case 1: return .allRooms
        case 2, 3, 4:
            if request["opts"] == nil, let one = try Self.one(type, request) { return one }
            let target = try ClassicPacket.target(request["opts"])
            if type == 4 { return .disconnect(target, close: request["close"]?.boolValue ?? false) }
            let rooms = try ClassicPacket.rooms(request["rooms"])
            return type == 2 ? .join(rooms, target) : .leave(rooms, target)
        case 5: return .fetch(try ClassicPacket.target(request["opts"]))
        case 6:
            let (name, arguments) = try ClassicPacket.event(request["data"])
            return .serverSideEvent(name, arguments)
        case 7:
            let target = try ClassicPacket.target(request["opts"])
            return .broadcast(try ClassicPacket.packet(request["packet"], namespace: namespace), target)
        default: return nil
        }
    }

    /// `{sid, room}` or `{sid, close}` in place of `opts`.
    private static func one(_ type: Int, _ request: SocketIOValue.Object) throws -> Action? {
        guard let sid = request["sid"]?.stringValue else { return nil }
        if type == 4 { return .one(sid, .disconnect(close: request["close"]?.boolValue ?? false)) }
        guard let room = request["room"].flatMap({ Room($0) }) else { throw MalformedMessage("no room") }
        return .one(sid, type == 2 ? .join(room) : .leave(room))
    }

    /// The requests of socket.io-redis 5, which are told by the spelling of `requestid` and have other numbers.
    private static func version2(
        _ type: Int, _ id: String, _ request: SocketIOValue.Object
    ) throws -> ClassicRequest? {
        let action: Action?
        switch type {
        case 0: action = .sockets(try request["rooms"].map { try ClassicPacket.rooms($0) } ?? [])
        case 1: action = request["sid"]?.stringValue.map { .roomsOf($0) }
        case 2: action = .allRooms
        case 3, 4: action = try Self.one(type - 1, request)
        case 6: action = try Self.one(4, request)
        default: action = nil
        }
        return action.map { ClassicRequest(uid: nil, id: id, action: $0, isVersion2: true) }
    }
}

/// What this server asks for.
extension ClassicRequest {
    /// 7: `{uid, requestId, type, packet, opts}`, the one request in MessagePack.
    static func broadcast(
        _ packet: BroadcastPacket, to target: BroadcastTarget, id: String, namespace: String, uid: String
    ) throws -> ByteBuffer {
        var room = ByteBuffer()
        room.reserveCapacity(packet.encoded.frames.readableBytes + 128)
        var writer = MessagePackWriter(.notepack3, into: room)
        Self.begin(&writer, uid: uid)
        writer.write("requestId")
        writer.write(id)
        writer.write("type")
        writer.write(7)
        writer.write("packet")
        try ClassicPacket.write(packet, namespace: namespace, to: &writer)
        writer.write("opts")
        ClassicPacket.write(target, to: &writer)
        return writer.buffer
    }

    /// 6: `{uid, [requestId,] type, data}`. The arguments are copied as text unless there is binary data among them.
    static func serverSideEvent(
        _ packet: BroadcastPacket, id: String?, namespace: String, uid: String
    ) throws -> ByteBuffer {
        let (json, attachments) = try packet.encoded.event(namespace: namespace)
        var text = ByteBuffer()
        text.reserveCapacity(json.readableBytes + 64)
        text.writeString("{\"uid\":\"\(uid)\",")
        if let id { text.writeString("\"requestId\":\"\(id)\",") }
        text.writeString("\"type\":6,\"data\":")
        if attachments.isEmpty {
            text.writeImmutableBuffer(json)
        } else {
            let arguments: [SocketIOValue] = [.string(packet.event)] + (try packet.arguments())
            text.writeImmutableBuffer(try JSONText.write(.array(arguments)))
        }
        text.writeString("}")
        return text
    }

    private static func begin(_ writer: inout MessagePackWriter, uid: String) {
        writer.writeMapHeader(5)
        writer.write("uid")
        writer.write(uid)
    }

    /// With what own requests in MessagePack begin.
    static func broadcastPrefix(uid: String) -> [UInt8] {
        var writer = MessagePackWriter(.notepack3)
        Self.begin(&writer, uid: uid)
        return Array(writer.buffer.readableBytesView)
    }

    /// With what own requests in JSON begin.
    static func textPrefix(uid: String) -> [UInt8] { Array("{\"uid\":\"\(uid)\",".utf8) }
}
