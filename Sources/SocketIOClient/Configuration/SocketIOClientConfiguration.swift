import Logging
import NIOCore
import NIOSSL
import SocketIOCore

/// The settings of a client. The defaults are those of the reference implementation where it has the setting.
///
/// Clients of the same server whose settings of the connection are equal share one connection, unless ``forceNew`` is set.
public struct SocketIOClientConfiguration: Sendable {
    /// A way of talking to the server.
    public enum Transport: String, Sendable, Hashable, CaseIterable {
        case polling
        case websocket
    }

    // MARK: The connection

    /// Where on the server Socket.IO answers. Default `/socket.io/`.
    public var path = "/socket.io/"
    /// Query parameters of every request, beside those of the URL; sent in the order of their names.
    public var query: [String: String] = [:]
    /// Headers of every request.
    public var extraHeaders: [String: String] = [:]
    /// How packets are written. Default ``SocketIOCore/ParserChoice/json``. It must be what the server has.
    public var parser = ParserChoice.json
    /// The transports in the order in which they are tried. Default both, polling first.
    public var transports: [Transport] = [.polling, .websocket]
    /// Whether polling is left for WebSocket when both are possible. Default true.
    public var upgrade = true
    /// Whether a reconnection begins with WebSocket when the connection before has come to it. Default false.
    public var rememberUpgrade = false
    /// Whether the next transport is tried when one fails before the handshake. Default false.
    public var tryAllTransports = false
    /// TLS, for `https` and `wss`. Default nil: TLS 1.2 or newer, and full verification against the system's roots. In a
    /// configuration of your own set `minimumTLSVersion`: NIOSSL's default takes TLS 1.0.
    public var tls: TLSConfiguration?
    /// If not empty, the server's certificate must have one of these public keys: SHA-256 of the SubjectPublicKeyInfo in
    /// base64. They are checked beside the verification, not instead of it.
    public var pins: [String] = []
    /// How long one attempt to connect may take. Default 20 s.
    public var connectTimeout: Duration = .seconds(20)
    /// How long a POST may go unanswered. It is measured from when the system has taken it, which with a slow network is long before
    /// the server has it. Default nil: as long as the pings of the server go on.
    public var requestTimeout: Duration?
    /// How soon the server must show that it is there after ``SocketIOClient/networkChanged(available:)`` and
    /// ``SocketIOClient/foreground()``. Default 10 s. Then the connection has ended (`ping timeout`).
    public var probeTimeout: Duration = .seconds(10)
    /// How long an upgrade may take; polling goes on if it takes longer. Default 10 s.
    public var upgradeTimeout: Duration = .seconds(10)
    /// How long what was emitted before ``SocketIOClient/disconnect()`` may take to be sent. Default 5 s.
    public var closeTimeout: Duration = .seconds(5)
    /// When and how often a lost connection is tried again.
    public var reconnection = Reconnection()
    /// Whether the connection is not shared with other clients. Default false. Two clients of one namespace never share.
    public var forceNew = false
    /// Where the client runs: on one of these event loops of `NIOPosix`, a `MultiThreadedEventLoopGroup`. Those of
    /// NIOTransportServices can't be used: every attempt fails with
    /// ``EngineIOClient/EngineClientError/Code/invalidConfiguration``. Default nil: NIO's shared group. It must outlive the client.
    public var eventLoopGroup: (any EventLoopGroup)?

    // MARK: Limits

    /// Largest message of the server, in bytes. Default 64 MiB. A larger one ends the connection.
    public var maxMessageBytes = 64 << 20
    /// Most bytes that wait to be sent over an open connection. Default 64 MiB. Beyond it the connection ends.
    public var maxOutboundBytes = 64 << 20
    /// Most attachments of a packet of the server. Default 10, as in JavaScript clients. More end the connection.
    public var maxAttachments = 10
    /// Deepest nesting of arrays and objects in what the server sends. Default 128. Deeper ends the connection.
    public var maxDepth = 128
    /// Most arguments of an event. Default 1000. More end the connection.
    public var maxArguments = 1000
    /// Most bytes of events that come before the server has answered the client's CONNECT. Default 64 MiB.
    public var maxEarlyBytes = 64 << 20

