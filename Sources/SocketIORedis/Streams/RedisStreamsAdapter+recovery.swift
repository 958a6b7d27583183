import NIOCore
import RESP
import SocketIO
import SocketIOCore

/// The stream is the log: what a session has missed is read from it, by whichever server the client comes back to.
extension RedisStreamsAdapter: SessionAdapter {
    // MARK: From the stream to the sockets

    /// Takes an entry that has its place in the order of all servers, or one of this server's own. Returns whether nothing is left to
    /// be done with it.
    ///
    /// - Throws: ``SocketIOError`` if it is malformed.
    func receive(_ entry: StreamEntry, _ type: ClusterMessageType) throws(SocketIOError) -> Bool {
        let isOwn = entry.uid == self.uid
        let local = self.node.context.local
        switch type {
        case .broadcast:
            guard case .broadcast(let event, nil, let target)? = try ClusterBody(type, try entry.field()) else {
                return isOwn
            }
            // These are not kept.
            if target.flags.volatile || event.hasID { return isOwn }
            let position = RecoveryPosition(entry.id)
            if target.rooms.isEmpty || target.rooms.contains(where: local.hasMembers) {
                let packet = try event.packet(namespace: self.namespace)
                local.deliver(packet, to: target, offset: entry.id.description, at: position)
            } else {
                local.noteRead(upTo: position)
            }
            return true
        case .socketsLeave, .disconnectSockets: return false
        default: return isOwn
        }
    }

    // MARK: Sessions

