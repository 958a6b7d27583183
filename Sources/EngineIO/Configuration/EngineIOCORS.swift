import EngineIOCore

/// Which pages of other origins may connect. Denied by default; the origin is checked for WebSocket too.
///
/// A page may always connect to the server that it came from: the host of its `Origin` header equals the `Host` header.
/// A proxy that changes `Host` needs its public origin listed here. Clients that are no browsers send no `Origin` and are not
/// concerned.
public struct EngineIOCORS: Sendable {
    /// The origins that may connect.
    public enum Origin: Sendable {
        /// None but the server's own.
        case none
        /// Every page of the web. With ``EngineIOCORS/credentials`` browsers refuse this: use ``reflected``.
        case any
        /// The origin that asks, whatever it is.
        case reflected
        /// These, as browsers write them: scheme, host, and the port unless it is the scheme's own. `https://example.com`.
        case list([String])
        /// Those for which the closure returns true. It is called on event loops and must not block.
        case matching(@Sendable (String) -> Bool)
    }

    public var origin: Origin
    /// Default `GET,HEAD,PUT,PATCH,POST,DELETE`.
    public var methods: [String]
    /// Request headers that pages may send. Default: those that they ask for.
    public var allowedHeaders: [String]?
    /// Response headers that pages may read. Default none.
    public var exposedHeaders: [String]
    /// Whether cookies and HTTP authentication may be sent. Default false.
    public var credentials: Bool
    /// How long a browser may remember the answer, in seconds. Default: not said.
    public var maxAge: Int?
    /// The status of the answer to a preflight request. Default 204.
    public var successStatus: Int

    public init(origin: Origin) {
        self.origin = origin
        self.methods = ["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"]
        self.allowedHeaders = nil
        self.exposedHeaders = []
        self.credentials = false
        self.maxAge = nil
        self.successStatus = 204
    }

    /// Only pages of the server's own origin may connect.
    public static let denied = EngineIOCORS(origin: .none)

    /// Pages of these origins may connect.
    public static func origins(_ origins: String...) -> EngineIOCORS { EngineIOCORS(origin: .list(origins)) }

    var isEnabled: Bool {
        if case .none = self.origin { false } else { true }
    }
}
