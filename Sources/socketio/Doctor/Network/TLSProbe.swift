import EngineIOCore
import NIOCore
import NIOSSL

/// What trying to speak TLS has shown.
struct TLSProbe: Sendable {
    /// With the certificate verified.
    var failure: WireFailure?
    /// Nil if no version of TLS was agreed upon even without verification.
    var certificate: Certificate?
    /// `TLS 1.3`, also where only a client that takes old versions gets there.
    var version: String?
    /// How to go on; nil if that is not possible or not safe.
    var tls: ProbeTLS?

    /// Once as clients do; when that fails, once more and anything goes, to see why.
    static func run(
        _ address: SocketAddress, host: String, authorities: [NIOSSLCertificate], isInsecure: Bool, timeout: Duration
    ) async -> TLSProbe {
        let name = IPAddress(host) == nil ? host : nil
        var strict = TLSConfiguration.makeClientConfiguration()
        strict.minimumTLSVersion = .tlsv12
        if !authorities.isEmpty { strict.additionalTrustRoots = [.certificates(authorities)] }
        var lax = strict
        lax.certificateVerification = .none
        var old = lax
        old.minimumTLSVersion = .tlsv1
        var probe = TLSProbe()
        do throws(WireFailure) {
            probe.tls = try await probe.attempt(strict, address, name, timeout)
        } catch {
            probe.failure = error
            for configuration in [lax, old] {
                do throws(WireFailure) {
                    let tls = try await probe.attempt(configuration, address, name, timeout)
                    if isInsecure { probe.tls = tls }
                    break
                } catch { continue }
            }
        }
        return probe
    }

    private mutating func attempt(
        _ configuration: TLSConfiguration, _ address: SocketAddress, _ name: String?, _ timeout: Duration
    ) async throws(WireFailure) -> ProbeTLS {
        do {
            let tls = ProbeTLS(context: try NIOSSLContext(configuration: configuration), serverName: name)
            let connection = try await ProbeConnection.open(address, tls: tls, timeout: timeout)
            defer { connection.close() }
            let pipeline = connection.channel.pipeline
            let seen = try await connection.channel.eventLoop.submit { () -> (Certificate?, String?) in
                let handler = try pipeline.syncOperations.handler(type: NIOSSLClientHandler.self)
                return (handler.peerCertificate.map { Certificate($0) }, handler.tlsVersion.map { Self.name($0) })
            }.get()
            (self.certificate, self.version) = seen
            return tls
        } catch { throw WireFailure(error) }
    }

    private static func name(_ version: TLSVersion) -> String {
        switch version {
        case .tlsv1: "TLS 1.0"
        case .tlsv11: "TLS 1.1"
        case .tlsv12: "TLS 1.2"
        case .tlsv13: "TLS 1.3"
        }
    }
}
