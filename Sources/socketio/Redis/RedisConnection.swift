import Logging
import SocketIORedis

/// The connections of commands to Redis.
enum RedisConnection {
    /// Makes a client that connects when Redis is there.
    ///
    /// - Parameter readsStreams: Streams are read over the second connection, so the first one has the subscriptions too.
    /// - Throws: ``CommandFailure`` if the URL is invalid.
    static func client(_ url: String, readsStreams: Bool = false, logger: Logger) throws -> RESPClient {
        var configuration = RESPConfiguration()
        configuration.sharesConnection = readsStreams
        do { return try RESPClient(url: url, configuration: configuration, logger: logger) } catch {
            throw CommandFailure("socketio: \(error.message)")
        }
    }

    /// How long it is waited for at most, and how long after a first failure.
    private static let patience: Duration = .seconds(6)
    private static let secondChance: Duration = .seconds(1)

    /// Connects to a Redis that must be there.
    ///
    /// - Throws: ``CommandFailure`` with the reason, which never repeats the URL: it may hold a password.
    static func open(_ url: String, logger: Logger) async throws -> RESPClient {
        let client = try self.client(url, logger: logger)
        client.start()
        let begin = ContinuousClock.now
        var failed: ContinuousClock.Instant?
        while !client.state.isUsable {
            let now = ContinuousClock.now
            if failed == nil, client.lastFailure != nil { failed = now }
            if now - begin > Self.patience || failed.map({ now - $0 > Self.secondChance }) == true {
                let reason = client.lastFailure?.message ?? "it does not answer"
                await client.shutdown()
                throw CommandFailure("socketio: can't reach Redis: \(reason)")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        return client
    }
}
