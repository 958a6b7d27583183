import EngineIOCore
import NIOCore
import NIOHTTP1

/// The HTTP request that opened a session, or that is being decided about.
///
/// It keeps the bytes of the request's head; what they say is read when it is asked for, each time.
public struct EngineIORequest: Sendable {
    private let parts: Parts

    /// Shared by all copies: a session and its sockets keep one.
    private final class Parts: Sendable {
        let head: RequestHead
        let remoteAddress: SocketAddress?
        let address: String?
        let isSecure: Bool
        let body: ByteBuffer

        init(head: RequestHead, remoteAddress: SocketAddress?, address: String?, isSecure: Bool, body: ByteBuffer) {
            self.head = head
            self.remoteAddress = remoteAddress
            self.address = address
            self.isSecure = isSecure
            self.body = body
        }
    }

    /// - Parameter address: what trusted proxies say; nil when they are not asked.
    init(head: RequestHead, remoteAddress: SocketAddress?, address: String?, isSecure: Bool, body: ByteBuffer) {
        self.parts = Parts(
            head: head, remoteAddress: remoteAddress, address: address, isSecure: isSecure, body: body)
    }

    /// For example `GET`.
    public var method: HTTPMethod { HTTPMethod(rawValue: self.parts.head.methodName) }

    /// The request target as it came, query included.
    public var url: String { self.parts.head.target }

    /// The headers as they came.
    public var headers: HTTPHeaders { HTTPHeaders(self.parts.head.fields) }

    /// The query parameters, percent-decoded; of a repeated key the last one counts.
    public var query: [String: String] { QueryParameters(self.parts.head).dictionary }

    /// The client's address: the peer's, or the one that trusted proxies name (``EngineIOConfiguration/trustedProxies``).
    public var address: String { self.parts.address ?? Self.peer(self.parts.remoteAddress) }

    /// The address of the other end of the TCP connection, with its port.
    public var remoteAddress: SocketAddress? { self.parts.remoteAddress }

    /// Whether the connection to this server is encrypted.
    public var isSecure: Bool { self.parts.isSecure }

    /// The body; empty but for requests that ``EngineIOConfiguration/fallback`` answers.
    public var body: ByteBuffer { self.parts.body }

    /// Whether the request came from a page of another origin.
    package var hasOrigin: Bool { self.parts.head.facts.contains(.hasOrigin) }

    static func peer(_ address: SocketAddress?) -> String { address?.ipAddress ?? address?.pathname ?? "" }
}
