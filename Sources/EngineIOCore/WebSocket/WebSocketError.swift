/// A violation of RFC 6455, or of a limit, by the peer. The connection ends with ``closeCode``.
package enum WebSocketError: Error, Equatable, Sendable, CaseIterable {
    case reservedBits
    case unknownOpcode
    case maskMissing
    case maskForbidden
    case fragmentedControlFrame
    case controlFrameTooLong
    case lengthNotMinimal
    case lengthHighBit
    case unexpectedContinuation
    case expectedContinuation
    case closePayloadTooShort
    case invalidCloseCode
    case invalidUTF8
    case messageTooBig
    case tooManyFragments

    /// The status for the close frame: 1002 (protocol error), 1007 (invalid data) or 1009 (too big).
    package var closeCode: UInt16 {
        switch self {
        case .invalidUTF8: 1007
        case .messageTooBig, .tooManyFragments: 1009
        default: 1002
        }
    }

    /// The rule or limit, for a log line.
    package var message: String {
        switch self {
        case .reservedBits: "reserved bits are set, no extension was negotiated"
        case .unknownOpcode: "unknown opcode"
        case .maskMissing: "a frame of a client must be masked"
        case .maskForbidden: "a frame of a server must not be masked"
        case .fragmentedControlFrame: "a control frame must not be fragmented"
        case .controlFrameTooLong: "a control frame holds at most 125 bytes"
        case .lengthNotMinimal: "the payload length must be written in its shortest form"
        case .lengthHighBit: "the high bit of a 64-bit payload length must be 0"
        case .unexpectedContinuation: "continuation frame without a message to continue"
        case .expectedContinuation: "a new message began inside a fragmented one"
        case .closePayloadTooShort: "a close frame holds no payload or at least 2 bytes"
        case .invalidCloseCode: "invalid close code"
        case .invalidUTF8: "a text message or close reason is not valid UTF-8"
        case .messageTooBig: "message larger than maxMessageBytes"
        case .tooManyFragments: "message of more than maxFragments frames"
        }
    }
}
