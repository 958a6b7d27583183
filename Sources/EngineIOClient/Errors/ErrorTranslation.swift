import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Android)
    import Android
#endif

/// Says in the client's own terms what went wrong below it.
enum ErrorTranslation {
    static func translate(_ error: any Error, url: EngineURL) -> EngineClientError {
        switch error {
        case let error as EngineClientError: return error
        case let error as NIOConnectionError: return self.connection(error, url)
        case let error as IOError: return self.system(error, url)
        case HTTPParserError.invalidEOFState: return self.closed(url, isHandshaken: true)
        case is HTTPParserError, is NIOHTTPDecoderError: return self.notHTTP(url)
        case let error as NIOSSLError: return self.tls(error, url)
        case let error as NIOSSLExtraError:
            if error == .failedToValidateHostname || error == .serverHostnameImpossibleToMatch {
                return EngineClientError(
                    .tlsCertificate,
                    "the certificate of \(url.origin) is for another host; connect by a name that stands in it (\(error))"
                )
            }
            return EngineClientError(.tlsFailed, "TLS with \(url.origin) failed: \(error)")
        case let error as BoringSSLError: return self.tls("\(error)", url)
        case ChannelError.connectTimeout: return self.timeout(url)
        case ChannelError.eof, ChannelError.alreadyClosed, ChannelError.ioOnClosedChannel:
            return self.closed(url, isHandshaken: true)
        default:
            return EngineClientError(.connectionLost, "the connection to \(url.origin) failed: \(error)")
        }
    }

    static func timeout(_ url: EngineURL) -> EngineClientError {
        EngineClientError(
            .connectTimeout,
            """
            \(url.origin) has not answered within `connectTimeout`; is the address right, and does no firewall swallow the \
            connection?
            """)
    }

    static func closed(_ url: EngineURL, isHandshaken: Bool) -> EngineClientError {
        isHandshaken
            ? EngineClientError(.connectionLost, "the connection to \(url.origin) has broken")
            : EngineClientError(
                .connectionLost,
                "\(url.origin) has closed the connection before it was ready; does it speak \(url.isSecure ? "TLS" : "HTTP")?"
            )
    }

    private static func notHTTP(_ url: EngineURL) -> EngineClientError {
        EngineClientError(
            .notHTTP,
            """
            what answers at \(url.origin) does not speak HTTP; \
            \(url.isSecure ? "is it the right port?" : "if it speaks TLS, write https, else: is it the right port?")
            """)
    }

    // MARK: Connecting

    private static func connection(_ error: NIOConnectionError, _ url: EngineURL) -> EngineClientError {
        guard let first = error.connectionErrors.first?.error else {
            guard let cause = error.dnsAError ?? error.dnsAAAAError else { return self.timeout(url) }
            return EngineClientError(
                .dnsFailure, "the host \(url.host) has no address; is the name right, and the network there? (\(cause))"
            )
        }
        // Several addresses: that nothing listens at one of them says more than that another is out of reach.
        let all = error.connectionErrors.map { self.translate($0.error, url: url) }
        return all.first { $0.code == .refused } ?? all.first ?? self.translate(first, url: url)
    }

    private static func system(_ error: IOError, _ url: EngineURL) -> EngineClientError {
        switch error.errnoCode {
        case ECONNREFUSED:
            EngineClientError(.refused, "nothing listens at \(url.host) port \(url.port); is the server running?")
        case ENETUNREACH, EHOSTUNREACH, ENETDOWN, EADDRNOTAVAIL:
            EngineClientError(.unreachable, "there is no way to \(url.host); is the network there? (\(error))")
        case ETIMEDOUT:
            self.timeout(url)
        default:
            EngineClientError(.connectionLost, "the connection to \(url.origin) has broken (\(error))")
        }
    }

    // MARK: TLS

    private static func tls(_ error: NIOSSLError, _ url: EngineURL) -> EngineClientError {
        switch error {
        case .handshakeFailed(let cause): self.tls("\(cause)", url)
        case .uncleanShutdown: self.closed(url, isHandshaken: true)
        case .unableToValidateCertificate, .noCertificateToValidate, .cannotMatchULabel:
            self.certificate("\(error)", url)
        default: EngineClientError(.tlsFailed, "TLS with \(url.origin) failed: \(error)")
        }
    }

    /// BoringSSL tells its reasons by name only.
    private static func tls(_ reason: String, _ url: EngineURL) -> EngineClientError {
        func has(_ part: String) -> Bool { reason.contains(part) }
        if has("WRONG_VERSION_NUMBER") || has("HTTP_REQUEST") || has("HTTPS_PROXY_REQUEST") {
            return EngineClientError(
                .tlsNotSpoken, "what answers at \(url.origin) does not speak TLS; if that is meant, write http")
        }
        if has("UNSUPPORTED_PROTOCOL") || has("PROTOCOL_VERSION") {
            return EngineClientError(
                .tlsFailed,
                """
                \(url.origin) speaks no version of TLS that this client does; update it, or if TLS 1.0 or 1.1 must be, set \
                `minimumTLSVersion` (\(reason))
                """)
        }
        if has("CERTIFICATE_VERIFY_FAILED") { return self.certificate(reason, url) }
        if has("ALERT") && (has("CERTIFICATE") || has("UNKNOWN_CA")) || has("BAD_CERTIFICATE") {
            return EngineClientError(
                .tlsClientCertificate,
                """
                \(url.origin) wants a client's certificate that it trusts; give one with `certificateChain` and `privateKey` \
                (\(reason))
                """)
        }
        return EngineClientError(.tlsFailed, "TLS with \(url.origin) failed: \(reason)")
    }

    private static func certificate(_ reason: String, _ url: EngineURL) -> EngineClientError {
        EngineClientError(
            .tlsCertificate,
            """
            the certificate of \(url.origin) is not trusted; if its authority is your own, add it with `trustRoots` or \
            `additionalTrustRoots` (\(reason))
            """)
    }
}
