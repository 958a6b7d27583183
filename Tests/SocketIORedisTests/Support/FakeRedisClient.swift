import NIOCore
import RESP
import Synchronization
import TestSupport

/// A client of a ``FakeRedis``: what a test does with Redis and with the way to it is done here.
final class FakeRedisClient: RedisClient {
    typealias Completion = @Sendable (Result<[RedisValue], RedisError>) -> Void

    /// Whether the client reaches Redis.
    enum Reach: Sendable {
        case up
        /// Commands are kept until Redis is back; messages are lost.
        case away
        /// Commands are refused, as when no more can be kept; messages are lost.
        case refusing
    }

    /// What becomes of messages on their way to the client.
    enum Delivery: Sendable {
        case normal
        case held
        case lost
        case twice
    }

    private struct State {
        var reach = Reach.up
        var delivery = Delivery.normal
        var isStarted = false
        var isClosed = false
        var wasAway = false
        var kept: [([RedisCommand], Completion?)] = []
        var held: [RedisMessage] = []
        var subscriptions: [FakeSubscription] = []
        var watchers: [AsyncStream<RedisState>.Continuation] = []

        var isUp: Bool { self.reach == .up && self.isStarted && !self.isClosed }
    }

    let name: String
    private let server: FakeRedis
    private let shared = Mutex(State())
    private let startCount = Mutex(0)

    init(_ server: FakeRedis, name: String) {
        self.server = server
        self.name = name
    }

    /// How often ``start()`` was called.
    var starts: Int { self.startCount.withLock { $0 } }

    func start() {
        self.startCount.withLock { $0 += 1 }
        let isFirst = self.shared.withLock { state in
            defer { state.isStarted = true }
            return !state.isStarted
        }
        if isFirst { self.resume() }
    }

    func shutdown() async {
        let (kept, watchers) = self.shared.withLock { state in
            state.isClosed = true
            defer { state.kept = [] }
            return (state.kept, state.watchers)
        }
        self.server.remove(self)
        for (_, completion) in kept { completion?(.failure(RedisError(.closed, "shut down"))) }
        for watcher in watchers {
            watcher.yield(.closed)
            watcher.finish()
        }
    }

    // MARK: What tests do

    /// Loses or regains Redis. What was kept is sent then, and subscriptions are renewed.
    func set(_ reach: Reach) {
        let isUp = self.shared.withLock { state in
            state.reach = reach
            if reach != .up { state.wasAway = true }
            return reach == .up
        }
        self.announce()
        if isUp { self.resume() }
    }

    /// What becomes of messages from now on. With `normal`, those that were held are delivered.
    func set(_ delivery: Delivery) {
        let held = self.shared.withLock { state in
            state.delivery = delivery
            guard delivery == .normal else { return [RedisMessage]() }
            defer { state.held = [] }
            return state.held
        }
        for message in held { self.hand(message) }
    }

    /// How many messages are held.
    var heldCount: Int { self.shared.withLock { $0.held.count } }

    /// How many commands are kept.
    var keptCount: Int { self.shared.withLock { $0.kept.count } }

    /// How many subscriptions there are.
    var subscriptionCount: Int { self.shared.withLock { $0.subscriptions.count } }

    private func resume() {
        let (kept, subscriptions) = self.shared.withLock { state in
            guard state.isUp else { return ([([RedisCommand], Completion?)](), [FakeSubscription]()) }
            defer { state.kept = [] }
            // In the order of the calls, even if others send meanwhile.
            for (commands, completion) in state.kept { self.execute(commands, completion) }
            return (state.kept, state.subscriptions)
        }
        _ = kept
        self.server.loop.execute { for subscription in subscriptions { subscription.onReady?() } }
    }

    // MARK: Commands

    func send(_ commands: [RedisCommand], completion: Completion?) throws(RedisError) {
        let error = self.shared.withLock { state -> RedisError? in
            if state.isClosed { return RedisError(.closed, "shut down") }
            if state.reach == .refusing { return RedisError(.bufferFull, "no more is kept") }
            for command in commands { self.server.record(self.name, command.arguments) }
            if state.isUp { self.execute(commands, completion) } else { state.kept.append((commands, completion)) }
            return nil
        }
        if let error { throw error }
    }

    private func execute(_ commands: [RedisCommand], _ completion: Completion?) {
        self.server.loop.execute {
            let replies = self.server.execute(commands.map(\.arguments))
            completion?(.success(replies))
        }
    }

    func sendToAllNodes(_ command: RedisCommand) async throws -> [RedisValue] { [try await self.send(command)] }

    func sendBlocking(_ command: RedisCommand) async throws -> RedisValue {
        guard self.shared.withLock({ $0.isUp }) else { throw RedisError(.connectionLost, "away") }
        self.server.record(self.name, command.arguments)
        let reply = try await self.server.readBlocking(command.arguments)
        guard self.shared.withLock({ $0.isUp }) else { throw RedisError(.connectionLost, "away") }
        if case .error(let message) = reply { throw RedisError(.redis, message) }
        return reply
    }

