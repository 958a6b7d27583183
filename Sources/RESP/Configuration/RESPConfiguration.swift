import NIOSSL

/// How a ``RESPClient`` connects and behaves. What is not set here comes from the URL or is the default that is
/// written.
public struct RESPConfiguration: Sendable {
    /// Which version of the protocol of Redis is spoken.
    public enum ProtocolVersion: Sendable, Hashable {
        /// RESP3, or RESP2 if the server refuses that (Redis before 6).
        case automatic
        /// RESP2.
        case two
        /// RESP3. A server that refuses it is not used.
        case three
    }

    /// Whether the server is a node of a Redis Cluster.
    public enum Cluster: Sendable, Hashable {
        /// What the server says.
        case automatic
        /// It is. A server that is none is not used.
        case on
        /// Nothing is asked, all commands go to the server of the URL, and redirections are ordinary error replies.
        case off
    }

    /// How long to wait before connecting again. The time is random (full jitter) between `minimum` and a bound that
    /// begins with twice as much and doubles with each failure up to `maximum`.
    public struct Backoff: Sendable, Hashable {
        /// More than zero. Default: 50 ms.
        public var minimum: Duration
        /// Not less than `minimum`. Default: 5 s.
        public var maximum: Duration

        public init(minimum: Duration = .milliseconds(50), maximum: Duration = .seconds(5)) {
            self.minimum = minimum
            self.maximum = maximum
        }
    }

    /// The user of `AUTH`, in place of the one of the URL. Needs a password. Default: nil.
    public var username: String?
    /// The password of `AUTH`, in place of the one of the URL. Default: nil.
    public var password: String?
    /// The number of the database, in place of the one of the URL. In Redis Cluster there is only 0. Default: nil.
    public var database: Int?
    /// Connects with TLS and with these settings, also when the scheme of the URL is not `rediss`. Default: nil, which
    /// is NIOSSL's settings for clients with `rediss`, and no TLS with other schemes.
    public var tls: TLSConfiguration?
    /// For a connection until it can be used: name lookup, TCP, TLS and authentication. Default: 5 s.
    public var connectTimeout: Duration = .seconds(5)
    /// When commands wait for replies and nothing has come for so long, the connection is cut and renewed. Default: 10
    /// s.
    public var commandTimeout: Duration = .seconds(10)
    /// How many bytes of commands may wait to be written or answered, of all nodes together. Beyond it `send` throws
    /// `bufferFull`. Default: 16 MiB.
    public var maxBufferedBytes = 16 << 20
    /// The pauses between attempts to connect.
    public var backoff = Backoff()
    /// How often a message of our own is published to see that subscriptions still hear. Default: 5 s.
    public var probeInterval: Duration = .seconds(5)
    /// A subscription that has not heard that message for so long after Redis took it is deaf: its connection is
    /// renewed. Default: 5 s.
    public var probeTimeout: Duration = .seconds(5)
    /// The channels of those messages are `<probePrefix>:probe:<random>`. A user that may not use them (ACL) goes
    /// without the probes, which is logged. Default: `swift-socketio`.
    public var probePrefix = "swift-socketio"
    /// Default: automatic.
    public var protocolVersion: ProtocolVersion = .automatic
    /// What `CLIENT LIST` shows. No spaces. Default: nil.
    public var clientName: String?
    /// Default: automatic.
    public var isCluster: Cluster = .automatic
    /// With RESP3, has subscriptions on the connection for commands, so that with the one of `sendBlocking` there are
    /// two connections and not three. With RESP2 it has no effect. Default: false.
    public var sharesConnection = false

    public init() {}

    /// - Throws: `configuration`.
    func validate() throws(RedisError) {
        func check(_ isRight: Bool, _ what: String) throws(RedisError) {
            guard isRight else { throw RedisError(.configuration, what) }
        }
        let times = [
            self.connectTimeout, self.commandTimeout, self.probeInterval, self.probeTimeout, self.backoff.minimum,
        ]
        for time in times { try check(time > .zero, "times must be greater than zero") }
        try check(self.backoff.maximum >= self.backoff.minimum, "backoff.maximum must not be less than backoff.minimum")
        try check(self.maxBufferedBytes > 0, "maxBufferedBytes must be greater than zero")
        try check(self.database ?? 0 >= 0, "database must not be negative")
        try check(self.clientName?.contains { $0.isWhitespace } != true, "clientName must have no spaces")
        try check(self.username == nil || self.password != nil, "username needs a password")
    }
}
