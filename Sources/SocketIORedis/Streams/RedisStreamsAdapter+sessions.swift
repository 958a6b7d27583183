import EngineIOCore
import MessagePack
import NIOCore
import RESP
import SocketIO
import SocketIOCore

/// What is kept of a socket whose connection was lost, so that it can be continued on any server.
public struct StoredSession: Sendable, Hashable {
    /// The socket's id.
    public var sid: String
    /// The private id of the session: who knows it can continue it.
    public var pid: String
    /// The rooms it was in, that of its own id included.
    public var rooms: [Room]
    /// Its data.
    public var data: SocketIOValue

    public init(sid: String, pid: String, rooms: [Room], data: SocketIOValue = [:]) {
        self.sid = sid
        self.pid = pid
        self.rooms = rooms
        self.data = data
    }
}

/// A session that is continued.
public struct RestoredSession: Sendable {
    /// A broadcast that the client has not got.
    public struct MissedPacket: Sendable {
        /// The event and its arguments, the offset not among them.
        public var packet: BroadcastPacket
        /// What the client is to send if this packet was the last it has got.
        public var offset: String
    }

    public var session: StoredSession
    /// In the order in which they were sent.
    public var missedPackets: [MissedPacket]
}

extension RedisStreamsAdapter {
    /// Keeps a session for some time.
    ///
    /// - Parameter duration: How long it can be restored, at least a millisecond.
    /// - Throws: ``SocketIOError`` with code `encoding_failed` if the data can't be encoded, or has the key `__proto__`, at which
    ///   Node.js servers come to a halt; what Redis or the client has against it.
    public func saveSession(_ session: StoredSession, for duration: Duration) async throws {
        var writer = MessagePackWriter(.msgpackJS)
        writer.writeMapHeader(4)
        writer.write("sid")
        writer.write(session.sid)
        writer.write("pid")
        writer.write(session.pid)
        writer.write("rooms")
        writer.writeArrayHeader(session.rooms.count)
        for room in session.rooms { writer.write(room.name) }
        writer.write("data")
        try writer.write(session.data)
        try ForbiddenKey.check(writer.buffer)
        let command = RedisCommand(
            arguments: [
                ByteBuffer(string: "SET"), self.sessionKey(session.pid), StreamEntry.base64(writer.buffer),
                ByteBuffer(string: "PX"), ByteBuffer(string: String(max(1, duration.milliseconds))),
            ])
        _ = try await self.node.redis.send(command)
    }

    /// Takes a session out of the store, with what its socket has missed: broadcasts to it behind `offset`. Not missed is what was
    /// volatile or wanted an acknowledgement. It is gone from the store then, whatever comes of it.
    ///
    /// - Parameters:
    ///   - pid: The private id, as the client says it.
    ///   - offset: The offset of the last packet that the client has got, as it says it.
    /// - Returns: nil if there is no such session, or the offset is none or too old.
    /// - Throws: what Redis or the client has against it.
    public func restoreSession(pid: String, offset: String) async throws -> RestoredSession? {
        guard pid.utf8.count <= 256, let offset = StreamID(offset) else { return nil }
        let key = self.sessionKey(pid)
        // Some session must be taken by one server only.
        async let taken = self.node.redis.send([
            RedisCommand("MULTI", keyIndex: nil),
            RedisCommand(arguments: [ByteBuffer(string: "GET"), key]),
            RedisCommand(arguments: [ByteBuffer(string: "DEL"), key]),
            RedisCommand("EXEC", keyIndex: nil),
        ])
        async let known = self.node.redis.send(
            RedisCommand("XRANGE", self.stream, offset.description, offset.description))
        guard let results = try await taken.last else { return nil }
        if case .error(let message) = results { throw RedisError(.redis, message) }
        guard let text = results.elements?.first?.bytes, try await known.elements?.isEmpty == false,
            let session = Self.session(Base64.decodeLeniently(text), pid: pid)
        else { return nil }
        return RestoredSession(session: session, missedPackets: try await self.missedPackets(session, after: offset))
    }

    private func sessionKey(_ pid: String) -> ByteBuffer { ByteBuffer(string: self.options.sessionKeyPrefix + pid) }

    private static func session(_ bytes: ByteBuffer, pid: String) -> StoredSession? {
        var reader = MessagePackReader(bytes, maxDepth: MessageDepth.limit)
        guard let value = try? reader.read(), let sid = value["sid"]?.stringValue, value["pid"]?.stringValue == pid
        else { return nil }
        return StoredSession(
            sid: sid,
            pid: pid,
            rooms: value["rooms"]?.arrayValue?.compactMap { Room($0) } ?? [],
            data: value["data"] ?? [:]
        )
    }

    /// How many entries are read at a time, and how many times.
    private static var pageSize: Int { 1000 }
    private static var maxPages: Int { 100 }

    private func missedPackets(
        _ session: StoredSession,
        after offset: StreamID
    ) async throws -> [RestoredSession.MissedPacket] {
        var missed: [RestoredSession.MissedPacket] = []
        let rooms = Set(session.rooms)
        var next = offset.next
        for _ in 0..<Self.maxPages {
            guard let from = next else { break }
            let page = try await self.node.redis.send(
                RedisCommand("XRANGE", self.stream, from.description, "+", "COUNT", "\(Self.pageSize)"))
            guard let values = page.elements, !values.isEmpty else { break }
            for value in values {
                guard let entry = StreamEntry(value), let packet = self.missed(entry, rooms) else { continue }
                missed.append(.init(packet: packet, offset: entry.id.description))
            }
            next = values.last.flatMap { StreamEntry.id(of: $0) }?.next
        }
        return missed
    }

    /// The packet of an entry that a socket in these rooms should have got; nil if it is none.
    private func missed(_ entry: StreamEntry, _ rooms: Set<Room>) -> BroadcastPacket? {
        guard entry.namespace == self.namespace, entry.type == ClusterMessageType.broadcast.rawValue,
            case .broadcast(let event, nil, let target)? = try? ClusterBody(.broadcast, try? entry.field()),
            !event.hasID, !target.flags.volatile, target.rooms.isEmpty || target.rooms.contains(where: rooms.contains),
            !target.except.contains(where: rooms.contains)
        else { return nil }
        return try? event.packet(namespace: self.namespace)
    }
}
