/// An error of this package: a code to switch over, a message to log, and what caused it.
///
/// The set of codes is open: compare with the constants of ``Code`` and keep a `default`.
public struct SocketIOError: Error {
    /// What went wrong, as a stable name.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }
    }

    /// What went wrong.
    public var code: Code
    /// One sentence for a log. It never contains what a peer sent, apart from key and event names.
    public var message: String
    /// The error below this one, for instance the `DecodingError` of a `Decodable` type.
    public var cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}

extension SocketIOError.Code {
    /// The text of a packet does not follow the protocol's grammar.
    public static let invalidPacket = Self(rawValue: "invalid_packet")
    /// The payload of a packet is not JSON or not of the form which its type demands.
    public static let invalidPayload = Self(rawValue: "invalid_payload")
    /// The number of attachments or a placeholder is malformed or out of range.
    public static let illegalAttachments = Self(rawValue: "illegal_attachments")
    /// A packet announces more attachments than allowed.
    public static let tooManyAttachments = Self(rawValue: "too_many_attachments")
    /// Text came where an attachment was due, or an attachment that no packet announced.
    public static let unexpectedMessage = Self(rawValue: "unexpected_message")
    /// Values are nested deeper than allowed.
    public static let nestingTooDeep = Self(rawValue: "nesting_too_deep")
    /// Another limit was exceeded; the message names it.
    public static let limitExceeded = Self(rawValue: "limit_exceeded")
    /// The event name is one of those that the protocol keeps for itself.
    public static let reservedEvent = Self(rawValue: "reserved_event")
    /// An event has fewer arguments than its handler asks for.
    public static let missingArgument = Self(rawValue: "missing_argument")
    /// An argument is not of the type that was asked for.
    public static let typeMismatch = Self(rawValue: "type_mismatch")
    /// A value could not be encoded.
    public static let encodingFailed = Self(rawValue: "encoding_failed")
    /// Binary data stands where only JSON is possible.
    public static let binaryNotAllowed = Self(rawValue: "binary_not_allowed")
    /// No acknowledgement has come in time.
    public static let ackTimeout = Self(rawValue: "ack_timeout")
    /// The socket is not connected any more.
    public static let disconnected = Self(rawValue: "disconnected")
}

extension SocketIOError.Code: CustomStringConvertible {
    public var description: String { self.rawValue }
}

extension SocketIOError: CustomStringConvertible {
    public var description: String {
        guard let cause = self.cause else { return "\(self.code): \(self.message)" }
        return "\(self.code): \(self.message) (\(cause))"
    }
}
