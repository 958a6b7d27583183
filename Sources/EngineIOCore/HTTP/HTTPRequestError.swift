/// Why bytes are no request. What comes behind them can't be understood: the connection ends with the answer.
package enum HTTPRequestError: Error, Equatable, Sendable {
    /// A line, the head, the number of fields, or what stands around chunks is larger than is accepted.
    case tooLarge
    /// A control character, or a line that does not end with CR LF.
    case badByte
    case badRequestLine
    case unknownMethod
    case badVersion
    case unsupportedVersion
    case badTarget
    /// A field without a name, with a space in front of its colon, or folded over two lines.
    case badField
    /// None, more than one, or no authority.
    case badHost
    case badContentLength
    /// Codings that do not end with `chunked`, a length beside them, or any with HTTP/1.0.
    case badTransferEncoding
    case unsupportedTransferEncoding
    case badChunk
    /// A field that says how the message is to be read stands behind it.
    case badTrailer

    /// The status of the answer.
    package var status: Int {
        switch self {
        case .tooLarge: 431
        case .unknownMethod, .unsupportedTransferEncoding: 501
        case .unsupportedVersion: 505
        default: 400
        }
    }
}
