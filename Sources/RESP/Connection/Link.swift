import Logging
import NIOCore

/// A connection to a node that is opened again whenever it is lost, as long as it is wanted.
///
/// `@unchecked Sendable`: confined to the event loop of the client.
final class Link: RESPConnectionOwner, @unchecked Sendable {
    enum Role: String { case commands, subscriptions, blocking }

    enum Health {
        /// Never was there, and nothing went wrong yet.
        case starting
        case up
        case down
    }

    let role: Role
    let node: Node
    private let core: ClientCore
    private(set) var connection: RESPConnection?
    private(set) var health = Health.starting
    private var wasUp = false
    private var isWanted = false
    private var backoff: Backoff
    private var timer: Scheduled<Void>?
    /// The last reason for which there was no connection, which is logged when it changes.
    private var failure: String?
    /// What Redis calls the last connection that could be used.
    private var predecessor: ConnectionIdentity?

    init(_ role: Role, of node: Node, _ core: ClientCore) {
        self.role = role
        self.node = node
        self.core = core
        self.backoff = Backoff(core.options.configuration.backoff)
    }

    /// The connection, when it can be used.
    var ready: RESPConnection? { self.connection?.isReady == true ? self.connection : nil }

    func open() {
        guard !self.isWanted else { return }
        self.isWanted = true
        if self.connection == nil, self.timer == nil { self.connect() }
    }

    /// Ends the connection and opens no other one.
    func close(_ error: RedisError) {
        self.isWanted = false
        self.timer?.cancel()
        self.timer = nil
        self.connection?.close(error)
        self.health = .starting
    }

    /// Ends the connection and opens another one after a pause.
    func cut(_ error: RedisError) { self.connection?.close(error) }

    /// Lets a connection that is lost be, until ``open()``.
    func rest() {
        self.isWanted = false
        if self.connection == nil { self.health = .starting }
    }

    private func connect() {
        guard !self.core.isClosed else { return }
        let asks = self.core.options.configuration.isCluster == .automatic
        let succession = self.role == .commands ? Handshake.Succession(predecessor: self.predecessor) : nil
        let connection = RESPConnection(
            to: self.node.address, self.core.options, on: self.core.loop, asksForCluster: asks, succession: succession,
            owner: self)
        if self.role == .blocking { connection.replyTimeout = nil }
        self.connection = connection
        self.core.open(connection)
    }

    func connectionIsReady(_ connection: RESPConnection, _ outcome: Handshake.Outcome) {
        self.health = .up
        self.predecessor = outcome.identity
        self.failure = nil
        self.backoff.reset()
        if self.wasUp { self.core.metrics.reconnects.increment() }
        self.wasUp = true
        self.core.linkIsUp(self, connection, outcome)
    }

    func connectionIsWritable(_ connection: RESPConnection) { self.core.drain(self.node) }

    func connection(_ connection: RESPConnection, received event: ReplyQueue.Event) {
        self.core.received(event, self)
    }

    func connectionReadAll(_ connection: RESPConnection) { self.core.releaseAnswered() }

    func connectionIsClosed(_ connection: RESPConnection, _ error: RedisError, unanswered: [ReplyQueue.Expectation]) {
        self.connection = nil
        self.health = .down
        if self.isWanted {
            let pause = self.backoff.next()
            self.timer = self.core.loop.scheduleTask(in: pause.timeAmount) {
                // It may have been cancelled too late, and another connection be there.
                self.timer = nil
                if self.isWanted, self.connection == nil { self.connect() }
            }
            self.core.lastFailure.withLock { $0 = error }
            if error.message != self.failure, error.code != .closed {
                self.failure = error.message
                self.core.logger.warning(
                    "No connection to Redis",
                    metadata: [
                        "redis.address": "\(self.node.address)", "redis.connection": "\(self.role.rawValue)",
                        "redis.reason": "\(error)",
                    ])
            }
        }
        self.core.linkIsDown(self, error, unanswered: unanswered)
    }
}
