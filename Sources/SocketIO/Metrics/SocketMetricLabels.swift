import EngineIO
import SocketIOCore

/// What has become of a client's attempt to join a namespace.
enum JoinLabel: String, MetricLabel {
    case accepted
    /// It goes on where its connection was lost.
    case recovered
    /// A middleware has thrown.
    case refused
    case unknownNamespace = "unknown_namespace"
    /// Over `maxNamespacesPerConnection` or `maxChildNamespaces`.
    case limited
    /// The connection ended before.
    case abandoned
}

/// Why a socket was disconnected.
enum DisconnectLabel: String, MetricLabel {
    case transportClose = "transport_close"
    case transportError = "transport_error"
    case pingTimeout = "ping_timeout"
    case parseError = "parse_error"
    case clientNamespaceDisconnect = "client_namespace_disconnect"
    case serverNamespaceDisconnect = "server_namespace_disconnect"
    case serverShuttingDown = "server_shutting_down"
    case forcedClose = "forced_close"
    case forcedServerClose = "forced_server_close"
    case other

    init(_ reason: DisconnectReason) {
        switch reason {
        case .transportClose: self = .transportClose
        case .transportError: self = .transportError
        case .pingTimeout: self = .pingTimeout
        case .parseError: self = .parseError
        case .clientNamespaceDisconnect: self = .clientNamespaceDisconnect
        case .serverNamespaceDisconnect: self = .serverNamespaceDisconnect
        case .serverShuttingDown: self = .serverShuttingDown
        case .forcedClose: self = .forcedClose
        case .forcedServerClose: self = .forcedServerClose
        default: self = .other
        }
    }
}

/// The kind of a handler.
enum HandlerLabel: String, MetricLabel {
    case sync
    case async
}

/// What has become of an acknowledgement that the server waited for.
enum AckLabel: String, MetricLabel {
    case answered
    case timedOut = "timed_out"
    case disconnected
    /// The task that waited was cancelled, or a broadcast no longer waits.
    case cancelled

    init<Success>(_ result: Result<Success, any Error>) {
        switch result {
        case .success: self = .answered
        case .failure(let error as SocketIOError) where error.code == .ackTimeout: self = .timedOut
        case .failure(is CancellationError): self = .cancelled
        case .failure: self = .disconnected
        }
    }
}

/// The setting that was exceeded, as it is called in the configuration and in log lines.
enum SocketLimitLabel: String, MetricLabel {
    case connectTimeout
    case attachmentsTimeout
    case maxNamespacesPerConnection
    case maxChildNamespaces
    case maxRoomsPerSocket
    case maxSessionSearches
}
