import NIOCore

/// The commands that wait to be written, for each node, encoded.
///
/// Senders append on their own threads; the event loop takes segments off, as many as its connection has room for. What
/// was taken off is never sent again after a loss, what was not is sent over the next connection.
struct Outbox: Sendable {
    /// Some batches and their bytes, which go to NIO as one buffer.
    struct Segment: Sendable {
        var bytes = ByteBuffer()
        var batches: [Batch] = []
    }

    /// What is known of the server.
    private enum Topology {
        case unknown, oneServer
        /// The node of each slot.
        case cluster([Int?])
    }

    private struct Queue {
        var full = CircularBuffer<Segment>()
        /// The one that is appended to.
        var last = Segment()
        /// Whether the connection takes commands.
        var isOpen = false
        /// Whether the loop was told that there is something and has not yet taken all.
        var isWoken = false
    }

    private static let segmentSize = 32 << 10

    private let limit: Int
    private var queues: [Queue] = []
    private var topology = Topology.unknown
    /// The node for commands without a key.
    private var anyNode = 0
    private(set) var isClosed = false
    /// Waiting to be written or answered.
    private(set) var byteCount = 0

    init(limit: Int) { self.limit = limit }

    // MARK: Senders

    /// - Returns: The node whose connection must be told on the loop that there is something; nil if it knows.
    mutating func append(
        _ commands: [RedisCommand], to node: Int? = nil, _ completion: Batch.Completion?
    ) throws(RedisError) -> Int? {
        if self.isClosed { throw Self.closed }
        let size = commands.reduce(0) { $0 + RESPEncoder.size(of: $1) }
        guard size <= self.limit - self.byteCount else {
            throw RedisError(.bufferFull, "\(self.byteCount) bytes of commands wait for Redis")
        }
        self.byteCount += size
        if case .oneServer = self.topology {
            let batch = Batch(
                commands: [], count: commands.count, byteCount: size, route: .any, completion: completion)
            return self.put(batch, commands, at: 0)
        }
        let batch = Batch(
            commands: commands, count: commands.count, byteCount: size,
            route: node.map { .node($0) } ?? Batch.route(of: commands), completion: completion)
        return self.put(batch, commands, at: self.node(for: batch.route))
    }

    private mutating func put(_ batch: Batch, _ commands: [RedisCommand], at node: Int) -> Int? {
        self.addQueues(through: node)
        if self.queues[node].last.bytes.readableBytes >= Self.segmentSize {
            self.queues[node].full.append(self.queues[node].last)
            self.queues[node].last = Segment()
        }
        for command in commands {
            if batch.isAsking { RESPEncoder.write("ASKING", [], into: &self.queues[node].last.bytes) }
            RESPEncoder.write(command, into: &self.queues[node].last.bytes)
        }
        self.queues[node].last.batches.append(batch)
        guard self.queues[node].isOpen, !self.queues[node].isWoken else { return nil }
        self.queues[node].isWoken = true
        return node
    }

    private func node(for route: Batch.Route) -> Int {
        switch (route, self.topology) {
        case (.node(let node), _): node
        case (.slot(let slot), .cluster(let owners)): owners[slot] ?? self.anyNode
        default: self.anyNode
        }
    }

    private mutating func addQueues(through node: Int) {
        while self.queues.count <= node { self.queues.append(Queue()) }
    }

    // MARK: The loop

    /// The connection to a node takes commands from now on, or does not.
    mutating func setOpen(_ isOpen: Bool, _ node: Int) {
        self.addQueues(through: node)
        self.queues[node].isOpen = isOpen
        self.queues[node].isWoken = isOpen
    }

    /// The next bytes for a node. Nil: there is nothing, and a wake-up will follow.
    mutating func take(_ node: Int) -> Segment? {
        guard node < self.queues.count else { return nil }
        if let segment = self.queues[node].full.popFirst() { return segment }
        guard !self.queues[node].last.batches.isEmpty else {
            self.queues[node].isWoken = false
            return nil
        }
        var segment = Segment()
        swap(&segment, &self.queues[node].last)
        return segment
    }

    /// A batch was answered or lost.
    mutating func release(_ bytes: Int) { self.byteCount -= bytes }

    /// Sends a batch that was taken off once more. It was counted and stays so.
    mutating func putBack(_ batch: Batch, at node: Int?) -> Int? {
        self.put(batch, batch.commands, at: node ?? self.node(for: batch.route))
    }

    // MARK: The cluster

    /// There is one server only.
    mutating func setOneServer() {
        self.topology = .oneServer
        self.anyNode = 0
    }

    /// Redis Cluster, with the node of each slot. What waits is sorted anew.
    mutating func setCluster(_ owners: [Int?], anyNode: Int) {
        self.topology = .cluster(owners)
        self.anyNode = anyNode
        for node in self.queues.indices {
            let batches = self.remove(node)
            for batch in batches { _ = self.put(batch, batch.commands, at: self.node(for: batch.route)) }
        }
        // All are looked at after this.
        for node in self.queues.indices { self.queues[node].isWoken = self.queues[node].isOpen }
    }

    /// Another node serves a slot. What waits at the former one will be redirected.
    mutating func setOwner(of slot: Int, _ node: Int) {
        guard case .cluster(var owners) = self.topology, owners.indices.contains(slot) else { return }
        self.topology = .unknown
        owners[slot] = node
        self.topology = .cluster(owners)
    }

    /// Takes off what is for this node only.
    mutating func retire(_ node: Int) -> [Batch] {
        guard node < self.queues.count else { return [] }
        self.queues[node].isOpen = false
        var pinned: [Batch] = []
        for batch in self.remove(node) {
            if batch.route == .node(node) {
                pinned.append(batch)
            } else {
                _ = self.put(batch, batch.commands, at: node)
            }
        }
        for batch in pinned { self.byteCount -= batch.byteCount }
        return pinned
    }

    private mutating func remove(_ node: Int) -> [Batch] {
        let queue = self.queues[node]
        self.queues[node].full = CircularBuffer()
        self.queues[node].last = Segment()
        return queue.full.flatMap(\.batches) + queue.last.batches
    }

    // MARK: The end

    static let closed = RedisError(.closed, "the client was shut down")

    /// - Returns: What waits, to be told outside the lock.
    mutating func close() -> [Batch] {
        self.isClosed = true
        self.byteCount = 0
        return self.queues.indices.flatMap { self.remove($0) }
    }
}
