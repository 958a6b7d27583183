import NIOCore
import RESP
import SocketIO
import SocketIOCore

/// The sharded and the streams adapter. For the former there is no official emitter: what is published is what a server would. For
/// the latter it is what `@socket.io/redis-streams-emitter` 0.1 writes, on the stream that the namespace has.
struct ClusterEmitterWire: EmitterWire {
    private enum Way: Sendable {
        case channels(ShardedRedisAdapterOptions.SubscriptionMode)
        /// The beginning of each command, up to the type.
        case stream([ByteBuffer], onlyPlaintext: Bool)
    }

    let namespace: String
    let requestsTimeout: Duration
    private let way: Way
    private let isShard: Bool
    /// The channel of all servers, with which those of single servers and rooms begin.
    private let channel: String
    private let uid: String
    private let encoder: ClusterEncoder
    private let asking: ClusterEncoder

    init(_ options: ShardedRedisAdapterOptions, namespace: String, uid: String = EmitterID.random()) {
        self.way = .channels(options.subscriptionMode)
        self.namespace = namespace
        self.requestsTimeout = options.requestsTimeout
        self.isShard = true
        self.channel = "\(options.channelPrefix)#\(namespace)#"
        self.uid = uid
        self.encoder = ClusterEncoder(uid: EmitterID.common, namespace: namespace, form: .byContent)
        self.asking = ClusterEncoder(uid: uid, namespace: namespace, form: .byContent)
    }

    init(_ options: RedisStreamsAdapterOptions, namespace: String, uid: String = EmitterID.random()) {
        let prefix = [
            "XADD", options.stream(of: namespace), "MAXLEN", "~", String(max(1, options.maxLength)), "*", "uid",
            EmitterID.common, "nsp", namespace, "type",
        ]
        self.way = .stream(prefix.map { ByteBuffer(string: $0) }, onlyPlaintext: options.onlyPlaintext)
        self.namespace = namespace
        self.requestsTimeout = options.requestsTimeout
        self.isShard = options.usesShardedPubSub
        self.channel = "\(options.channelPrefix)#\(namespace)#"
        self.uid = uid
        self.encoder = ClusterEncoder(uid: EmitterID.common, namespace: namespace, form: .messagePack)
        self.asking = ClusterEncoder(uid: uid, namespace: namespace, form: .messagePack)
    }

    // MARK: Saying

    func command(_ message: EmitterMessage) throws -> RedisCommand {
        let body = try self.body(message)
        switch self.way {
        case .channels(let mode):
            var channel = self.channel
            if case .broadcast(_, let target) = message, target.rooms.count == 1, let room = target.rooms.first,
                mode.hasChannel(room.name)
            {
                channel += "\(room.name)#"
            }
            return .publishing(try self.encoder.message(body), to: channel, isShard: true)
        case .stream(let prefix, let onlyPlaintext):
            let data = try self.data(message, body, onlyPlaintext: onlyPlaintext)
            return RedisCommand(
                arguments: prefix + [
                    ByteBuffer(string: String(body.type.rawValue)), ByteBuffer(string: "data"), data,
                ])
        }
    }

    private func body(_ message: EmitterMessage) throws -> ClusterBody {
        switch message {
        case .broadcast(let packet, let target):
            .broadcast(try ClusterEvent(packet, namespace: self.namespace), requestID: nil, target)
        case .join(let rooms, let target): .socketsJoin(rooms, target.withoutFlags)
        case .leave(let rooms, let target): .socketsLeave(rooms, target.withoutFlags)
        case .disconnect(let target, let close): .disconnectSockets(target.withoutFlags, close: close)
        case .serverSideEvent(let packet):
            .serverSideEmit(try ClusterEvent(packet, namespace: self.namespace), requestID: nil)
        }
    }

    /// The data of an entry. In broadcasts of emitters there is a namespace, and the target has another order.
    private func data(
        _ message: EmitterMessage, _ body: ClusterBody, onlyPlaintext: Bool
    ) throws -> ByteBuffer {
        guard case .broadcast(let event, _, let target) = body else {
            return try StreamEntry.data(of: body, onlyPlaintext: onlyPlaintext)
        }
        guard event.hasBinary, !onlyPlaintext else {
            var writer = JSONFieldWriter()
            try self.write(event, target, to: &writer)
            return writer.buffer
        }
        var writer = MessagePackFieldWriter(.msgpackJS)
        try self.write(event, target, to: &writer)
        try ForbiddenKey.check(writer.buffer)
        return StreamEntry.base64(writer.buffer)
    }

