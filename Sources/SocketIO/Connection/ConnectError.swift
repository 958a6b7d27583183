import SocketIOCore

/// Refuses a client that wants to join a namespace: the client gets `connect_error` with this message and data. Thrown by
/// middlewares.
public struct ConnectError: Error, Sendable {
    public var message: String
    public var data: SocketIOValue?

    public init(_ message: String, data: SocketIOValue? = nil) {
        self.message = message
        self.data = data
    }

    static let invalidNamespace = ConnectError("Invalid namespace")
}
