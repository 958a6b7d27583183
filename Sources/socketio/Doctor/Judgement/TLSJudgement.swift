import SocketIOClient

/// What speaking TLS has shown.
enum TLSJudgement {
    /// Of a certificate, below which it is time to renew it.
    static let fewDays: Int64 = 14

    /// - Parameter now: seconds since 1970.
    static func judge(_ probe: TLSProbe, host: String, isInsecure: Bool, now: Int64) -> Finding {
        guard let failure = probe.failure else { return self.trusted(probe, now: now) }
        var finding = self.failure(probe, failure, host: SafeText.escape(host), now: now)
        if isInsecure, probe.tls != nil {
            finding.outcome = .warning
            finding.seen += "; going on with --insecure"
        }
        return finding
    }

    private static func trusted(_ probe: TLSProbe, now: Int64) -> Finding {
        let version = probe.version ?? "TLS"
        guard let certificate = probe.certificate else { return .ok(.tls, version) }
        let days = (certificate.notAfter - now) / 86_400
        let seen =
            "\(version), certificate by \(SafeText.escape(certificate.issuer)), valid for \(days) day\(days == 1 ? "" : "s") more"
        guard days < self.fewDays else { return .ok(.tls, seen) }
        return .warning(.tls, seen, "Renew the certificate, and see why that has not happened by itself.")
    }

    private static func failure(_ probe: TLSProbe, _ failure: WireFailure, host: String, now: Int64) -> Finding {
        guard let certificate = probe.certificate else { return self.noTLS(failure) }
        if certificate.notAfter <= now {
            return .failure(
                .tls, "the certificate has expired on \(self.day(certificate.notAfter))",
                "Renew it, have the server or proxy load the new one, and see why that has not happened by itself.")
        }
        if certificate.notBefore > now {
            return .failure(
                .tls, "the certificate is not valid before \(self.day(certificate.notBefore))",
                "Set the clock of this machine, or of the one that has made the certificate.")
        }
        if failure == .otherHostName || !certificate.isFor(host) && failure != .timeout {
            let names = certificate.names.prefix(5).map { SafeText.escape(String($0.prefix(80))) }
            return .failure(
                .tls, "the certificate is not for \(host) but for \(names.joined(separator: ", "))",
                "Connect by a name that stands in it, or get a certificate that has this one.")
        }
        if let version = probe.version, ["TLS 1.0", "TLS 1.1"].contains(version) {
            return .failure(
                .tls, "the server speaks nothing newer than \(version), which clients refuse",
                "Allow TLS 1.2 and 1.3 at the server or proxy (nginx: ssl_protocols TLSv1.2 TLSv1.3).")
        }
        if case .tls(let reason) = failure, reason.contains("CERTIFICATE_VERIFY_FAILED") {
            return self.untrusted(certificate)
        }
        return .failure(
            .tls, "the connection \(failure.words)", "Look at the server's or proxy's settings for TLS.")
    }

    private static func untrusted(_ certificate: Certificate) -> Finding {
        if certificate.isSelfSigned {
            return .failure(
                .tls, "the certificate is signed by itself (\(SafeText.escape(certificate.issuer)))",
                "Get one from an authority that clients know (Let's Encrypt), or give clients this one; here: --ca FILE."
            )
        }
        return .failure(
            .tls, "the certificate's authority is not trusted: \(SafeText.escape(certificate.issuer))",
            """
            If that is your own authority, give it to clients (here: --ca FILE). If it is a public one, the server leaves out \
            the certificates in between: have it send the full chain (fullchain.pem).
            """)
    }

    private static func noTLS(_ failure: WireFailure) -> Finding {
        if case .tls(let reason) = failure {
            if reason.contains("WRONG_VERSION_NUMBER") || reason.contains("HTTP_REQUEST") {
                return .failure(
                    .tls, "what listens there does not speak TLS",
                    "Write http:// in the URL, give the port that speaks TLS, or have the proxy speak it.")
            }
            if reason.contains("ALERT") && reason.contains("NAME") {
                return .failure(
                    .tls, "the server has no certificate for this name", "Give it one, or connect by another name.")
            }
        }
        if failure == .closed {
            return .failure(
                .tls, "the connection was closed in the middle of TLS",
                "Is it the right port? If so, look at the log of the server or proxy.")
        }
        return .failure(.tls, "the connection \(failure.words)", "Look at the server's or proxy's settings for TLS.")
    }

    private static func day(_ seconds: Int64) -> String { String(WallClock.iso8601(seconds * 1000).prefix(10)) }
}
