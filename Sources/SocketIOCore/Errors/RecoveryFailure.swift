/// Why a client that has come back could not go on where it had stopped: it may have missed events. An open set: compare with
/// the constants, expect others.
///
/// A server of this package tells it to the client in its answer to CONNECT; other clients ignore it.
public struct RecoveryFailure: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    /// The server knows of no such session: it was restarted, the session belongs to another server, was continued by another
    /// connection already, or was ended by one of the two sides on purpose.
    public static let unknownSession = Self(rawValue: "unknown_session")
    /// The client was away for longer than the server keeps sessions.
    public static let expired = Self(rawValue: "expired")
    /// More sessions were lost at a time than the server keeps.
    public static let sessionDropped = Self(rawValue: "session_dropped")
    /// Packets were sent since that the server does not keep any more: there were too many, or they were too large.
    public static let packetsDropped = Self(rawValue: "packets_dropped")
    /// The server was cut off from the others since, and what they have sent meanwhile is lost.
    public static let messagesLost = Self(rawValue: "messages_lost")
    /// What the client has said of the last event it has got is no offset. Clients take the last argument of an event for it
    /// if it is a text; servers of another kind send volatile events without one.
    public static let invalidOffset = Self(rawValue: "invalid_offset")
    /// More was missed than can wait for a client.
    public static let tooMuchMissed = Self(rawValue: "too_much_missed")
    /// What keeps the sessions could not be asked.
    public static let unavailable = Self(rawValue: "unavailable")

    /// So many clients were coming back that it was not waited for the session of this one: the server that it was connected to may
    /// have written it too late.
    public static let limited = Self(rawValue: "limited")

    public var description: String { self.rawValue }
}
