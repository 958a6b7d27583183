import Logging
import NIOCore
import NIOSSL

/// How a client connects. The defaults are those of the reference implementation where it has the setting.
package struct EngineClientConfiguration: Sendable {
    package enum Transport: String, Sendable, Hashable, CaseIterable {
        case polling
        case websocket
    }

    /// Scheme, host and port; its path and query are not used here.
    package var url: EngineURL
    /// Where the server answers. Default `/socket.io/`; it is made to end with one slash.
    package var path: String
    /// Sent with every request, in this order, before the protocol's own parameters.
    package var query: [(String, String)]
    /// Sent with every request; of the protocol's own headers, `Host`, `Accept` and `User-Agent` may be replaced.
    package var extraHeaders: [(String, String)]
    /// In the order in which they are tried. Default both, polling first.
    package var transports: [Transport]
    /// Whether polling is left for WebSocket when both are possible. Default true.
    package var upgrade: Bool
    /// Whether to begin with WebSocket when ``hasUpgradedBefore``. Default false.
    package var rememberUpgrade: Bool
    /// What ``EngineConnection/didUpgrade`` said of the connection before.
    package var hasUpgradedBefore: Bool
    /// Whether the next transport is tried when one fails before the handshake. Default false.
    package var tryAllTransports: Bool
    /// Default: TLS 1.2 or newer, full verification against the system's roots. Used with `https` and `wss` only.
    package var tls: TLSConfiguration? {
        didSet { self.tlsContext = TLSContextBox() }
    }
    /// If not empty, the server's certificate must have one of these public keys: SHA-256 of the SubjectPublicKeyInfo in
    /// base64. They are checked beside the verification, not instead of it.
    package var pins: [String]
    /// How long the handshake may take, for each transport that is tried. Default 20 s.
    package var connectTimeout: Duration
    /// How long a POST may go unanswered once it was given to the system, which keeps much of it on a slow network. Default nil:
    /// as long as the pings of the server go on.
    package var requestTimeout: Duration?
    /// How long a probe of ``EngineConnection/networkChanged()`` may go unanswered. Default 10 s.
    package var probeTimeout: Duration
    /// How long an upgrade may take; polling goes on if it takes longer. Default 10 s.
    package var upgradeTimeout: Duration
    /// How long an orderly close may take. Default 5 s.
    package var closeTimeout: Duration
    /// Largest message that is taken, in bytes. Default 64 MiB. The answer to a poll may have twice as much. Beyond it the
    /// connection ends with ``EngineClientError/Code/messageTooLarge``.
    package var maxMessageBytes: Int
    /// Most bytes that may wait to be sent; a single message may be larger. Default 64 MiB. Beyond it the connection ends with
    /// ``EngineClientError/Code/outboundLimit``.
    package var maxOutboundBytes: Int
    /// Most packets in the body of one POST. Default 16: python-engineio drops a body with more and says nothing.
    package var maxPacketsPerPost: Int
    package var logger: Logger

    /// Kept by all copies, so that the trusted roots are read once and not for every connection.
    private(set) var tlsContext = TLSContextBox()

    package init(url: EngineURL, path: String = "/socket.io/") {
        self.url = url
        self.path = path
        self.query = []
        self.extraHeaders = []
        self.transports = [.polling, .websocket]
        self.upgrade = true
        self.rememberUpgrade = false
        self.hasUpgradedBefore = false
        self.tryAllTransports = false
        self.tls = nil
        self.pins = []
        self.connectTimeout = .seconds(20)
        self.requestTimeout = nil
        self.probeTimeout = .seconds(10)
        self.upgradeTimeout = .seconds(10)
        self.closeTimeout = .seconds(5)
        self.maxMessageBytes = 64 << 20
        self.maxOutboundBytes = 64 << 20
        self.maxPacketsPerPost = 16
        self.logger = Logger(label: "socketio.client.engine")
    }
}
