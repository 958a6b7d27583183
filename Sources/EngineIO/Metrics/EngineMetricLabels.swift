/// The protocol of a TCP connection.
enum ConnectionLabel: String, MetricLabel {
    case http
    case websocket
}

/// The transport of a session.
enum TransportLabel: String, MetricLabel {
    case polling
    case websocket
}

/// Why a session has ended.
enum CloseLabel: String, MetricLabel {
    case transportError = "transport_error"
    case transportClose = "transport_close"
    case forcedClose = "forced_close"
    case pingTimeout = "ping_timeout"
    case parseError = "parse_error"
    case other

    init(_ reason: EngineIOCloseReason) {
        switch reason {
        case .transportError: self = .transportError
        case .transportClose: self = .transportClose
        case .forcedClose: self = .forcedClose
        case .pingTimeout: self = .pingTimeout
        case .parseError: self = .parseError
        default: self = .other
        }
    }
}

/// What has become of an attempt to upgrade.
enum UpgradeLabel: String, MetricLabel {
    case completed
    /// The WebSocket broke a rule, or it or the session ended.
    case failed
    case timedOut = "timed_out"
    /// The session had been upgraded, or was being upgraded.
    case refused
}

/// Why a request was refused.
package enum RejectionLabel: String, MetricLabel {
    case unknownTransport = "unknown_transport"
    case unknownSession = "unknown_session"
    case badMethod = "bad_method"
    case badRequest = "bad_request"
    case forbidden
    case unsupportedVersion = "unsupported_version"
    /// It is not HTTP as we read it.
    case malformed
    case bodyTooLarge = "body_too_large"
    /// Two GETs or two POSTs of one session at the same time.
    case overlap
    case tooManySessions = "too_many_sessions"
    case tooManySessionsOfAddress = "too_many_sessions_of_address"
    /// The server is being closed.
    case closing
    /// The application has not answered in time.
    case noAnswer = "no_answer"

    init(_ refusal: EngineIORefusal) {
        switch refusal {
        case .unknownTransport: self = .unknownTransport
        case .unknownSession: self = .unknownSession
        case .badMethod: self = .badMethod
        case .badRequest: self = .badRequest
        case .forbidden: self = .forbidden
        case .unsupportedVersion: self = .unsupportedVersion
        case .limit(.maxSessionsPerAddress): self = .tooManySessionsOfAddress
        case .limit: self = .tooManySessions
        case .closing: self = .closing
        }
    }
}

/// The setting that was exceeded, as it is called in the configuration and in log lines.
package enum EngineLimitLabel: String, MetricLabel {
    /// Slow consumers.
    case maxOutboxBytes
    case maxTotalOutboxBytes
    case maxInboundQueueBytes
    case maxPayload
    case maxSessions
    case maxSessionsPerAddress
    case maxConnectionsPerAddress
    case messageRate
    case byteRate
    case eventRate
    case connectRate
    case requestTimeout
}