    private func write(
        _ event: ClusterEvent, _ target: BroadcastTarget, to writer: inout some FieldWriter
    ) throws(SocketIOError) {
        writer.openObject(2)
        writer.key("packet")
        writer.openObject(3)
        writer.key("type")
        writer.integer(2)
        writer.key("data")
        try writer.event(event)
        writer.key("nsp")
        writer.string(self.namespace)
        writer.closeObject()
        writer.key("opts")
        writer.openObject(3)
        Self.write("rooms", target.rooms, to: &writer)
        writer.key("flags")
        writer.openObject((target.flags.volatile ? 1 : 0) + (target.flags.compress == nil ? 0 : 1))
        if target.flags.volatile {
            writer.key("volatile")
            writer.bool(true)
        }
        if let compress = target.flags.compress {
            writer.key("compress")
            writer.bool(compress)
        }
        writer.closeObject()
        Self.write("except", target.except, to: &writer)
        writer.closeObject()
        writer.closeObject()
    }

    private static func write(_ key: String, _ rooms: [Room], to writer: inout some FieldWriter) {
        writer.key(key)
        writer.openArray(rooms.count)
        for room in rooms { writer.string(room.name) }
        writer.closeArray()
    }

    /// The reply to XADD is the id of an entry.
    func listeners(_ reply: RedisValue) -> Int? {
        if case .channels = self.way { reply.int } else { nil }
    }

    /// A channel of a shard is served by one node.
    var repliesAreOfOneNode: Bool { false }

    // MARK: Asking

    private var kind: RedisChannel.Kind { self.isShard ? .shard : .channel }

    var answerChannels: [RedisChannel] { [RedisChannel(self.kind, "\(self.channel)\(self.uid)#")] }

    func makeID() -> String { ClusterID.random() }

    func question(_ question: EmitterQuestion, id: String) throws -> RedisCommand {
        let body: ClusterBody =
            switch question {
            case .sockets(let target): .fetchSockets(target, requestID: id)
            case .acknowledgements(let packet, let target):
                .broadcast(try ClusterEvent(packet, namespace: self.namespace), requestID: id, target)
            case .serverSideEvent(let packet):
                .serverSideEmit(try ClusterEvent(packet, namespace: self.namespace), requestID: id)
            }
        return .publishing(try self.asking.message(body), to: self.channel, isShard: self.isShard)
    }

    func answer(_ message: RedisMessage) throws -> EmitterAnswer? {
        guard let envelope = try ClusterMessage(message.payload), envelope.namespace == self.namespace else {
            return nil
        }
        return switch try ClusterBody(envelope.type, envelope.data) {
        case .fetchSocketsResponse(let sockets, let id): .sockets(sockets, id: id, server: envelope.uid)
        case .serverSideEmitResponse(let value, let id): .values([value ?? .null], id: id, server: envelope.uid)
        case .broadcastClientCount(let count, let id): .clientCount(count, id: id, server: envelope.uid)
        case .broadcastAck(let value, let id): .acknowledgement(value, id: id)
        default: nil
        }
    }

    // MARK: Who is there

    var countCommand: RedisCommand {
        RedisCommand("PUBSUB", self.isShard ? "SHARDNUMSUB" : "NUMSUB", self.channel, keyIndex: nil)
    }

    var listCommand: RedisCommand {
        let pattern = ClassicChannels.escape(self.channel) + String(repeating: "[0-9a-f]", count: 16) + "#"
        return RedisCommand("PUBSUB", self.isShard ? "SHARDCHANNELS" : "CHANNELS", pattern, keyIndex: nil)
    }

    func server(ofChannel channel: String) -> String? {
        guard channel.hasPrefix(self.channel), channel.hasSuffix("#") else { return nil }
        let name = String(decoding: channel.utf8.dropFirst(self.channel.utf8.count).dropLast(), as: UTF8.self)
        return ClusterID.isValid(name) ? name : nil
    }

    /// Answers say it.
    func askWhoHasAnswered(_ id: String) -> RedisCommand? { nil }
}

extension BroadcastTarget {
    /// What is no event has none.
    fileprivate var withoutFlags: BroadcastTarget { BroadcastTarget(rooms: self.rooms, except: self.except) }
}
