import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// A client of one Redis server or of a Redis Cluster, for commands and for publish/subscribe.
///
/// ```swift
/// let redis = try RESPClient(url: "redis://:secret@localhost:6379/0")
/// redis.start()
/// let reply = try await redis.send(RedisCommand("GET", "key"))
/// let subscription = redis.subscribe(to: [RedisChannel(.channel, "news")], onReady: nil) { print($0.channel) }
/// await redis.shutdown()
/// ```
///
/// Connections are opened when they are needed: one to each server for commands; one for subscriptions, to the server
/// or, in Redis Cluster, to each node that serves a channel in a shard and one for all other channels; and one for
/// ``sendBlocking(_:)``. So there are two to a single server, whatever the number of subscriptions, and three with
/// `sendBlocking`, or two with ``RESPConfiguration/sharesConnection``. What is lost is opened again after a random
/// pause that grows with each failure, and everything is subscribed to once more.
///
/// As a `Service` it runs until the service group is shut down. Released without ``shutdown()``, it closes its
/// connections.
///
/// Metrics: `redis_connected` (1 or 0), `redis_reconnects`, `redis_commands_rejected`.
public final class RESPClient: RedisClient, Service {
    private let core: ClientCore

    /// Does not connect; see ``start()``.
    ///
    /// - Parameters:
    ///   - url: `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS, or `unix:///path?db=0`. An
    ///     IPv6 address is in brackets; special characters are percent-encoded.
    ///   - group: One of its event loops does all work, and calls completions and handlers.
    /// - Throws: `configuration`.
    public init(
        url: String, configuration: RESPConfiguration = .init(), logger: Logger = Logger(label: "redis"),
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) throws(RedisError) {
        let options = try ConnectionOptions(url: RedisURL(url), configuration: configuration)
        self.core = ClientCore(options, logger: logger, loop: group.next())
    }

    deinit {
        let core = self.core
        // Its loop may have ended since.
        if !core.isShutDown { core.loop.execute { core.close() } }
    }

    public func start() {
        let core = self.core
        core.loop.execute { core.start() }
    }

    public func shutdown() async {
        let core = self.core
        if core.hasEnded.withLock({ $0 }) { return }
        await withCheckedContinuation { continuation in
            core.loop.execute {
                core.close()
                core.waitForEnd(continuation)
            }
        }
    }

    /// Starts, waits for the graceful shutdown of the service group or the cancellation of the task, and shuts down.
    public func run() async throws {
        self.start()
        try? await gracefulShutdown()
        await self.shutdown()
    }

    public func send(
        _ commands: [RedisCommand], completion: (@Sendable (Result<[RedisValue], RedisError>) -> Void)?
    ) throws(RedisError) {
        guard !commands.isEmpty else {
            if let completion { self.core.loop.execute { completion(.success([])) } }
            return
        }
        do throws(RedisError) {
            let node = try self.core.outbox.withLock { outbox throws(RedisError) in
                try outbox.append(commands, completion)
            }
            self.core.wake(node)
        } catch {
            if error.code == .bufferFull { self.core.metrics.rejected.increment(by: commands.count) }
            throw error
        }
    }

    public func sendToAllNodes(_ command: RedisCommand) async throws -> [RedisValue] {
        let core = self.core
        return try await withCheckedThrowingContinuation { continuation in
            core.loop.execute { core.sendToAllNodes(command) { continuation.resume(with: $0) } }
        }
    }

    public func sendBlocking(_ command: RedisCommand) async throws -> RedisValue {
        let (core, call) = (self.core, BlockingCall(command))
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                core.loop.execute {
                    call.begin(continuation)
                    core.begin(call)
                }
            }
        } onCancel: {
            core.loop.execute { core.cancel(call) }
        }
    }

    public func subscribe(
        to channels: [RedisChannel], onReady: (@Sendable () -> Void)?,
        onMessage: @escaping @Sendable (RedisMessage) -> Void
    ) -> any RedisSubscription {
        let (core, subscriber) = (self.core, Subscriber(channels, onReady: onReady, onMessage: onMessage))
        if !core.isShutDown { core.loop.execute { core.add(subscriber) } }
        return SubscriptionHandle(subscriber, core)
    }

    public var state: RedisState { self.core.currentState.withLock { $0 } }

    /// Why a connection was lost or could not be opened, the last time.
    package var lastFailure: RedisError? { self.core.lastFailure.withLock { $0 } }

    public func states() -> AsyncStream<RedisState> {
        let core = self.core
        return AsyncStream(bufferingPolicy: .bufferingNewest(16)) { continuation in
            if core.isShutDown {
                continuation.yield(.closed)
                continuation.finish()
            } else {
                core.loop.execute { core.observe(continuation) }
            }
        }
    }
}
