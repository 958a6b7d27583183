import SocketIOCore

/// How clients that lose their connection can go on where they had stopped. See "Connection state recovery" in the Socket.IO
/// documentation.
///
/// A client that comes back in time has its socket's id, rooms and ``Socket/data`` again, and gets the events that it has
/// missed: exactly those, once and in the order in which they were sent. Missed is what went to its rooms while it was in them,
/// to the namespace, or to the socket itself, also what is sent while it is away. Not kept are volatile events, and those that ask
/// for an acknowledgement.
///
/// Each event then has one more argument, the offset, which clients see too; volatile ones have it if they end in a text, which
/// clients would take for one. ``Socket/recovered`` says whether a socket goes on, ``Socket/recoveryFailure`` why it does not.
///
/// Where packets and sessions are kept depends on the adapter. `RedisStreamsAdapter` keeps them in Redis: clients go on at any
/// server, also after a restart of theirs. A session is written when its connection is lost: the clients of a server that is killed
/// start anew. With all other adapters each server keeps them in its own memory, bounded by what is set here, for each namespace:
/// clients go on at the server that they were connected to.
public struct ConnectionStateRecovery: Sendable, Hashable {
    /// How long a client may be away. Default 2 minutes.
    public var maxDisconnectionDuration: Duration
    /// Whether middlewares are left out for clients that go on. Default true.
    public var skipMiddlewares: Bool
    /// Most packets that a namespace keeps. Default 10,000. Clients that have missed older ones start anew.
    public var maxPackets: Int
    /// Most bytes of packets that a namespace keeps. Default 16 MiB.
    public var maxBytes: Int
    /// Most sessions that a namespace keeps of clients that are away. Default 10,000; the oldest goes for a new one.
    public var maxSessions: Int

    /// The defaults above.
    public init(
        maxDisconnectionDuration: Duration = .seconds(120),
        skipMiddlewares: Bool = true,
        maxPackets: Int = 10_000,
        maxBytes: Int = 16 << 20,
        maxSessions: Int = 10_000
    ) {
        self.maxDisconnectionDuration = maxDisconnectionDuration
        self.skipMiddlewares = skipMiddlewares
        self.maxPackets = maxPackets
        self.maxBytes = maxBytes
        self.maxSessions = maxSessions
    }
}

extension DisconnectReason {
    /// Whether a client may go on after it: neither side has meant to part.
    var isRecoverable: Bool {
        switch self {
        case .transportClose, .transportError, .pingTimeout, .forcedClose, .forcedServerClose, .serverShuttingDown: true
        default: false
        }
    }
}
