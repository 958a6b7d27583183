/// The refusal of a client that wants to join a namespace. On a server, middlewares throw it; a client gets it as what
/// `connect()` throws and as what its listeners for connection errors are told.
public struct ConnectError: Error, Sendable {
    public var message: String
    public var data: SocketIOValue?

    public init(_ message: String, data: SocketIOValue? = nil) {
        self.message = message
        self.data = data
    }

    package static let invalidNamespace = ConnectError("Invalid namespace")
}

extension ConnectError: CustomStringConvertible {
    public var description: String { "the server refuses the namespace: \(self.message)" }
}
