import NIOCore
import NIOHTTP1

/// Why a session ended, in the words of the protocol. An open set: compare with the constants, expect others.
public struct EngineIOCloseReason: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The connection broke, or the client broke a rule of the transport.
    public static let transportError = Self(rawValue: "transport error")
    /// The client closed the session or its connection.
    public static let transportClose = Self(rawValue: "transport close")
    /// The server closed the session.
    public static let forcedClose = Self(rawValue: "forced close")
    /// A ping was not answered in time.
    public static let pingTimeout = Self(rawValue: "ping timeout")
    /// A packet could not be decoded.
    public static let parseError = Self(rawValue: "parse error")

    public var description: String { self.rawValue }
}

/// An answer to a request that is not Engine.IO's.
public struct EngineIOResponse: Sendable {
    public var status: HTTPResponseStatus
    public var headers: HTTPHeaders
    public var body: ByteBuffer

    public init(status: HTTPResponseStatus, headers: HTTPHeaders = [:], body: ByteBuffer = ByteBuffer()) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// 404 with a short text.
    public static let notFound = EngineIOResponse(
        status: .notFound,
        headers: ["content-type": "text/plain; charset=UTF-8"],
        body: ByteBuffer(string: "Not Found\n")
    )
}

/// A request that was refused. The protocol's codes: 0 transport unknown, 1 session ID unknown, 2 bad handshake method,
/// 3 bad request, 4 forbidden, 5 unsupported protocol version. A client that a limit refuses, or a server
/// that is about to end, gets 4 with status 429 or 503.
public struct EngineIOConnectionError: Error, Sendable {
    /// What the client is told.
    public let code: Int
    /// What the client is told; for code 4 the reason of ``EngineIOAdmission/refuse(reason:)``.
    public let message: String
    /// What happened, for example `TRANSPORT_MISMATCH`, for logs; never sent.
    public let context: [String: String]
    /// The limit that was reached; nil if the reason is another.
    public let limit: EngineIOLimit?
    /// The request.
    public let request: EngineIORequest
}

/// Receives what happens to a session. All calls for one session are made one at a time, on event loops, in order; they must
/// not block. After ``sessionClosed(_:reason:)`` there are no more.
public protocol EngineIOSessionHandler: AnyObject, Sendable {
    /// A text message. The bytes are valid UTF-8 and without the packet type.
    func session(_ session: EngineIOSession, receivedText text: ByteBuffer, on loop: LoopContext)
    /// A binary message.
    func session(_ session: EngineIOSession, receivedBinary data: ByteBuffer, on loop: LoopContext)
    /// The session has ended.
    func sessionClosed(_ session: EngineIOSession, reason: EngineIOCloseReason, on loop: LoopContext)
    /// The deadline set by ``EngineIOSession/setHandlerDeadline(_:)`` has passed.
    func sessionDeadlinePassed(_ session: EngineIOSession, on loop: LoopContext)
}

extension EngineIOSessionHandler {
    public func sessionDeadlinePassed(_ session: EngineIOSession, on loop: LoopContext) {}
}

/// A file that the server hands out.
package struct EngineIOFile: Sendable {
    package let contentType: String
    /// Changes with the content; in quotes.
    package let etag: String
    package let body: ByteBuffer

    package init(contentType: String, etag: String, body: ByteBuffer) {
        self.contentType = contentType
        self.etag = etag
        self.body = body
    }
}
