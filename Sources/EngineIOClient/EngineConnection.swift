import EngineIOCore
import NIOCore

/// What is told of a connection, on its event loop, one thing at a time: opened once at most, then messages, then closed once.
package protocol EngineConnectionHandler: AnyObject, Sendable {
    func engineOpened(_ handshake: Handshake)
    func engineReceived(text: ByteBuffer)
    func engineReceived(binary: ByteBuffer)
    /// The client may be written to again (after ``EngineConnection/isWritable`` was false).
    func engineBecameWritable()
    /// A ping of the server has come.
    func enginePinged()
    func engineUpgraded()
    func engineClosed(_ end: EngineEnd)
}

/// How a connection ended.
package struct EngineEnd: Sendable {
    /// One of the protocol's own reasons: `transport close`, `transport error`, `ping timeout`, `forced close`, `parse error`.
    package var reason: String
    /// What went wrong, with what can be done about it; nil for an orderly end.
    package var error: EngineClientError?

    package init(reason: String, error: EngineClientError? = nil) {
        self.reason = reason
        self.error = error
    }
}

/// Something went wrong between the client and the server.
public struct EngineClientError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of error it is. An open set.
    public struct Code: Sendable, Hashable, RawRepresentable {
        public let rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(self.code.rawValue): \(self.message)" }
}
