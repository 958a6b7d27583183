import NIOCore

/// What the adapters and the emitter need of a Redis client. ``RESPClient`` is the one that comes with this package; conform
/// another client to put it in its place.
///
/// Nothing here waits for the network unless it is `async`. Calls may come from any thread; what one thread sends arrives in
/// the order of its calls.
public protocol RedisClient: Sendable {
    /// Begins to connect, in the background, and goes on trying until ``shutdown()``. Calling it again does nothing.
    func start()

    /// Ends all connections. What still waits fails with `closed`.
    func shutdown() async

    /// Sends commands one behind the other, with nothing in between, on the connection for commands.
    ///
    /// What can't be written now is kept, up to a bound in bytes, and is sent when Redis is there (again). Commands that were
    /// written when a connection broke are not sent again: whether Redis has executed them is not known. It does not execute
    /// them after commands that were sent later: a broken connection is ended on the side of Redis too before another
    /// one takes its place, or what Redis has not read yet could still come. (Redis before 6.2, and users that may not use
    /// `CLIENT INFO` and `CLIENT KILL`, don't have that assurance.)
    ///
    /// - Parameters:
    ///   - commands: One or more. In Redis Cluster they go to the node that serves the key or channel of the first one.
    ///   - completion: Called once, on an event loop: with one reply for each command (an error of Redis is a reply,
    ///     ``RedisValue/error(_:)``), or with the reason why there is none.
    /// - Throws: `bufferFull` when the bound is reached, `closed` after ``shutdown()``; then `completion` is not called.
    func send(
        _ commands: [RedisCommand],
        completion: (@Sendable (Result<[RedisValue], RedisError>) -> Void)?
    ) throws(RedisError)

    /// Sends a command to each primary node of Redis Cluster, or to the one server, and returns all replies. An error reply of any
    /// node is thrown.
    func sendToAllNodes(_ command: RedisCommand) async throws -> [RedisValue]

    /// Sends a command that blocks, such as `XREAD … BLOCK`, on a connection of its own, and waits for its reply. One at a time.
    /// An error reply is thrown. Cancelling the task gives up the connection.
    func sendBlocking(_ command: RedisCommand) async throws -> RedisValue

    /// Subscribes to channels until the subscription is cancelled, over all reconnections. Several subscriptions may have the
    /// same channel; Redis sees one.
    ///
    /// - Parameters:
    ///   - channels: Subscribed with one command for each kind.
    ///   - onReady: Called each time when all its channels have been confirmed by Redis: first, and after each renewal. What was
    ///     published between two calls may have been missed.
    ///   - onMessage: Called for each message, one at a time in the order of arrival, on an event loop; it must not block.
    func subscribe(
        to channels: [RedisChannel],
        onReady: (@Sendable () -> Void)?,
        onMessage: @escaping @Sendable (RedisMessage) -> Void
    ) -> any RedisSubscription

    /// Whether Redis can be reached, now.
    var state: RedisState { get }

    /// ``state`` and each change of it. Ends after ``shutdown()``.
    func states() -> AsyncStream<RedisState>
}

extension RedisClient {
    /// Sends one command and waits for its reply. An error reply is thrown.
    public func send(_ command: RedisCommand) async throws -> RedisValue {
        let replies = try await self.send([command])
        guard let reply = replies.first else { throw RedisError(.protocolViolation, "no reply") }
        if case .error(let message) = reply { throw RedisError(.redis, message) }
        return reply
    }

    /// Sends commands one behind the other and waits for their replies, error replies included.
    public func send(_ commands: [RedisCommand]) async throws -> [RedisValue] {
        try await withCheckedThrowingContinuation { continuation in
            do {
                try self.send(commands) { continuation.resume(with: $0) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}

/// Channels that are subscribed to, until it is cancelled or released.
public protocol RedisSubscription: AnyObject, Sendable {
    /// Ends it: with one command for each kind of channel, for those channels that no other subscription has. No message is handed
    /// over after this has returned, but for one that is being handed over on another thread.
    func cancel()
}

/// A channel of Redis' publish/subscribe.
public struct RedisChannel: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        /// `SUBSCRIBE`: everything that is published to the channel, on whatever node.
        case channel
        /// `PSUBSCRIBE`: everything that is published to channels whose names match a glob pattern.
        case pattern
        /// `SSUBSCRIBE`: what is published with `SPUBLISH`, which in Redis Cluster stays in the shard of the channel.
        case shard
    }

    public var kind: Kind
    public var name: String

    public init(_ kind: Kind, _ name: String) {
        self.kind = kind
        self.name = name
    }
}

/// A message of a channel.
public struct RedisMessage: Sendable {
    /// The channel or pattern that is subscribed to.
    public var source: RedisChannel
    /// The channel it was published to.
    public var channel: String
    public var payload: ByteBuffer

    public init(source: RedisChannel, channel: String, payload: ByteBuffer) {
        self.source = source
        self.channel = channel
        self.payload = payload
    }
}

/// Whether Redis can be reached.
public enum RedisState: String, Sendable, Hashable, CaseIterable {
    /// It was not reached yet.
    case connecting
    /// All is well, and always was.
    case connected
    /// A connection is lost, or a subscription has gone deaf. It is being renewed.
    case degraded
    /// All is well again.
    case recovered
    /// ``RedisClient/shutdown()`` was called.
    case closed

    /// Whether commands and messages flow.
    public var isUsable: Bool { self == .connected || self == .recovered }
}
