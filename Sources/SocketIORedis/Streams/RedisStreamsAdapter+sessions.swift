import EngineIOCore
import MessagePack
import NIOCore
import RESP
import SocketIO
import SocketIOCore

/// A session in Redis: a map in MessagePack with the fields of the reference, and one of ours, which it does not look at: of which
/// namespace the session is, where it has begun, and since when it was in which rooms.
struct StoredSession: Sendable, Hashable {
    /// The socket's id.
    var sid: String
    /// The private id of the session: who knows it can continue it.
    var pid: String
    /// The rooms it was in, that of its own id included.
    var rooms: [Room]
    /// Its data.
    var data: SocketIOValue = [:]
    /// Nil: it was kept by a server of another kind.
    var namespace: String?
    /// Nil: that, or it is not known where it has begun.
    var history: RoomHistory?
}

extension RedisStreamsAdapter {
    /// The command that keeps a session.
    ///
    /// - Throws: ``SocketIOError`` with code `encoding_failed` if the data can't be encoded, or has the key `__proto__`, at which
    ///   Node.js servers come to a halt.
    func savingCommand(_ session: StoredSession, for duration: Duration) throws -> RedisCommand {
        var writer = MessagePackWriter(.msgpackJS)
        let own = session.own
        writer.writeMapHeader(own == nil ? 4 : 5)
        writer.write("sid")
        writer.write(session.sid)
        writer.write("pid")
        writer.write(session.pid)
        writer.write("rooms")
        writer.writeArrayHeader(session.rooms.count)
        for room in session.rooms { writer.write(room.name) }
        writer.write("data")
        try writer.write(session.data)
        if let own {
            writer.write("swift-socketio")
            try writer.write(own)
        }
        try ForbiddenKey.check(writer.buffer)
        return RedisCommand(
            arguments: [
                ByteBuffer(string: "SET"), self.sessionKey(session.pid), StreamEntry.base64(writer.buffer),
                ByteBuffer(string: "PX"), ByteBuffer(string: String(max(1, duration.milliseconds))),
            ])
    }

    /// Takes a session out of the store; nil if there is none.
    ///
    /// - Throws: what Redis or the client has against it.
    func takeStoredSession(pid: String) async throws -> StoredSession? {
        let key = self.sessionKey(pid)
        // A session must be taken by one server only.
        let taken = try await self.node.redis.send([
            RedisCommand("MULTI", keyIndex: nil),
            RedisCommand(arguments: [ByteBuffer(string: "GET"), key]),
            RedisCommand(arguments: [ByteBuffer(string: "DEL"), key]),
            RedisCommand("EXEC", keyIndex: nil),
        ])
        guard let results = taken.last else { return nil }
        if case .error(let message) = results { throw RedisError(.redis, message) }
        guard let text = results.elements?.first?.bytes else { return nil }
        return Self.session(Base64.decodeLeniently(text), pid: pid)
    }

    func hasStoredSession(pid: String) async throws -> Bool {
        let reply = try await self.node.redis.send(
            RedisCommand(arguments: [ByteBuffer(string: "EXISTS"), self.sessionKey(pid)]))
        return reply.int == 1
    }

    private func sessionKey(_ pid: String) -> ByteBuffer { ByteBuffer(string: self.options.sessionKeyPrefix + pid) }

    static func session(_ bytes: ByteBuffer, pid: String) -> StoredSession? {
        var reader = MessagePackReader(bytes, maxDepth: MessageDepth.limit)
        guard let value = try? reader.read(), let sid = value["sid"]?.stringValue, value["pid"]?.stringValue == pid
        else { return nil }
        return StoredSession(
            sid: sid,
            pid: pid,
            rooms: value["rooms"]?.arrayValue?.compactMap { Room($0) } ?? [],
            data: value["data"] ?? [:],
            namespace: value["swift-socketio"]?["namespace"]?.stringValue,
            history: value["swift-socketio"].flatMap { RoomHistory($0) }
        )
    }
}

extension StoredSession {
    /// Our own field.
    fileprivate var own: SocketIOValue? {
        guard self.namespace != nil || self.history != nil else { return nil }
        var members = self.history?.members ?? []
        if let namespace = self.namespace { members.append(("namespace", .string(namespace))) }
        return .object(.init(members))
    }
}

/// A history as a value: `{start, forgotten, since: [[room, position]…], past: [[room, from, to]…]}`, positions as ids of entries.
extension RoomHistory {
    fileprivate var members: [(String, SocketIOValue)] {
        func text(_ position: RecoveryPosition) -> SocketIOValue { .string(StreamID(position).description) }
        return [
            ("start", text(self.start)),
            ("forgotten", text(self.forgottenUpTo)),
            ("since", .array(self.since.map { .array([.string($0.key.name), text($0.value)]) })),
            ("past", .array(self.past.map { .array([.string($0.room.name), text($0.from), text($0.to)]) })),
        ]
    }

    fileprivate init?(_ value: SocketIOValue) {
        func position(_ value: SocketIOValue?) -> RecoveryPosition? {
            value?.stringValue.flatMap { StreamID($0) }.map { RecoveryPosition($0) }
        }
        guard let start = position(value["start"]) else { return nil }
        self.init(start: start)
        self.forgottenUpTo = position(value["forgotten"]) ?? RecoveryPosition()
        for pair in value["since"]?.arrayValue ?? [] {
            guard let room = pair[0].flatMap({ Room($0) }), let since = position(pair[1]) else { return nil }
            self.since[room] = since
        }
        for stay in value["past"]?.arrayValue ?? [] {
            guard let room = stay[0].flatMap({ Room($0) }), let from = position(stay[1]), let to = position(stay[2])
            else { return nil }
            self.past.append(Stay(room: room, from: from, to: to))
        }
    }
}

extension RecoveryPosition {
    init(_ id: StreamID) { self.init(high: id.milliseconds, low: id.sequence) }
}

extension StreamID {
    init(_ position: RecoveryPosition) { self.init(milliseconds: position.high, sequence: position.low) }
}
