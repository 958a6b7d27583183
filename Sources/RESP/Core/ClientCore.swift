import Logging
import Metrics
import NIOCore
import Synchronization

/// The client behind ``RESPClient``: all of it but the outbox is confined to one event loop, on which its connections
/// are too.
///
/// `@unchecked Sendable`: what has a lock is a `Mutex`, what is constant is `Sendable`, and everything else
/// is touched on `loop` only.
final class ClientCore: @unchecked Sendable {
    struct Instruments {
        let connected = Gauge(label: "redis_connected")
        let reconnects = Counter(label: "redis_reconnects")
        let rejected = Counter(label: "redis_commands_rejected")
    }

    enum Topology {
        case unknown, oneServer
        /// The node of each slot.
        case cluster([Int?])
    }

    let options: ConnectionOptions
    let loop: any EventLoop
    let logger: Logger
    let metrics = Instruments()
    let outbox: Mutex<Outbox>
    let currentState = Mutex(RedisState.connecting)
    /// Whether nothing is left to be waited for.
    let hasEnded = Mutex(false)
    /// Why a connection was lost or could not be opened, the last time.
    let lastFailure = Mutex<RedisError?>(nil)

    // MARK: Confined to the loop

    /// By their numbers. The first is the server of the URL.
    var nodes: [Node] = []
    var nodeIDs: [RedisAddress: Int] = [:]
    var topology = Topology.unknown
    /// The node for what may go to any.
    var anyNode = 0
    var table = SubscriptionTable()
    var subscriptionBackoff: Backoff
    var subscriptionTimer: Scheduled<Void>?
    var refreshTimer: Scheduled<Void>?
    var isRefreshing = false
    var refreshBackoff: Backoff
    var probeTask: RepeatedTask?
    /// Who needs to know all nodes.
    var waitingForNodes: [() -> Void] = []
    var stateObservers: [UInt64: AsyncStream<RedisState>.Continuation] = [:]
    var lastObserver: UInt64 = 0
    /// Error codes of commands whose sender does not listen, which are logged once each.
    var loggedErrors: Set<String> = []
    /// Of batches whose completion was called, and which the outbox still counts.
    private var answeredBytes = 0
    private var isStarted = false
    private(set) var isClosed = false
    /// Connections of which something is left.
    private var openConnections = 0
    private var waitingForEnd: [CheckedContinuation<Void, Never>] = []

    init(_ options: ConnectionOptions, logger: Logger, loop: any EventLoop) {
        self.options = options
        self.logger = logger
        self.loop = loop
        self.outbox = Mutex(Outbox(limit: options.configuration.maxBufferedBytes))
        self.subscriptionBackoff = Backoff(options.configuration.backoff)
        self.refreshBackoff = Backoff(options.configuration.backoff)
    }