    // MARK: Subscriptions

    func subscribe(
        to channels: [RedisChannel],
        onReady: (@Sendable () -> Void)?,
        onMessage: @escaping @Sendable (RedisMessage) -> Void
    ) -> any RedisSubscription {
        let subscription = FakeSubscription(self, channels, onReady, onMessage)
        let (isUp, new) = self.shared.withLock { state in
            let known = Set(state.subscriptions.flatMap(\.channels))
            state.subscriptions.append(subscription)
            return (state.isUp, channels.filter { !known.contains($0) })
        }
        self.record("SUBSCRIBE", new)
        self.server.loop.execute {
            subscription.activate()
            if isUp { self.server.loop.execute { subscription.onReady?() } }
        }
        return FakeSubscriptionHandle(subscription)
    }

    fileprivate func cancel(_ subscription: FakeSubscription) {
        let gone = self.shared.withLock { state -> [RedisChannel] in
            state.subscriptions.removeAll { $0 === subscription }
            let rest = Set(state.subscriptions.flatMap(\.channels))
            return subscription.channels.filter { !rest.contains($0) }
        }
        self.record("UNSUBSCRIBE", gone)
    }

    private func record(_ command: String, _ channels: [RedisChannel]) {
        let kinds: [(RedisChannel.Kind, String)] = [(.pattern, "P"), (.channel, ""), (.shard, "S")]
        for (kind, prefix) in kinds {
            let names = channels.filter { $0.kind == kind }.map(\.name)
            guard !names.isEmpty else { continue }
            self.server.record(self.name, ([prefix + command] + names).map { ByteBuffer(string: $0) })
        }
    }

    /// The channels that Redis has subscribed for this client.
    var activeChannels: Set<RedisChannel> {
        self.shared.withLock { state in
            state.isUp ? Set(state.subscriptions.filter(\.isActive).flatMap(\.channels)) : []
        }
    }

    func deliver(_ message: RedisMessage) {
        let delivery = self.shared.withLock { state in
            if state.delivery == .held { state.held.append(message) }
            return state.delivery
        }
        switch delivery {
        case .normal: self.hand(message)
        case .twice:
            self.hand(message)
            self.hand(message)
        case .held, .lost: break
        }
    }

    private func hand(_ message: RedisMessage) {
        self.server.loop.execute {
            let subscriptions = self.shared.withLock { $0.subscriptions }
            for subscription in subscriptions where subscription.channels.contains(message.source) {
                subscription.onMessage(message)
            }
        }
    }

    // MARK: State

    var state: RedisState {
        self.shared.withLock { state in
            if state.isClosed { return .closed }
            if !state.isStarted { return .connecting }
            if state.reach != .up { return .degraded }
            return state.wasAway ? .recovered : .connected
        }
    }

    func states() -> AsyncStream<RedisState> {
        let (stream, continuation) = AsyncStream<RedisState>.makeStream(bufferingPolicy: .unbounded)
        continuation.yield(self.state)
        self.shared.withLock { $0.watchers.append(continuation) }
        return stream
    }

    private func announce() {
        let state = self.state
        for watcher in self.shared.withLock({ $0.watchers }) { watcher.yield(state) }
    }
}

/// Channels that a client is subscribed to.
private final class FakeSubscription: Sendable {
    let channels: [RedisChannel]
    let onReady: (@Sendable () -> Void)?
    private let handler: @Sendable (RedisMessage) -> Void
    private let client: FakeRedisClient
    private let flags = Mutex((isActive: false, isCancelled: false))

    init(
        _ client: FakeRedisClient,
        _ channels: [RedisChannel],
        _ onReady: (@Sendable () -> Void)?,
        _ handler: @escaping @Sendable (RedisMessage) -> Void
    ) {
        self.client = client
        self.channels = channels
        self.onReady = onReady
        self.handler = handler
    }

    var isActive: Bool { self.flags.withLock { $0.isActive } }

    func activate() { self.flags.withLock { $0.isActive = true } }

    func onMessage(_ message: RedisMessage) {
        if !self.flags.withLock({ $0.isCancelled }) { self.handler(message) }
    }

    func cancel() {
        let isFirst = self.flags.withLock { flags in
            defer { flags.isCancelled = true }
            return !flags.isCancelled
        }
        if isFirst { self.client.cancel(self) }
    }
}

/// What the subscriber holds: the subscription ends with it.
private final class FakeSubscriptionHandle: RedisSubscription {
    private let subscription: FakeSubscription

    init(_ subscription: FakeSubscription) { self.subscription = subscription }

    deinit { self.subscription.cancel() }

    func cancel() { self.subscription.cancel() }
}
