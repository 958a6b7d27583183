import EngineIO
import NIOHTTP1
import SocketIOCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// How a socket came to be: the request that opened its connection, and what the client sent to join the namespace.
///
/// What the request says is read out of its bytes when it is asked for, each time; keep what is needed often.
public struct Handshake: Sendable {
    private let source: Source
    /// What the client sent to join this namespace; null if nothing.
    public let auth: SocketIOValue
    /// When the socket was made.
    public let time: Date

    private enum Source: Sendable {
        /// Shared with the session and its other sockets.
        case request(EngineIORequest)
        case parts(Parts)
    }

    /// The values of a handshake that another server has described.
    private final class Parts: Sendable {
        let headers: HTTPHeaders
        let query: [String: String]
        let address: String
        let secure: Bool
        let xdomain: Bool
        let url: String

        init(
            headers: HTTPHeaders, query: [String: String], address: String, secure: Bool, xdomain: Bool, url: String
        ) {
            self.headers = headers
            self.query = query
            self.address = address
            self.secure = secure
            self.xdomain = xdomain
            self.url = url
        }
    }

    public init(
        headers: HTTPHeaders = [:],
        query: [String: String] = [:],
        auth: SocketIOValue = .null,
        address: String = "",
        time: Date = Date(),
        secure: Bool = false,
        xdomain: Bool = false,
        url: String = ""
    ) {
        self.source = .parts(
            Parts(headers: headers, query: query, address: address, secure: secure, xdomain: xdomain, url: url))
        self.auth = auth
        self.time = time
    }

    init(_ request: EngineIORequest, auth: SocketIOValue) {
        self.source = .request(request)
        self.auth = auth
        self.time = Date()
    }

    /// The headers of the request that opened the connection.
    public var headers: HTTPHeaders {
        switch self.source {
        case .request(let request): request.headers
        case .parts(let parts): parts.headers
        }
    }

    /// The query parameters of that request, percent-decoded.
    public var query: [String: String] {
        switch self.source {
        case .request(let request): request.query
        case .parts(let parts): parts.query
        }
    }

    /// The client's address, behind trusted proxies the one that they name.
    public var address: String {
        switch self.source {
        case .request(let request): request.address
        case .parts(let parts): parts.address
        }
    }

    /// Whether the connection to this server is encrypted.
    public var secure: Bool {
        switch self.source {
        case .request(let request): request.isSecure
        case .parts(let parts): parts.secure
        }
    }

    /// Whether the request came from a page of another origin.
    public var xdomain: Bool {
        switch self.source {
        case .request(let request): request.hasOrigin
        case .parts(let parts): parts.xdomain
        }
    }

    /// The request target, query included.
    public var url: String {
        switch self.source {
        case .request(let request): request.url
        case .parts(let parts): parts.url
        }
    }

    /// ``time`` in milliseconds since 1970.
    public var issued: Int { Int(self.time.timeIntervalSince1970 * 1000) }

    /// Decodes ``auth``. Throws ``SocketIOError`` with code `typeMismatch` when it has another shape.
    public func auth<T: Decodable>(as type: T.Type = T.self) throws -> T { try self.auth.decode(type) }
}
