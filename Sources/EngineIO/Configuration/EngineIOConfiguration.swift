import EngineIOCore
import NIOCore
import NIOHTTP1
import NIOSSL

/// The settings of an Engine.IO server. The defaults are those of the reference implementation where it has the setting.
public struct EngineIOConfiguration: Sendable {
    /// The path at which clients connect. Default `/engine.io/`; Socket.IO uses `/socket.io/`. A request is the server's when
    /// its target begins with this path.
    public var path: String
    /// Whether ``path`` is made to end with one slash. Default true.
    public var addTrailingSlash: Bool
    /// The transports that clients may use. Default both.
    public var transports: Set<EngineIOTransport>
    /// Whether a polling session may be upgraded to WebSocket. Default true.
    public var allowUpgrades: Bool
    /// Whether clients of Engine.IO protocol 3 are served too, as those of Socket.IO 1 and 2 are. Default false: they get error 5.
    /// The metric `sessions_eio3` counts them. The id of such a session is known to the application as a socket's id: see `SECURITY.md`.
    public var allowEIO3: Bool
    /// Whether browsers may poll by script elements (JSONP: the query parameter `j`), which asks for no other origin's leave: any page may then
    /// connect, whatever ``cors`` says. Default false: `j` is ignored.
    public var allowJSONP: Bool
    /// Time from the session's begin or a pong to the next ping. Default 25 s.
    public var pingInterval: Duration
    /// Time within which a ping must be answered. Default 20 s.
    public var pingTimeout: Duration
    /// Time within which an upgrade must be completed, from the opening of the WebSocket. Default 10 s.
    public var upgradeTimeout: Duration
    /// Largest body of a POST and largest WebSocket message, in bytes. Default 1,000,000. A POST over it gets 413 and the
    /// session goes on; a WebSocket message over it closes the session with close code 1009.
    public var maxPayload: Int
    /// Most packets in the body of one POST. Default 10,000. More are a parse error.
    public var maxPacketsPerPayload: Int
    /// Most bytes that wait for one client, each packet counted with 256 more for what holds it, and those handed to the system
    /// not counted. Default 16 MiB. A client that does not
    /// read while more is sent is closed (``EngineIOCloseReason/transportError``); see `SECURITY.md`.
    public var maxOutboxBytes: Int
    /// Most bytes that wait, counted as for ``maxOutboxBytes``, for all clients together that do not take what was sent right
    /// now: WebSockets that the system takes no more for, and polling clients without a GET. A broadcast counts for each of
    /// them, though its bytes are shared. Default 1 GiB. Over it such clients are closed (``EngineIOCloseReason/transportError``) when
    /// more is sent to them, unless they hold far less than others do; those who hold the average or more already at seven eighths of it.
    public var maxTotalOutboxBytes: Int
    /// Most bytes received from one client that wait while its earlier messages are being handled. Default 4 MiB.
    public var maxInboundQueueBytes: Int
    /// Most sessions at a time. Default 100,000. Further handshakes get status 503,
    /// and ``onLimit`` is told.
    public var maxSessions: Int
    /// Most sessions of one address at a time. Default nil: no limit. Further handshakes get status 429. The address is
    /// ``EngineIORequest/address``, which ``trustedProxies`` decides about; IPv6 addresses count by their /64. Behind a proxy that
    /// is not trusted all clients have the same address. Connections over a Unix domain socket are not counted.
    public var maxSessionsPerAddress: Int?
    /// Most TCP connections of one address at a time, whatever they are used for. Default nil: no limit. Further ones are closed
    /// without an answer. The address is that of the other end, IPv6 by its /64; connections of ``trustedProxies`` are not
    /// counted. A client that polls has two, and a third while it changes its transport.
    public var maxConnectionsPerAddress: Int?
    /// What the answers 429 and 503 say about when to try again (`Retry-After`), in whole seconds. Default 10 s.
    public var retryAfter: Duration
    /// How many messages a client may send in a time, over whichever transport. Default nil: no limit. Pings, pongs and what else
    /// is not a message don't count. A Socket.IO event is a message, and so is each of its attachments; see
    /// `SocketIOConfiguration.eventRate`, which counts events.
    public var messageRate: RateLimit?
    /// How many bytes these messages may have. Default nil: no limit. Its `burst` should not be less than a large message has.
    public var byteRate: RateLimit?
    /// Called when a client has run into one of the limits of ``EngineIOLimit``, for metrics and the like. It is called for each
    /// session that is refused and each message that is dropped, on event loops; it must be quick and not block.
    public var onLimit: (@Sendable (EngineIOLimitReport) -> Void)?
    /// Whether the application limits events by time.
    package var countsEvents = false
    /// Whether it calls ``EngineIOSession/pauseMessages(until:because:)``.
    package var holdsMessages = false
    /// Time for a closing handshake: how long the rest of the outbox and the closing packet may take. Default 30 s.
    public var closeTimeout: Duration
    /// Time within which a request's head and body must have arrived, ``allowRequest`` and ``fallback`` must have answered
    /// (else 503), and an idle connection is kept. Default 60 s.
    public var requestTimeout: Duration
    /// A cookie with the session's id, for load balancers. Default none.
    public var cookie: EngineIOCookie?
    /// Cross-origin access. Default ``EngineIOCORS/denied``: no page of another origin may connect, by polling or WebSocket.
    public var cors: EngineIOCORS
    /// Networks (`10.0.0.0/8`, `::1/128`, a single address) whose `Forwarded` and `X-Forwarded-For` headers are believed.
    /// Default none.
    public var trustedProxies: [String]
    /// Decides whether a client may open a session. Default: everybody may. See ``EngineIOAdmission``.
    public var allowRequest: (@Sendable (EngineIORequest) async -> EngineIOAdmission)?
    /// Makes the ids of sessions. Default: 15 bytes of the system's random source as 20 characters. A generator that throws
    /// refuses the handshake (code 3). Ids must be unique and unguessable: who knows one can take over its session.
    public var generateID: (@Sendable (EngineIORequest) async throws -> String)?
    /// A text message sent to each client directly behind the handshake. Default none.
    public var initialPacket: String?
    /// Adds headers to the response of each handshake, before they are sent. Called once for a session, on an event loop.
    public var initialHeaders: (@Sendable (inout HTTPHeaders, EngineIORequest) -> Void)?
    /// Adds headers to every response of the server, the WebSocket upgrade included. Called on an event loop.
    public var responseHeaders: (@Sendable (inout HTTPHeaders, EngineIORequest) -> Void)?
    /// Called for each request that is refused, with the reason that the client is told. Called on an event loop.
    public var onConnectionError: (@Sendable (EngineIOConnectionError) -> Void)?
    /// Answers requests for other paths. Default: 404.
    public var fallback: (@Sendable (EngineIORequest) async -> EngineIOResponse)?
    /// Files served below ``path``, by name.
    package var clientFiles: [String: EngineIOFile] = [:]
    /// Metrics. Default nil: none.
    public var metrics: MetricsConfiguration?
    /// TLS. Default none: plain HTTP.
    public var tls: TLSConfiguration?
    /// Number of event loops, each on its own thread. Default: the number of cores.
    public var eventLoopCount: Int
    /// Connections that the system may queue before they are accepted. Default 1024.
    public var backlog: Int32