    func start() {
        guard !self.isStarted, !self.isClosed else { return }
        self.isStarted = true
        self.metrics.connected.record(0)
        self.node(at: self.options.seed).openCommands()
        let interval = self.options.configuration.probeInterval.timeAmount
        self.probeTask = self.loop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in self.probe() }
    }

    /// The node with an address, which is made if need be.
    func node(at address: RedisAddress) -> Node {
        if let id = self.nodeIDs[address] { return self.nodes[id] }
        let node = Node(id: self.nodes.count, address: address, self)
        self.nodes.append(node)
        self.nodeIDs[address] = node.id
        return node
    }

    var members: [Node] { self.nodes.filter { $0.isMember } }

    // MARK: Connections

    func open(_ connection: RESPConnection) {
        self.openConnections += 1
        connection.open { [self] in
            self.openConnections -= 1
            self.tellOfEnd()
        }
    }

    func linkIsUp(_ link: Link, _ connection: RESPConnection, _ outcome: Handshake.Outcome) {
        switch link.role {
        case .commands:
            if link.node.isMember {
                self.commandsAreUp(link.node)
            } else {
                self.identify(link.node, connection, outcome)
            }
        case .subscriptions: self.carrierIsUp(link.node, connection)
        case .blocking: link.node.blocking?.advance(self)
        }
    }

    func linkIsDown(_ link: Link, _ error: RedisError, unanswered: [ReplyQueue.Expectation]) {
        let node = link.node
        switch link.role {
        case .commands:
            self.outbox.withLock { $0.setOpen(false, node.id) }
            // Those of before the first loss were answered.
            self.releaseAnswered()
        case .subscriptions, .blocking: break
        }
        for expectation in unanswered {
            switch expectation {
            case .batch(let batch): self.fail(batch, error)
            case .command(let answer): answer(.failure(error))
            case .confirmations: break
            }
        }
        if link.role == .blocking {
            node.blocking?.connectionIsLost(error)
            return
        }
        if let carrier = node.carrier, carrier.connection.isClosed {
            node.carrier = nil
            self.table.lose(node.id)
        }
        guard !self.isClosed else { return }
        if link.role == .subscriptions, !self.table.hasChannels(at: node.id) { link.rest() }
        if link.role == .commands, node.isMember { self.nodeIsDown(node) }
        self.evaluateState(error)
    }

    func commandsAreUp(_ node: Node) {
        self.outbox.withLock { $0.setOpen(true, node.id) }
        self.drain(node)
        if self.chooseAnyNode() { self.placeAll() }
        self.openCarrier(node)
        self.evaluateState(nil)
    }

    func received(_ event: ReplyQueue.Event, _ link: Link) {
        switch event {
        case .completed(let batch, let replies): self.completed(batch, replies, link.node)
        case .answered(let answer, let value): answer(.success(value))
        case .confirmed(let request, let index): self.confirmed(request, index, link.node)
        case .refused(let request, let index, let message): self.refused(request, from: index, message, link.node)
        case .message(let kind, let source, let channel, let payload):
            self.deliver(RedisChannel(kind, source), channel, payload, link.node)
        case .dropped(let channel): self.dropped(channel, link.node)
        }
    }

    // MARK: Commands

    /// Tells the loop, from any thread, that something waits for a node.
    func wake(_ node: Int?) {
        guard let node else { return }
        self.loop.execute {
            if self.nodes.indices.contains(node) { self.drain(self.nodes[node]) }
        }
    }

    /// Writes what waits, as long as the connection takes it.
    func drain(_ node: Node) {
        // Writing may call back.
        guard node.isMember, !node.isDraining, let connection = node.commands?.ready else { return }
        node.isDraining = true
        defer { node.isDraining = false }
        while connection.isWritable, let segment = self.outbox.withLock({ $0.take(node.id) }) {
            connection.write(segment)
            if !connection.isWritable { connection.flush() }
        }
        connection.flush()
    }

    private func completed(_ batch: Batch, _ replies: [RedisValue], _ node: Node) {
        if !batch.commands.isEmpty, case .cluster = self.topology, self.redirect(batch, replies, node) { return }
        self.answeredBytes += batch.byteCount
        if let completion = batch.completion {
            completion(.success(batch.merged(replies)))
        } else {
            for case .error(let message) in replies { self.log(unheard: message) }
        }
    }

    private func log(unheard message: String) {
        let code = String(message.prefix { $0 != " " }.prefix(40))
        // A bound, should codes be made up.
        guard self.loggedErrors.count < 100, self.loggedErrors.insert(code).inserted else { return }
        self.logger.warning("Redis has refused a command", metadata: ["redis.error": "\(message)"])
    }

    func fail(_ batch: Batch, _ error: RedisError) {
        self.answeredBytes += batch.byteCount
        batch.completion?(.failure(error))
    }

    /// One lock for all replies of a read.
    func releaseAnswered() {
        guard self.answeredBytes > 0 else { return }
        let bytes = self.answeredBytes
        self.answeredBytes = 0
        self.outbox.withLock { $0.release(bytes) }
    }

    // MARK: The end

    /// Whether ``close()`` was called, from any thread.
    var isShutDown: Bool { self.currentState.withLock { $0 == .closed } }

    /// Ends everything. Sockets may be closed a little later.
    func close() {
        guard !self.isClosed else { return }
        self.isClosed = true
        self.probeTask?.cancel()
        self.probeTask = nil
        self.refreshTimer?.cancel()
        self.refreshTimer = nil
        self.subscriptionTimer?.cancel()
        self.subscriptionTimer = nil
        let waiting = self.outbox.withLock { $0.close() }
        for node in self.nodes { node.close(Outbox.closed) }
        for batch in waiting { batch.completion?(.failure(Outbox.closed)) }
        let actions = self.waitingForNodes
        self.waitingForNodes = []
        for action in actions { action() }
        self.nodes = []
        self.nodeIDs = [:]
        self.table.removeAll()
        self.setState(.closed, nil)
        self.tellOfEnd()
    }

    /// Resumes when no connection is left.
    func waitForEnd(_ continuation: CheckedContinuation<Void, Never>) {
        self.waitingForEnd.append(continuation)
        self.tellOfEnd()
    }

    private func tellOfEnd() {
        guard self.isClosed, self.openConnections == 0 else { return }
        self.hasEnded.withLock { $0 = true }
        let waiting = self.waitingForEnd
        self.waitingForEnd = []
        for continuation in waiting { continuation.resume() }
    }
}
