import MessagePack
import NIOCore
import RESP
import SocketIO
import SocketIOCore

/// The classic adapter: what `@socket.io/redis-emitter` 5 publishes, and the questions of a server.
struct ClassicEmitterWire: EmitterWire {
    let namespace: String
    let requestsTimeout: Duration
    private let uid: String
    private let channels: ClassicChannels

    init(_ options: RedisAdapterOptions, namespace: String, uid: String = EmitterID.random()) {
        self.namespace = namespace
        self.requestsTimeout = options.requestsTimeout
        self.uid = uid
        self.channels = ClassicChannels(key: options.key, namespace: namespace, uid: uid)
    }

    // MARK: Saying

    func command(_ message: EmitterMessage) throws -> RedisCommand {
        switch message {
        case .broadcast(let packet, let target):
            let channel = target.rooms.count == 1 ? self.channels.room(target.rooms[0]) : self.channels.broadcast
            return .publishing(try self.broadcast(packet, target), to: channel)
        case .join(let rooms, let target): return try self.request(2, target, "rooms", Self.names(rooms))
        case .leave(let rooms, let target): return try self.request(3, target, "rooms", Self.names(rooms))
        case .disconnect(let target, let close): return try self.request(4, target, "close", .bool(close))
        case .serverSideEvent(let packet):
            let payload = try ClassicRequest.serverSideEvent(
                packet, id: nil, namespace: self.namespace, uid: EmitterID.common)
            return .publishing(payload, to: self.channels.request)
        }
    }

    /// As of a server, but with the members of the target in another order.
    private func broadcast(_ packet: BroadcastPacket, _ target: BroadcastTarget) throws -> ByteBuffer {
        var room = ByteBuffer()
        room.reserveCapacity(packet.encoded.frames.readableBytes + 96)
        var writer = MessagePackWriter(.notepack3, into: room)
        writer.writeArrayHeader(3)
        writer.write(EmitterID.common)
        try ClassicPacket.write(packet, namespace: self.namespace, to: &writer)
        writer.writeMapHeader(3)
        writer.write("rooms")
        writer.writeArrayHeader(target.rooms.count)
        for room in target.rooms { writer.write(room.name) }
        writer.write("flags")
        writer.writeMapHeader((target.flags.volatile ? 1 : 0) + (target.flags.compress == nil ? 0 : 1))
        if target.flags.volatile {
            writer.write("volatile")
            writer.writeBool(true)
        }
        if let compress = target.flags.compress {
            writer.write("compress")
            writer.writeBool(compress)
        }
        writer.write("except")
        writer.writeArrayHeader(target.except.count)
        for room in target.except { writer.write(room.name) }
        return writer.buffer
    }

    private static func names(_ rooms: [Room]) -> SocketIOValue { .array(rooms.map { .string($0.name) }) }

    /// Without an id, so that all servers execute it.
    private func request(
        _ type: Int, _ target: BroadcastTarget, _ key: String, _ value: SocketIOValue
    ) throws -> RedisCommand {
        let request: SocketIOValue = .object(["type": .int(type), "opts": ClassicPacket.options(target), key: value])
        return .publishing(try JSONText.write(request), to: self.channels.request)
    }

    func listeners(_ reply: RedisValue) -> Int? { reply.int }

    var repliesAreOfOneNode: Bool { true }

    // MARK: Asking

    /// Servers answer on the common channel or on the own one, as their options say.
    var answerChannels: [RedisChannel] {
        [self.channels.response, self.channels.ownResponse, self.channels.peers].map { RedisChannel(.channel, $0) }
    }

    func makeID() -> String { ClassicID.make() }

    func question(_ question: EmitterQuestion, id: String) throws -> RedisCommand {
        let payload: ByteBuffer
        switch question {
        case .sockets(let target):
            payload = try JSONText.write([
                "uid": .string(self.uid), "requestId": .string(id), "type": 5, "opts": ClassicPacket.options(target),
            ])
        case .acknowledgements(let packet, let target):
            payload = try ClassicRequest.broadcast(
                packet, to: target, id: id, namespace: self.namespace, uid: self.uid)
        case .serverSideEvent(let packet):
            payload = try ClassicRequest.serverSideEvent(packet, id: id, namespace: self.namespace, uid: self.uid)
        }
        return .publishing(payload, to: self.channels.request)
    }

    func answer(_ message: RedisMessage) throws -> EmitterAnswer? {
        if message.channel == self.channels.peers { return try self.peer(message.payload) }
        guard let response = try ClassicResponse.decode(message.payload) else { return nil }
        return switch response.content {
        case .elements(let elements): .values(elements, id: response.id, server: nil)
        case .clientCount(let count): .clientCount(count, id: response.id, server: nil)
        case .acknowledgement(let value): .acknowledgement(value, id: response.id)
        }
    }

    /// What servers of this package say to ``askWhoHasAnswered(_:)``.
    private func peer(_ payload: ByteBuffer) throws -> EmitterAnswer? {
        let value = try JSONText.read(payload)
        guard value["type"]?.stringValue == "me", value["to"]?.stringValue == self.uid,
            let server = value["uid"]?.stringValue, ClassicID.isID(server), let id = value["requestId"]?.stringValue
        else { return nil }
        return .answered(id: id, server: server)
    }

    // MARK: Who is there

    var countCommand: RedisCommand { RedisCommand("PUBSUB", "NUMSUB", self.channels.request, keyIndex: nil) }

    var listCommand: RedisCommand { RedisCommand("PUBSUB", "CHANNELS", self.channels.responsePattern, keyIndex: nil) }

    func server(ofChannel channel: String) -> String? { self.channels.uid(ofResponseChannel: channel) }

    func askWhoHasAnswered(_ id: String) throws -> RedisCommand? {
        let payload = try JSONText.write([
            "type": "who", "uid": .string(self.uid), "requestId": .string(id),
        ])
        return .publishing(payload, to: self.channels.peers)
    }
}