    /// The defaults above.
    public init(path: String = "/engine.io/") {
        self.path = path
        self.addTrailingSlash = true
        self.transports = [.polling, .websocket]
        self.allowUpgrades = true
        self.allowEIO3 = false
        self.allowJSONP = false
        self.pingInterval = .seconds(25)
        self.pingTimeout = .seconds(20)
        self.upgradeTimeout = .seconds(10)
        self.maxPayload = 1_000_000
        self.maxPacketsPerPayload = 10_000
        self.maxOutboxBytes = 16 << 20
        self.maxTotalOutboxBytes = 1 << 30
        self.maxInboundQueueBytes = 4 << 20
        self.maxSessions = 100_000
        self.maxSessionsPerAddress = nil
        self.maxConnectionsPerAddress = nil
        self.retryAfter = .seconds(10)
        self.messageRate = nil
        self.byteRate = nil
        self.onLimit = nil
        self.closeTimeout = .seconds(30)
        self.requestTimeout = .seconds(60)
        self.cookie = nil
        self.cors = .denied
        self.trustedProxies = []
        self.allowRequest = nil
        self.generateID = nil
        self.initialPacket = nil
        self.initialHeaders = nil
        self.responseHeaders = nil
        self.onConnectionError = nil
        self.fallback = nil
        self.metrics = nil
        self.tls = nil
        self.eventLoopCount = System.coreCount
        self.backlog = 1024
    }
}

/// A way in which an Engine.IO session moves its packets.
public enum EngineIOTransport: String, Sendable, Hashable, CaseIterable {
    /// HTTP long-polling.
    case polling
    /// WebSocket (RFC 6455).
    case websocket
}

/// The answer of ``EngineIOConfiguration/allowRequest``.
public enum EngineIOAdmission: Sendable {
    /// The session is opened.
    case allow
    /// The client gets error 4 with this message, or `Forbidden` when there is none. Status 403 (400 for WebSocket).
    case refuse(reason: String? = nil)
}

/// A cookie that carries the session's id to load balancers; see the page "Using multiple nodes" of the Socket.IO
/// documentation.
public struct EngineIOCookie: Sendable {
    /// Default `io`.
    public var name: String
    /// Default `/`. nil leaves the attribute out.
    public var path: String?
    /// Default true.
    public var httpOnly: Bool
    /// Default `lax`. nil leaves the attribute out.
    public var sameSite: SameSite?
    /// Default false.
    public var secure: Bool
    /// Life time. Default none: the cookie ends with the browser's session.
    public var maxAge: Duration?
    /// Default none.
    public var domain: String?

    /// The `SameSite` attribute.
    public enum SameSite: String, Sendable {
        case strict = "Strict"
        case lax = "Lax"
        case none = "None"
    }

    /// A cookie with the defaults above.
    public init(name: String = "io") {
        self.name = name
        self.path = "/"
        self.httpOnly = true
        self.sameSite = .lax
        self.secure = false
        self.maxAge = nil
        self.domain = nil
    }
}
