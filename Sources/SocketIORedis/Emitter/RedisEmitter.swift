import Logging
import RESP
import SocketIO
import SocketIOCore
import Synchronization

/// Speaks to the clients of a cluster from a process that runs no server: a worker, a cron job, a command.
///
/// ```swift
/// let redis = try RESPClient(url: "redis://127.0.0.1:6379")
/// let emitter = RedisEmitter(redis)
/// emitter.to("lobby").emit("news", "hello")
/// emitter.of("/admin").except("quiet").socketsLeave("lobby")
/// let sockets = try await emitter.in("lobby").fetchSockets()
/// ```
///
/// It has the operators of a server, those of ``RedisEmitting``, and works with servers of this package and with those of Node.js,
/// whose official emitters publish the same. What those can't do, it can: ask. ``RedisEmitting/emitWithAck(_:_:as:)``,
/// ``RedisEmitting/fetchSockets()`` and ``RedisEmitting/count()`` wait for the servers, and name those that don't answer in time.
///
/// `emit` and its like never wait: the client sends when it can, in the order of the calls. ``RedisEmitting/publish(_:_:)`` waits for
/// Redis and says how many servers have listened; ``flush()`` waits for all that was sent, which a process that is about to end
/// should.
///
/// It listens to Redis only while it asks, and for half a minute after, on channels of answers: servers don't take it for one of
/// them. That ends with ``close()``, or when the emitter and its operators are released.
public final class RedisEmitter: Sendable {
    /// Which adapter the servers use, with the options that they have.
    public enum Adapter: Sendable {
        /// ``RedisAdapter``, or `createAdapter` of `@socket.io/redis-adapter`.
        case pubsub(RedisAdapterOptions = .init())
        /// ``ShardedRedisAdapter``, or `createShardedAdapter` of `@socket.io/redis-adapter`.
        case sharded(ShardedRedisAdapterOptions = .init())
        /// ``RedisStreamsAdapter``, or `@socket.io/redis-streams-adapter`.
        case streams(RedisStreamsAdapterOptions = .init())
    }

    private struct Weak {
        weak var namespace: EmitterNamespace?
    }

    private let adapter: Adapter
    private let line: EmitterLine
    private let idleTime: Duration
    private let root: EmitterNamespace
    /// Shared by all operators of the same namespace, as long as there are any.
    private let namespaces = Mutex<[String: Weak]>([:])

    /// - Parameters:
    ///   - redis: The client, which is started and not shut down.
    ///   - adapter: What the servers use.
    ///   - logger: For messages of others that make no sense, and for errors without `onError`.
    ///   - onError: Called with what `emit` and its like could not send: a reserved name, an argument that can't be encoded, or what
    ///     Redis or the client has against it. Default: it is logged.
    public convenience init(
        _ redis: any RedisClient,
        adapter: Adapter = .pubsub(),
        logger: Logger = Logger(label: "socketio.emitter"),
        onError: (@Sendable (any Error) -> Void)? = nil
    ) {
        self.init(redis, adapter: adapter, logger: logger, onError: onError, idleTime: .seconds(30))
    }

    init(
        _ redis: any RedisClient,
        adapter: Adapter,
        logger: Logger = Logger(label: "socketio.emitter"),
        onError: (@Sendable (any Error) -> Void)? = nil,
        idleTime: Duration
    ) {
        let line = EmitterLine(redis, logger, onError: onError)
        self.adapter = adapter
        self.line = line
        self.idleTime = idleTime
        self.root = EmitterNamespace(adapter.wire(for: "/"), line, idleTime: idleTime)
        redis.start()
    }

    deinit { self.close() }

    /// Addresses the sockets of a namespace. The slash may be left out.
    public func of(_ namespace: String) -> RedisEmitterOperator {
        let name = namespace.hasPrefix("/") ? namespace : "/\(namespace)"
        guard name != "/" else { return self.emitterOperator }
        let new = EmitterNamespace(self.adapter.wire(for: name), self.line, idleTime: self.idleTime)
        // Names may be many: those that nobody uses any more are forgotten now and then. The rest is held until the lock is
        // left, since what is released last does things.
        let (found, held) = self.namespaces.withLock { namespaces in
            if let known = namespaces[name]?.namespace { return (known, [String: EmitterNamespace]()) }
            var held: [String: EmitterNamespace] = [:]
            if namespaces.count >= 64, namespaces.count & (namespaces.count - 1) == 0 {
                held = namespaces.compactMapValues(\.namespace)
                namespaces = held.mapValues { Weak(namespace: $0) }
            }
            namespaces[name] = Weak(namespace: new)
            return (new, held)
        }
        _ = held
        return RedisEmitterOperator(emitter: self, namespace: found)
    }

    /// How many namespaces are remembered.
    var namespaceCount: Int { self.namespaces.withLock { $0.count } }

    /// Waits until nothing is on its way to Redis any more: until all that was sent before has been answered, or given up.
    ///
    /// - Throws: `CancellationError`.
    public func flush() async throws { try await self.line.flush() }

    /// Stops listening. Questions that wait end with what has come, further ones fail; events can still be sent.
    public func close() {
        self.line.close()
        self.root.close()
        for weak in self.namespaces.withLock({ Array($0.values) }) { weak.namespace?.close() }
    }
}

extension RedisEmitter: RedisEmitting {
    public var emitterOperator: RedisEmitterOperator { RedisEmitterOperator(emitter: self, namespace: self.root) }
}

extension RedisEmitter.Adapter {
    func wire(for namespace: String) -> any EmitterWire {
        switch self {
        case .pubsub(let options): ClassicEmitterWire(options, namespace: namespace)
        case .sharded(let options): ClusterEmitterWire(options, namespace: namespace)
        case .streams(let options): ClusterEmitterWire(options, namespace: namespace)
        }
    }
}