    /// Most handlers of events that run at the same time, of one client. Default 1000. Further events wait until some of them end;
    /// acknowledgements do not. Handlers that never end count too.
    public var maxRunningHandlers = 1000
    /// Most bytes of events that wait for handlers to end. Default 64 MiB. Beyond it the connection ends, and is tried again.
    public var maxWaitingBytes = 64 << 20

    // MARK: The namespace

    /// What the client shows of itself when it joins the namespace. May be changed; see ``SocketIOClient/auth``.
    public var auth: SocketIOAuth = .none
    /// How long the server may take to answer when the client joins its namespace. Default 30 s. Then the attempt has failed, with
    /// the code `join_timeout`: another connection is tried, or if other clients use this one the answer is waited for again.
    public var joinTimeout: Duration = .seconds(30)
    /// Whether the client connects when it is made. Default true. With false it waits for ``SocketIOClient/connect(timeout:)``,
    /// and no event can come before its handlers are in place.
    public var autoConnect = true
    /// How long ``SocketIOClient/emitWithAck(_:_:timeout:as:)`` waits unless it is told, and each try of ``retries``.
    /// Default nil: until the connection is lost.
    public var ackTimeout: Duration?
    /// If set, events are sent one at a time, in order, each again until the server has acknowledged it, this many times beside the
    /// first. Then it is dropped, which is reported to ``SocketIOClient/onError(_:)`` or to who waits for its acknowledgement, and the
    /// next is sent: it may have arrived several times, or not at all. A connection that is lost counts as a try, too. With `.max`
    /// each event that ``offlineBuffer`` has taken arrives at least once while the client lives. Default nil: events are sent once.
    /// Set ``ackTimeout`` too, or only the loss of the connection makes an event sent again.
    public var retries: Int?
    /// What becomes of events that are emitted while there is no connection.
    public var offlineBuffer = OfflineBuffer()
    /// Called for what goes wrong and nobody listens to with ``SocketIOClient/onError(_:)``. Default nil: it is logged.
    public var onError: (@Sendable (any Error) -> Void)?
    /// Default: label `socketio.client`. In normal work nothing is logged above `debug`.
    public var logger = Logger(label: "socketio.client")

    /// The defaults.
    public init() {}

    /// When and how often a lost connection is tried again.
    public struct Reconnection: Sendable, Hashable {
        /// Whether at all. Default true.
        public var isEnabled = true
        /// Most attempts in a row. Default nil: no limit.
        public var maxAttempts: Int?
        /// The delay before the first attempt; it doubles from one to the next. Default 1 s.
        public var delay: Duration = .seconds(1)
        /// The longest delay. Default 5 s.
        public var maxDelay: Duration = .seconds(5)
        /// By which part of itself a delay is made longer or shorter at random: 0 to 1. Default 0.5.
        public var jitter = 0.5

        /// The defaults.
        public init() {}
    }

    /// What becomes of events that are emitted while there is no connection: they wait and are sent after the next.
    public struct OfflineBuffer: Sendable, Hashable {
        /// What gives way when the buffer is full.
        public enum Overflow: Sendable, Hashable {
            /// The event that does not fit any more.
            case dropNewest
            /// The events that have waited longest.
            case dropOldest
        }

        /// Most events. Default 10,000.
        public var maxEvents = 10_000
        /// Most bytes of all of them together. Default 16 MiB.
        public var maxBytes = 16 << 20
        /// Default ``Overflow/dropNewest``. What is dropped is reported with the code `limitExceeded`, by
        /// ``SocketIOClient/onError(_:)`` or to who waits for its acknowledgement.
        public var overflow = Overflow.dropNewest

        /// The defaults.
        public init() {}
    }
}
