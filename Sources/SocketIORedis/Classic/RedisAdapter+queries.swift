import NIOCore
import RESP
import SocketIO
import SocketIOCore
import Synchronization

/// Questions to the other servers.
extension RedisAdapter {
    public func fetchSockets(_ target: BroadcastTarget) async throws -> ClusterAnswer<SocketDescription> {
        let own = self.context.local.describeSockets(target)
        let timeout = target.flags.timeout ?? self.options.requestsTimeout
        let answer = try await self.ask(timeout) { id in
            [
                "uid": .string(self.uid), "requestId": .string(id), "type": 5,
                "opts": ClassicPacket.options(target),
            ]
        }
        // A socket that has moved, or an answer that has come twice, counts once.
        var ids = Set(own.map(\.id))
        let others = answer.elements.compactMap { SocketDescription($0) }.filter { ids.insert($0.id).inserted }
        return answer.with(own + others)
    }

    /// The rooms that have a member on any server, those of the sockets' own ids included, each once. What is returned names the
    /// servers that have not answered in time.
    ///
    /// - Parameter timeout: How long answers are waited for; nil: ``RedisAdapterOptions/requestsTimeout``.
    public func allRooms(timeout: Duration? = nil) async throws -> ClusterAnswer<Room> {
        let own = self.context.local.rooms
        let answer = try await self.ask(timeout ?? self.options.requestsTimeout) { id in
            ["uid": .string(self.uid), "requestId": .string(id), "type": 1]
        }
        return answer.with(Array(own.union(answer.elements.compactMap { Room($0) })))
    }

    public func serverSideEmitWithAck(
        _ packet: BroadcastPacket, timeout: Duration?
    ) async throws -> ClusterAnswer<SocketIOValue> {
        // What can't be sent is the caller's error, with or without others.
        _ = try self.serverSideEvent(packet, id: nil)
        return try await self.ask(timeout ?? self.options.requestsTimeout) { id in
            try self.serverSideEvent(packet, id: id)
        }
    }

    public func serverSideEmit(_ packet: BroadcastPacket) {
        do { try self.publish(self.channels.request, self.serverSideEvent(packet, id: nil)) } catch {
            self.context.report(SocketIOError.notSent("an event between servers", error), packet.event)
        }
    }

    private func serverSideEvent(_ packet: BroadcastPacket, id: String?) throws -> ByteBuffer {
        try ClassicRequest.serverSideEvent(packet, id: id, namespace: self.context.namespace, uid: self.uid)
    }

    // MARK: Asking

    private func ask(
        _ timeout: Duration, _ request: (String) throws -> SocketIOValue
    ) async throws -> ClusterAnswer<SocketIOValue> {
        try await self.ask(timeout) { id in try JSONText.write(try request(id)) }
    }

    /// Counts the others, asks them, and returns what has come in time. If half of it is not enough to count them, Redis is away:
    /// then those who were there before are missing.
    private func ask(
        _ timeout: Duration, _ request: (String) throws -> ByteBuffer
    ) async throws -> ClusterAnswer<SocketIOValue> {
        let start = ContinuousClock.now
        let known = self.state.withLock { $0.others }
        guard let others = try await self.countOthers(within: timeout / 2) else {
            return ClusterAnswer([], missingServerCount: known)
        }
        guard others > 0 else { return ClusterAnswer([]) }
        let id = ClassicID.make()
        let payload = try request(id)
        let rest = timeout - (ContinuousClock.now - start)
        do {
            return try await self.queries.ask(id, timeout: rest, onLate: { [weak self] in self?.nameMissing($0, id) }) {
                query in
                query.expect(others)
                try self.publish(self.channels.request, payload)
            }
        } catch let error as SocketIOError where error.code == .clusterUnavailable {
            return ClusterAnswer([], missingServerCount: others)
        }
    }

    // MARK: Counting

    public func serverCount() async throws -> Int {
        guard let others = try await self.countOthers(within: self.options.requestsTimeout) else {
            throw SocketIOError(.clusterUnavailable, "the servers can't be counted: Redis does not answer")
        }
        return others + 1
    }

    /// How many other servers there are; nil if Redis does not say so in time.
    func countOthers(within timeout: Duration) async throws -> Int? {
        let start = ContinuousClock.now
        // Answers could not be heard before, and the count would not be with this server.
        if !self.subscribed.isReached { try await self.subscribed.wait(for: timeout) }
        let command = RedisCommand("PUBSUB", "NUMSUB", self.channels.request, keyIndex: nil)
        guard let replies = try await self.askRedis(command, timeout - (ContinuousClock.now - start)) else {
            return nil
        }
        var count = 0
        for reply in replies {
            let (sum, isTooMuch) = count.addingReportingOverflow(max(0, reply.elements?.last?.int ?? 0))
            count = isTooMuch ? Int.max : sum
        }
        // This server is among them.
        let others = max(0, count - 1)
        guard self.redis.state.isUsable else {
            // While subscriptions are being renewed some servers may not be counted, this one among them.
            return max(others, self.state.withLock { $0.others })
        }
        self.state.withLock { $0.others = others }
        return others
    }

    /// The replies of all nodes of Redis; nil if they don't come in time, or with an error.
    private func askRedis(_ command: RedisCommand, _ timeout: Duration) async throws -> [RedisValue]? {
        let replies = ClusterQuery<RedisValue>()
        replies.expect(1)
        let task = Task {
            do { replies.receive(try await self.redis.sendToAllNodes(command)) } catch { replies.finish() }
        }
        defer { task.cancel() }
        try await replies.wait(for: timeout)
        let answer = replies.answer()
        return answer.isComplete ? answer.elements : nil
    }

    // MARK: Who is missing

    /// Names all others, and asks them who has answered. Those of other kinds don't say it.
    private func nameMissing(_ query: ClusterQuery<SocketIOValue>, _ id: String) {
        Task {
            guard let names = await self.names() else { return }
            query.name(names)
            self.askWhoHasAnswered(id)
        }
    }

    /// The ids of the other servers; nil if Redis does not say them.
    func names() async -> [String]? {
        let command = RedisCommand("PUBSUB", "CHANNELS", self.channels.responsePattern, keyIndex: nil)
        guard let replies = try? await self.askRedis(command, self.options.requestsTimeout) else { return nil }
        let channels = Set(replies.flatMap { $0.elements ?? [] }.compactMap(\.text))
        return channels.compactMap { self.channels.uid(ofResponseChannel: $0) }.filter { $0 != self.uid }
    }
}

extension ClusterAnswer {
    /// The same servers are missing from another list.
    func with<Other>(_ elements: [Other]) -> ClusterAnswer<Other> {
        ClusterAnswer<Other>(
            elements, missingServerCount: self.missingServerCount, missingServers: self.missingServers)
    }
}
