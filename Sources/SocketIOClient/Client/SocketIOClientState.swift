import SocketIOCore

/// What a client does at the moment.
public enum SocketIOClientState: Sendable, Hashable {
    /// Nothing: it was not told to connect, was disconnected or refused, or has given up.
    case disconnected
    /// It connects, or joins its namespace over a connection that is there.
    case connecting
    case connected
    /// It has lost its connection, or found none, and waits for this attempt or makes it.
    case reconnecting(attempt: Int)
    /// It waits for a network, or for the application to come to the foreground.
    case suspended
}

extension SocketIOError.Code {
    /// `auth` has thrown, or gave what is no object.
    public static let authFailed = Self(rawValue: "auth_failed")
    /// ``SocketIOClient/connect(timeout:)`` has waited for as long as it was allowed to.
    public static let connectTimeout = Self(rawValue: "connect_timeout")
    /// The server has not said within ``SocketIOClientConfiguration/joinTimeout`` whether the client may join its namespace.
    public static let joinTimeout = Self(rawValue: "join_timeout")
    /// The server speaks a protocol that this client does not.
    public static let unsupportedProtocol = Self(rawValue: "unsupported_protocol")
    /// The connection has ended in the middle of a packet, before all of its attachments had come.
    public static let incompletePacket = Self(rawValue: "incomplete_packet")
}
