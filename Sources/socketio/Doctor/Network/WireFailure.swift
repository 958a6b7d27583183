import NIOCore
import NIOPosix
import NIOSSL

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Why there is no answer at all.
enum WireFailure: Error, Equatable, Sendable {
    /// Nothing listens.
    case refused
    case unreachable
    case timeout
    /// The other side has closed the connection before it has answered.
    case closed
    /// In the words of the TLS library.
    case tls(String)
    case otherHostName
    /// What came is no HTTP.
    case notHTTP
    case other(String)

    init(_ error: any Error) {
        switch error {
        case let failure as WireFailure: self = failure
        case let error as NIOConnectionError:
            guard let first = error.connectionErrors.first?.error else {
                self = .timeout
                return
            }
            self = WireFailure(first)
        case let error as IOError: self = Self.system(error)
        case let error as NIOSSLExtraError where Self.isOfName(error): self = .otherHostName
        case NIOSSLError.handshakeFailed(let reason): self = .tls("\(reason)")
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError: self = .tls("\(error)")
        case ChannelError.connectTimeout: self = .timeout
        case ChannelError.eof, ChannelError.alreadyClosed, ChannelError.ioOnClosedChannel: self = .closed
        default: self = .other("\(error)")
        }
    }

    private static func isOfName(_ error: NIOSSLExtraError) -> Bool {
        error == .failedToValidateHostname || error == .serverHostnameImpossibleToMatch
    }

    private static func system(_ error: IOError) -> WireFailure {
        switch error.errnoCode {
        case ECONNREFUSED: .refused
        case ENETUNREACH, EHOSTUNREACH, ENETDOWN, EADDRNOTAVAIL, EAFNOSUPPORT: .unreachable
        case ETIMEDOUT: .timeout
        case ECONNRESET, EPIPE: .closed
        default: .other("\(error)")
        }
    }

    /// As the end of a sentence that begins with "the connection".
    var words: String {
        switch self {
        case .refused: "was refused"
        case .unreachable: "found no way to the host"
        case .timeout: "was not answered in time"
        case .closed: "was closed without an answer"
        case .tls(let reason): "failed in TLS (\(SafeText.escape(reason)))"
        case .otherHostName: "got a certificate for another host"
        case .notHTTP: "was answered with something that is not HTTP"
        case .other(let reason): "failed (\(SafeText.escape(reason)))"
        }
    }
}
