import Logging
import RESP
import SocketIO
import SocketIOCore
import Synchronization

/// An emitter's way to Redis: what is on its way, and what has become of it.
final class EmitterLine: Sendable {
    private struct State {
        /// Commands that Redis has not answered.
        var pending = 0
        /// Reached when there are none any more.
        var idle: Readiness?
        /// Whether Redis is a cluster; nil: not asked yet.
        var isCluster: Bool?
        var hasComplained = false
        var isClosed = false
    }

    let redis: any RedisClient
    private let logger: Logger
    private let onError: (@Sendable (any Error) -> Void)?
    private let state = Mutex(State())

    init(_ redis: any RedisClient, _ logger: Logger, onError: (@Sendable (any Error) -> Void)?) {
        self.redis = redis
        self.logger = logger
        self.onError = onError
    }

    var isClosed: Bool { self.state.withLock { $0.isClosed } }

    func close() { self.state.withLock { $0.isClosed = true } }

    // MARK: Errors

    func report(_ error: any Error) {
        if let onError = self.onError { return onError(error) }
        self.logger.error(
            "something could not be sent to the servers", metadata: ["socketio.error": "\(error)"])
    }

    func reporting(_ body: () throws -> Void) {
        do { try body() } catch { self.report(error) }
    }

    /// Something that makes no sense was ignored; said once, since strangers must not fill the log.
    func complain(_ channel: String, _ reason: any Error) {
        let isFirst = self.state.withLock { state in
            defer { state.hasComplained = true }
            return !state.hasComplained
        }
        guard isFirst else { return }
        self.logger.warning(
            "an answer was not understood; others are not logged",
            metadata: [
                "socketio.redis.channel": "\(String(channel.prefix(256)))",
                "socketio.error": "\(String("\(reason)".prefix(256)))",
            ])
    }

    // MARK: Sending

    /// Sends a command. What Redis has against it is reported, or told to `onFailure`.
    func send(_ command: RedisCommand, onFailure: (@Sendable (SocketIOError) -> Void)? = nil) throws(SocketIOError) {
        self.state.withLock { $0.pending += 1 }
        do throws(RedisError) {
            try self.redis.send([command]) { result in
                self.isDone()
                let error: RedisError? =
                    switch result {
                    case .success(let replies):
                        if case .error(let message)? = replies.first { RedisError(.redis, message) } else { nil }
                    case .failure(let error): error
                    }
                guard let error else { return }
                let failure = SocketIOError.notSent("a message", error)
                if let onFailure { onFailure(failure) } else { self.report(failure) }
            }
        } catch {
            self.isDone()
            throw .notSent("a message", error)
        }
    }

    private func isDone() {
        let idle = self.state.withLock { state -> Readiness? in
            state.pending -= 1
            guard state.pending == 0 else { return nil }
            defer { state.idle = nil }
            return state.idle
        }
        idle?.reach()
    }

    func flush() async throws {
        let new = Readiness()
        let idle = self.state.withLock { state -> Readiness? in
            guard state.pending > 0 else { return nil }
            if state.idle == nil { state.idle = new }
            return state.idle
        }
        try await idle?.wait(for: .seconds(Int64.max))
    }

    // MARK: Replies

    /// Sends a command and waits for its reply.
    ///
    /// - Throws: ``SocketIOError`` with code `cluster_unavailable` if none has come in time, or an error.
    func reply(to command: RedisCommand, within timeout: Duration) async throws -> RedisValue {
        let replies = ClusterQuery<RedisValue>()
        replies.expect(1)
        let failure = EmitterFailure()
        self.state.withLock { $0.pending += 1 }
        do {
            try self.redis.send([command]) { result in
                self.isDone()
                switch result {
                case .success(let values):
                    if case .error(let message)? = values.first { failure.set(RedisError(.redis, message)) }
                    replies.receive(values)
                case .failure(let error):
                    failure.set(error)
                    replies.finish()
                }
            }
        } catch {
            self.isDone()
            throw SocketIOError.notSent("a message", error)
        }
        guard let reply = try await Self.result(replies, failure, timeout).first else { throw Self.noAnswer }
        return reply
    }

    /// Sends a command to all nodes of Redis and waits for their replies.
    ///
    /// - Throws: ``SocketIOError`` with code `cluster_unavailable` if they have not come in time, or an error.
    func replies(to command: RedisCommand, within timeout: Duration) async throws -> [RedisValue] {
        let replies = ClusterQuery<RedisValue>()
        replies.expect(1)
        let failure = EmitterFailure()
        let redis = self.redis
        let task = Task {
            do { replies.receive(try await redis.sendToAllNodes(command)) } catch {
                failure.set(error)
                replies.finish()
            }
        }
        defer { task.cancel() }
        let values = try await Self.result(replies, failure, timeout)
        self.state.withLock { $0.isCluster = values.count > 1 }
        return values
    }

    private static func result(
        _ replies: ClusterQuery<RedisValue>, _ failure: EmitterFailure, _ timeout: Duration
    ) async throws -> [RedisValue] {
        try await replies.wait(for: timeout)
        if let error = failure.error { throw SocketIOError.notSent("a message", error) }
        let answer = replies.answer()
        guard answer.isComplete else { throw Self.noAnswer }
        return answer.elements
    }

    static var noAnswer: SocketIOError {
        SocketIOError(.clusterUnavailable, "Redis has not answered in time")
    }

    /// Whether Redis is a cluster; nil: that is not known.
    var isCluster: Bool? { self.state.withLock { $0.isCluster } }
}

/// What went wrong first.
final class EmitterFailure: Sendable {
    private let state = Mutex<(any Error)?>(nil)

    var error: (any Error)? { self.state.withLock { $0 } }

    func set(_ error: any Error) {
        self.state.withLock { if $0 == nil { $0 = error } }
    }
}
