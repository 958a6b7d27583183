import RESP
import SocketIO
import SocketIOCore

extension EmitterNamespace {
    // MARK: Who is there

    /// - Throws: ``SocketIOError`` with code `cluster_unavailable`.
    func countServers(within timeout: Duration?) async throws -> Int {
        let replies = try await self.line.replies(
            to: self.wire.countCommand, within: timeout ?? self.wire.requestsTimeout)
        // The channel and its number.
        return replies.reduce(0) { $0 + max(0, min($1.elements?.last?.int ?? 0, 1 << 32)) }
    }

    /// The ids of the servers; none if Redis does not say them.
    private func names(within timeout: Duration) async -> [String] {
        guard let replies = try? await self.line.replies(to: self.wire.listCommand, within: timeout) else { return [] }
        let channels = Set(replies.flatMap { $0.elements ?? [] }.compactMap(\.text))
        return channels.compactMap { self.wire.server(ofChannel: $0) }
    }

    private func askWhoHasAnswered(_ id: String) {
        // Names are a courtesy: without them the number of those missing is told.
        guard let command = try? self.wire.askWhoHasAnswered(id) else { return }
        try? self.line.send(command, onFailure: { _ in })
    }

    // MARK: Events

    /// Sends a message and waits for Redis. Returns how many servers have listened, if that is known.
    func publish(_ message: EmitterMessage, timeout: Duration?) async throws -> Int? {
        let timeout = timeout ?? self.wire.requestsTimeout
        let reply = try await self.line.reply(to: try self.wire.command(message), within: timeout)
        guard let listeners = self.wire.listeners(reply) else { return nil }
        guard self.wire.repliesAreOfOneNode, self.line.isCluster != false else { return listeners }
        let count = try await self.countServers(within: timeout)
        return self.line.isCluster == true ? count : listeners
    }

    // MARK: Questions

    func fetchSockets(_ target: BroadcastTarget) async throws -> ClusterAnswer<SocketDescription> {
        try await self.fetchSocketsAndCount(target).answer
    }

    func fetchSocketsAndCount(
        _ target: BroadcastTarget
    ) async throws -> (answer: ClusterAnswer<SocketDescription>, servers: Int) {
        try await self.ask(self.sockets, .sockets(target), timeout: target.flags.timeout)
    }

    func askServers(_ packet: BroadcastPacket, timeout: Duration?) async throws -> ClusterAnswer<SocketIOValue> {
        try await self.ask(self.values, .serverSideEvent(packet), timeout: timeout).answer
    }

    /// Asks all servers, and returns what has come when all have answered or the time is up.
    private func ask<Element: Sendable>(
        _ queries: ClusterQueries<Element>,
        _ question: EmitterQuestion,
        timeout: Duration?
    ) async throws -> (answer: ClusterAnswer<Element>, servers: Int) {
        let deadline = ContinuousClock.now + (timeout ?? self.wire.requestsTimeout).bounded
        let id = self.wire.makeID()
        let command = try self.wire.question(question, id: id)
        try await self.beginAsking(within: deadline.left)
        defer { self.endAsking() }
        let servers = try await self.countServers(within: deadline.left)
        guard servers > 0 else { return (ClusterAnswer([]), 0) }
        let failure = EmitterFailure()
        let answer = try await queries.ask(
            id,
            timeout: deadline.left,
            onLate: { [weak self] query in
                Task {
                    guard let self else { return }
                    query.name(await self.names(within: deadline.left))
                    self.askWhoHasAnswered(id)
                }
            }
        ) { query in
            query.expect(servers)
            try self.line.send(command) { error in
                failure.set(error)
                query.finish()
            }
        }
        if let error = failure.error { throw error }
        return (answer, servers)
    }

    /// Asks sockets for acknowledgements.
    func collect(_ packet: BroadcastPacket, _ target: BroadcastTarget) async throws -> [AckAnswer] {
        var target = target
        // The servers must wait as long as this.
        let timeout = (target.flags.timeout ?? .seconds(10)).bounded
        target.flags.timeout = timeout
        let deadline = ContinuousClock.now + timeout
        let id = self.wire.makeID()
        let command = try self.wire.question(.acknowledgements(packet, target), id: id)
        try await self.beginAsking(within: deadline.left)
        defer { self.endAsking() }
        let servers = try await self.countServers(within: deadline.left)
        guard servers > 0 else { return [] }
        let collector = AckCollector()
        collector.expectServers(servers)
        self.acknowledgements.add(collector, id)
        defer { self.acknowledgements.remove(id) }
        let failure = EmitterFailure()
        try self.line.send(command) { error in
            failure.set(error)
            collector.finish()
        }
        let naming = Task {
            try await Task.sleep(for: deadline.left / 4 * 3)
            collector.expectServers(servers, others: await self.names(within: deadline.left))
            self.askWhoHasAnswered(id)
        }
        defer { naming.cancel() }
        do {
            return try await AckCollector.collect([collector], timeout: deadline.left)
        } catch {
            throw failure.error ?? error
        }
    }
}

extension Duration {
    /// Within what can be added to a clock.
    fileprivate var bounded: Duration { min(max(self, .zero), .seconds(365 * 86_400)) }
}

extension ContinuousClock.Instant {
    /// How long it is until then.
    fileprivate var left: Duration { max(.zero, self - .now) }
}
