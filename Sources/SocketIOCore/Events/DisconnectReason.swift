/// Why a socket was disconnected, in the words of the protocol. An open set: compare with the constants, expect others.
public struct DisconnectReason: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    // MARK: On both sides

    /// The other side has closed the connection.
    public static let transportClose = Self(rawValue: "transport close")
    /// The connection broke.
    public static let transportError = Self(rawValue: "transport error")
    /// The client has not answered a ping; on the client: none has come.
    public static let pingTimeout = Self(rawValue: "ping timeout")
    /// A packet could not be decoded.
    public static let parseError = Self(rawValue: "parse error")

    // MARK: On a server

    /// The client has left the namespace.
    public static let clientNamespaceDisconnect = Self(rawValue: "client namespace disconnect")
    /// The server has disconnected the socket.
    public static let serverNamespaceDisconnect = Self(rawValue: "server namespace disconnect")
    /// The server is being closed.
    public static let serverShuttingDown = Self(rawValue: "server shutting down")
    /// The server has closed the connection, for example because a packet could not be decoded.
    public static let forcedClose = Self(rawValue: "forced close")
    /// The same, where the connection could not be closed on the spot.
    public static let forcedServerClose = Self(rawValue: "forced server close")

    // MARK: On a client

    /// The server has disconnected the socket. The client does not come back by itself.
    public static let ioServerDisconnect = Self(rawValue: "io server disconnect")
    /// The client has disconnected itself.
    public static let ioClientDisconnect = Self(rawValue: "io client disconnect")

    public var description: String { self.rawValue }
}
