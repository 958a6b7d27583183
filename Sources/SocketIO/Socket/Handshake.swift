import EngineIO
import NIOHTTP1
import SocketIOCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// How a socket came to be: the request that opened its connection, and what the client sent to join the namespace.
public struct Handshake: Sendable {
    /// The headers of the request that opened the connection.
    public let headers: HTTPHeaders
    /// The query parameters of that request, percent-decoded.
    public let query: [String: String]
    /// What the client sent to join this namespace; null if nothing.
    public let auth: SocketIOValue
    /// The client's address, behind trusted proxies the one that they name.
    public let address: String
    /// When the socket was made.
    public let time: Date
    /// Whether the connection to this server is encrypted.
    public let secure: Bool
    /// Whether the request came from a page of another origin.
    public let xdomain: Bool
    /// The request target, query included.
    public let url: String

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
        self.headers = headers
        self.query = query
        self.auth = auth
        self.address = address
        self.time = time
        self.secure = secure
        self.xdomain = xdomain
        self.url = url
    }

    init(_ request: EngineIORequest, auth: SocketIOValue) {
        self.init(
            headers: request.headers,
            query: request.query,
            auth: auth,
            address: request.address,
            time: Date(),
            secure: request.isSecure,
            xdomain: request.headers.first(name: "origin") != nil,
            url: request.url
        )
    }

    /// ``time`` in milliseconds since 1970.
    public var issued: Int { Int(self.time.timeIntervalSince1970 * 1000) }

    /// Decodes ``auth``. Throws ``SocketIOError`` with code `typeMismatch` when it has another shape.
    public func auth<T: Decodable>(as type: T.Type = T.self) throws -> T { try self.auth.decode(type) }
}
