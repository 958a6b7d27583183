import RESP
import SocketIO
import SocketIOCore

/// The other servers of a cluster.
struct ClusterServers: Sendable {
    /// How many there are, this one not counted.
    var count = 0
    /// Those whose ids are known.
    var names: [String] = []
}

extension ClusterNode {
    // MARK: Who is there

    func serverCount() async throws -> Int {
        guard let others = try await self.others(within: self.options.requestsTimeout) else {
            throw SocketIOError(.clusterUnavailable, "the servers can't be counted: Redis does not answer")
        }
        return others.count + 1
    }

    /// The other servers that listen at this moment; nil if Redis does not say so in time.
    ///
    /// - Throws: what Redis or the client has against it.
    private func others(within timeout: Duration) async throws -> ClusterServers? {
        let end = ContinuousClock.now + timeout
        for readiness in self.subscribed where !readiness.isReached {
            try await readiness.wait(for: end - .now)
        }
        async let names = self.names(within: end - .now)
        let command = RedisCommand(
            "PUBSUB", self.options.kind == .shard ? "SHARDNUMSUB" : "NUMSUB", self.channel, keyIndex: nil)
        guard let replies = try await self.askRedis(command, within: end - .now) else { return nil }
        // The channel and its number.
        let count = replies.reduce(0) { $0 + max(0, min($1.elements?.last?.int ?? 0, 1 << 32)) }
        let others = ClusterServers(count: max(0, count - 1), names: await names)
        guard self.redis.state.isUsable else {
            // While subscriptions are being renewed some servers may not be counted, this one among them.
            let known = self.knownOthers
            return known.count > others.count ? known : others
        }
        self.state.withLock { $0.others = others }
        return others
    }

    /// The replies of all nodes of Redis; nil if they don't come in time.
    private func askRedis(_ command: RedisCommand, within timeout: Duration) async throws -> [RedisValue]? {
        let query = ClusterQuery<Result<[RedisValue], any Error>>()
        query.expect(1)
        let task = Task {
            do { query.receive([.success(try await self.redis.sendToAllNodes(command))]) } catch {
                query.receive([.failure(error)])
            }
        }
        defer { task.cancel() }
        try await query.wait(for: timeout)
        return try query.answer().elements.first?.get()
    }

    /// The ids of the other servers, from the channels on which they expect answers; none if Redis does not say.
    private func names(within timeout: Duration) async -> [String] {
        let pattern = self.channel.globEscaped + String(repeating: "[0-9a-f]", count: 16) + "#"
        let command = RedisCommand(
            "PUBSUB", self.options.kind == .shard ? "SHARDCHANNELS" : "CHANNELS", pattern, keyIndex: nil)
        guard let replies = try? await self.askRedis(command, within: timeout) else { return [] }
        let channels = Set(replies.flatMap { $0.elements ?? [] }.compactMap(\.text))
        let start = self.channel.utf8.count
        return channels.map { String(decoding: $0.utf8.dropFirst(start).dropLast(), as: UTF8.self) }
            .filter { ClusterID.isValid($0) && $0 != self.uid }
    }

    var knownOthers: ClusterServers { self.state.withLock { $0.others } }

    // MARK: Questions

    func fetchSockets(_ target: BroadcastTarget) async throws -> ClusterAnswer<SocketDescription> {
        let local = self.context.local.describeSockets(target)
        var answer = try await self.ask(self.sockets, timeout: target.flags.timeout) {
            .fetchSockets(target, requestID: $0)
        }
        answer.elements.insert(contentsOf: local, at: 0)
        return answer
    }

    func serverSideEmit(_ packet: BroadcastPacket) {
        do {
            let event = try ClusterEvent(packet, namespace: self.namespace)
            try self.publish(.serverSideEmit(event, requestID: nil), event: packet.event)
        } catch {
            self.report(error, event: packet.event)
        }
    }

    func serverSideEmitWithAck(
        _ packet: BroadcastPacket,
        timeout: Duration?
    ) async throws -> ClusterAnswer<SocketIOValue> {
        let event = try ClusterEvent(packet, namespace: self.namespace)
        return try await self.ask(self.answers, timeout: timeout) { .serverSideEmit(event, requestID: $0) }
    }

    /// Asks all other servers, and returns what has come when all have answered or the time is up.
    private func ask<Element: Sendable>(
        _ queries: ClusterQueries<Element>,
        timeout: Duration?,
        _ question: @escaping @Sendable (_ requestID: String) -> ClusterBody
    ) async throws -> ClusterAnswer<Element> {
        let id = ClusterID.random()
        let known = self.knownOthers
        let timeout = timeout ?? self.options.requestsTimeout
        return try await queries.ask(id, timeout: timeout, ifUnknown: known.count) { query in
            query.name(known.names)
            Task {
                do {
                    guard let others = try await self.others(within: timeout) else { return query.finish() }
                    // Who has asked is gone: nobody is to do anything for it any more.
                    guard !query.isDone else { return }
                    query.forget(allBut: others.names, of: known.names)
                    query.name(others.names)
                    if others.count > 0 { try self.publish(question(id)) }
                    query.expect(others.count)
                } catch {
                    // Redis can't be asked: this server's part is the answer, and those who were there are missing.
                    self.report(error)
                    query.finish()
                }
            }
        }
    }

    func broadcastWithAck(_ packet: BroadcastPacket, to target: BroadcastTarget, collector: AckCollector) {
        let id = ClusterID.random()
        self.collectors.withLock { $0[id] = collector }
        collector.onFinish { [weak self] in
            let collector = self?.collectors.withLock { $0.removeValue(forKey: id) }
            _ = collector
        }
        do {
            let event = try ClusterEvent(packet, namespace: self.namespace)
            try self.publish(.broadcast(event, requestID: id, target), event: packet.event)
        } catch {
            self.report(error, event: packet.event)
        }
        self.context.local.broadcastWithAck(packet, to: target, collector: collector)
        let known = self.knownOthers
        let patience = min(target.flags.timeout ?? self.options.requestsTimeout, self.options.requestsTimeout) / 4 * 3
        // Redis may not say who is there.
        let fallback = Task {
            try await Task.sleep(for: patience)
            collector.expectServers(known.count + 1, others: known.names)
        }
        Task {
            let others = (try? await self.others(within: self.options.requestsTimeout)) ?? known
            fallback.cancel()
            collector.expectServers(others.count + 1, others: others.names)
        }
    }
}

extension String {
    /// With a backslash before each character that means something in a glob pattern of Redis.
    fileprivate var globEscaped: String {
        var escaped = ""
        for character in self.unicodeScalars {
            if "*?[]\\^".unicodeScalars.contains(character) { escaped.append("\\") }
            escaped.unicodeScalars.append(character)
        }
        return escaped
    }
}

extension ClusterQuery {
    /// Drops names of servers that were known once and are not there any more.
    fileprivate func forget(allBut names: [String], of known: [String]) {
        for name in Set(known).subtracting(names) { self.forget(name) }
    }
}
