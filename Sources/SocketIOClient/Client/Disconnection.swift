import SocketIOCore

/// How a client was disconnected.
public struct Disconnection: Sendable, CustomStringConvertible {
    /// In the words of the protocol.
    public let reason: DisconnectReason
    /// What went wrong, with what can be done about it; nil for an orderly end.
    public let error: (any Error)?
    /// Whether the client tries to come back by itself. It does not after
    /// ``/SocketIOCore/DisconnectReason/ioServerDisconnect`` and ``/SocketIOCore/DisconnectReason/ioClientDisconnect``.
    public let willReconnect: Bool

    init(_ reason: DisconnectReason, error: (any Error)?, willReconnect: Bool) {
        self.reason = reason
        self.error = error
        self.willReconnect = willReconnect
    }

    public var description: String { self.error.map { "\(self.reason) (\($0))" } ?? self.reason.rawValue }
}
