/// Something went wrong between the client and the server.
public struct EngineClientError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of error it is. An open set.
    public struct Code: Sendable, Hashable, RawRepresentable {
        public let rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }
    }

    public let code: Code
    /// What happened and what can be done about it, for a person.
    public let message: String
    /// The HTTP status that the server answered with, if that was the trouble.
    public let status: Int?
    /// What the server said (at most 1,000 characters), if it said anything.
    public let serverMessage: String?

    public init(_ code: Code, _ message: String, status: Int? = nil, serverMessage: String? = nil) {
        self.code = code
        self.message = message
        self.status = status
        self.serverMessage = serverMessage
    }

    public var description: String { "\(self.code.rawValue): \(self.message)" }
}

extension EngineClientError.Code {
    private init(_ rawValue: String) { self.init(rawValue: rawValue) }

    // Before anything is sent.

    /// The URL, a header, the path or the TLS configuration can't be used.
    public static let invalidConfiguration = Self("invalid configuration")

    // No connection.

    /// The host name has no address.
    public static let dnsFailure = Self("dns failure")
    /// Nothing listens at the port.
    public static let refused = Self("connection refused")
    /// There is no way to the host.
    public static let unreachable = Self("unreachable")
    /// The connection was not open within the time.
    public static let connectTimeout = Self("connect timeout")

    // TLS.

    /// The server's certificate is not trusted, expired, or for another host.
    public static let tlsCertificate = Self("tls certificate")
    /// The public key of the server is none of the pinned ones.
    public static let tlsPin = Self("tls pin")
    /// The server does not take the client's certificate, or wants one.
    public static let tlsClientCertificate = Self("tls client certificate")
    /// The server does not speak TLS.
    public static let tlsNotSpoken = Self("tls not spoken")
    /// Any other failure of TLS.
    public static let tlsFailed = Self("tls failed")

    // Not the server that was expected.

    /// What answers does not speak HTTP.
    public static let notHTTP = Self("not http")
    /// What answers is a server of another kind.
    public static let notSocketIO = Self("not a socket.io server")
    /// The server speaks only an older protocol.
    public static let unsupportedProtocol = Self("unsupported protocol version")
    /// The server sends the client elsewhere, which is not followed.
    public static let redirected = Self("redirected")

    // Refused by the server, or by what stands before it.

    /// Status 401.
    public static let unauthorized = Self("unauthorized")
    /// Status 403, or the server's own refusal.
    public static let forbidden = Self("forbidden")
    /// Status 404.
    public static let notFound = Self("not found")
    /// The server does not offer the transport.
    public static let transportUnknown = Self("transport unknown")
    /// The server does not know the session (any more).
    public static let sessionUnknown = Self("session unknown")
    /// Status 5xx.
    public static let serverUnavailable = Self("server unavailable")
    /// Any other status that is no success.
    public static let unexpectedStatus = Self("unexpected status")
    /// What was sent is larger than the server takes.
    public static let payloadTooLarge = Self("payload too large")

    // While it is open.

    /// The handshake of a WebSocket was answered wrongly.
    public static let webSocketHandshake = Self("websocket handshake")
    /// The server broke a rule of WebSocket.
    public static let webSocketProtocol = Self("websocket protocol")
    /// A message of the server is larger than the client takes.
    public static let messageTooLarge = Self("message too large")
    /// The server sent what is no packet.
    public static let invalidPacket = Self("invalid packet")
    /// The server closed the connection and gave a reason.
    public static let closedByServer = Self("closed by the server")
    /// The connection broke.
    public static let connectionLost = Self("connection lost")
    /// The server has not been heard of for too long.
    public static let pingTimeout = Self("ping timeout")
    /// A request was not answered in time.
    public static let requestTimeout = Self("request timeout")
    /// More waits to be sent than is allowed.
    public static let outboundLimit = Self("outbound limit")
}