    package func keepSession(_ session: LostSession, for duration: Duration) {
        let data = session.data.compactMapValues { value in try? Self.encode(value) }
        let stored = StoredSession(
            sid: session.sid,
            pid: session.pid,
            rooms: session.rooms,
            data: .object(.init(data.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })),
            // One that was taken, and is given back before a middleware has seen its client, is not ours by that.
            namespace: session.namespaceIsKnown ? self.namespace : nil,
            history: session.startIsKnown ? session.history : nil
        )
        do {
            let command = try self.savingCommand(stored, for: duration)
            self.recovery.withLock { $0.saving += 1 }
            do {
                try self.node.redis.send([command]) { [weak self] result in
                    self?.wasSaved()
                    switch result {
                    case .success(let replies):
                        guard case .error(let message)? = replies.first else { return }
                        self?.node.report(SocketIOError.notSent("a session", RedisError(.redis, message)))
                    case .failure(let error): self?.node.report(SocketIOError.notSent("a session", error))
                    }
                }
            } catch {
                self.wasSaved()
                throw SocketIOError.notSent("a session", error)
            }
        } catch {
            self.node.report(error)
        }
    }

    private static func encode(_ value: some Codable & Sendable) throws -> SocketIOValue {
        try SocketIOValue(encoding: value)
    }

    private func wasSaved() {
        let waiting = self.recovery.withLock { $0.wasSaved() }
        for continuation in waiting { continuation.resume() }
    }

    /// How long to wait before it is looked for a session again: the server that has it may not have noticed that its client is
    /// gone before it is told.
    private static var pauses: [Duration] {
        [
            .milliseconds(20), .milliseconds(50), .milliseconds(100), .milliseconds(200), .milliseconds(400),
            .milliseconds(800),
        ]
    }

    package func takeSession(pid: String) async throws -> LostSession {
        if let session = try await self.takeOwnSession(pid: pid) { return session }
        // Anybody can make up an id that nobody has: it costs one look, and further ones as long as few are looked for.
        guard self.hub.beginSearch(limit: self.options.maxSessionSearches) else { throw RecoveryError(.limited) }
        defer { self.hub.endSearch() }
        self.tellOfReturn(pid)
        for pause in Self.pauses {
            try await Task.sleep(for: pause)
            guard try await self.hasStoredSession(pid: pid) else { continue }
            if let session = try await self.takeOwnSession(pid: pid) { return session }
        }
        throw RecoveryError(.unknownSession)
    }

    private func takeOwnSession(pid: String) async throws -> LostSession? {
        guard let session = try await self.takeStoredSession(pid: pid) else { return nil }
        // All namespaces keep theirs in one place: who has been let into one is not let into another by it.
        guard session.namespace == nil || session.namespace == self.namespace else {
            throw RecoveryError(.unknownSession)
        }
        return LostSession(session)
    }

    package func position(of offset: String) -> RecoveryPosition? {
        StreamID(offset).map { RecoveryPosition($0) }
    }

    // MARK: What was missed

    /// How many entries are read at a time, and how many times.
    private static var pageSize: Int { 1000 }
    private static var maxPages: Int { 200 }

    package func missed(
        by session: LostSession,
        after position: RecoveryPosition,
        isFirst: Bool,
        limit: Int
    ) async throws -> MissedPackets {
        if isFirst { try await self.checkIsComplete(after: position) }
        // What was given to sockets of this server by now is in the stream.
        var missed = MissedPackets(packets: [], upTo: max(position, self.node.context.local.readPosition))
        let attendance = session.attendance
        var next = StreamID(position).next
        var bytes = 0
        for _ in 0..<Self.maxPages {
            guard let from = next else { return missed }
            let page = try await self.node.redis.send(
                RedisCommand("XRANGE", self.stream, from.description, "+", "COUNT", "\(Self.pageSize)"))
            let values = page.elements ?? []
            for value in values {
                guard let entry = StreamEntry(value), let packet = self.missed(entry, by: attendance) else { continue }
                let stamped = try PacketEncoder.withOffset(packet.encoded, entry.id.description)
                bytes += stamped.frames.readableBytes + 256
                if bytes > limit { throw RecoveryError(.tooMuchMissed) }
                missed.packets.append(stamped)
            }
            if let last = values.last.flatMap({ StreamEntry.id(of: $0) }) {
                missed.upTo = max(missed.upTo, RecoveryPosition(last))
                next = last.next
            }
            if values.count < Self.pageSize { return missed }
        }
        throw RecoveryError(.tooMuchMissed)
    }

    /// - Throws: ``RecoveryError`` if entries behind `position` were trimmed, or the stream is not what it was.
    private func checkIsComplete(after position: RecoveryPosition) async throws {
        let id = StreamID(position)
        let range = id == .zero ? ("-", "+") : (id.description, id.description)
        let found = try await self.node.redis.send(
            RedisCommand("XRANGE", self.stream, range.0, range.1, "COUNT", "1"))
        let isThere = found.elements?.isEmpty == false
        if id != .zero {
            // Positions are ids of entries. Trimming takes the oldest: where this one is left, all behind it are.
            guard isThere else { throw RecoveryError(.packetsDropped) }
        } else if isThere, try await !self.nothingWasTrimmed() {
            // The session began before the first entry.
            throw RecoveryError(.packetsDropped)
        }
    }

    /// Whether the stream still holds all that was ever written to it. Before Redis 7 it does not know.
    private func nothingWasTrimmed() async throws -> Bool {
        let info = try await self.node.redis.send(RedisCommand("XINFO", "STREAM", self.stream, keyIndex: 2))
        func number(_ name: String) -> Int? {
            switch info {
            case .map(let pairs): return pairs.first { $0.key.text == name }?.value.int
            default:
                guard let fields = info.elements, let index = fields.firstIndex(where: { $0.text == name }),
                    index + 1 < fields.count
                else { return nil }
                return fields[index + 1].int
            }
        }
        guard let length = number("length"), let added = number("entries-added") else { return false }
        return length == added
    }

    /// The packet of an entry that a session should have got; nil if it is none.
    private func missed(_ entry: StreamEntry, by attendance: Attendance) -> BroadcastPacket? {
        guard entry.namespace == self.namespace, entry.type == ClusterMessageType.broadcast.rawValue,
            case .broadcast(let event, nil, let target)? = try? ClusterBody(.broadcast, try? entry.field()),
            !event.hasID, !target.flags.volatile,
            attendance.isMet(by: target.rooms, except: target.except, at: RecoveryPosition(entry.id))
        else { return nil }
        return try? event.packet(namespace: self.namespace)
    }
}

extension LostSession {
    fileprivate init(_ stored: StoredSession) {
        let own = Room(stored.sid)
        var history = RoomHistory(start: stored.history?.start ?? RecoveryPosition())
        for room in stored.rooms where room != own {
            history.since[room] = stored.history?.since[room] ?? RecoveryPosition()
        }
        history.past = stored.history?.past ?? []
        history.forgottenUpTo = stored.history?.forgottenUpTo ?? RecoveryPosition()
        var data: [String: any Codable & Sendable] = [:]
        if case .object(let members) = stored.data { for (key, value) in members { data[key] = value } }
        self.init(sid: stored.sid, pid: stored.pid, history: history, data: data)
        self.startIsKnown = stored.history != nil
        self.namespaceIsKnown = stored.namespace != nil
    }
}
