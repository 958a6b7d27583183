import EngineIOCore
import NIOCore
import NIOSSL
import SocketIO
import SocketIOClient
import TestSupport
import Testing

/// TLS as users of the client set it up.
struct TLSTests {
    private static func server(_ certificates: TestCertificates, asks: Bool = false) throws -> TLSConfiguration {
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificates.certificate).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: certificates.key, format: .pem)))
        if asks {
            tls.trustRoots = .file(certificates.authority)
            tls.certificateVerification = .noHostnameVerification
        }
        return tls
    }

    private static func client(_ certificates: TestCertificates, shows: Bool = false) throws -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .file(certificates.authority)
        if shows {
            tls.certificateChain = try NIOSSLCertificate.fromPEMFile(certificates.clientCertificate).map {
                .certificate($0)
            }
            tls.privateKey = .privateKey(try NIOSSLPrivateKey(file: certificates.clientKey, format: .pem))
        }
        return tls
    }

    /// The error of the first attempt; nil if it was connected, and what it sent came back.
    private static func outcome(
        _ port: Int, _ way: Way, _ change: (inout SocketIOClientConfiguration) -> Void
    ) async throws -> (any Error)? {
        var configuration = way.configuration
        configuration.autoConnect = false
        configuration.reconnection.isEnabled = false
        change(&configuration)
        let client = SocketIOClient("https://localhost:\(port)", configuration: configuration)
        do { try await client.connect(timeout: .seconds(30)) } catch { return error }
        let text = String(repeating: "grüße", count: 20_000)
        let isSame = try await client.emitWithAck("echo", text, as: String.self) == text
        #expect(isSame)
        await client.disconnect()
        return nil
    }

    @Test(arguments: Way.allCases)
    func trustedAndNotTrusted(_ way: Way) async throws {
        let certificates = try await TestCertificates.make()
        let tls = try Self.server(certificates)
        try await withServer(configure: { $0.engine.tls = tls }) { _, port in
            let trusting = try Self.client(certificates)
            #expect(try await Self.outcome(port, way) { $0.tls = trusting } == nil)
            let error = try #require(try await Self.outcome(port, way) { _ in })
            #expect(code(of: error) == "tls certificate")
            #expect("\(error)".contains("trustRoots"))
        }
    }

    @Test func pins() async throws {
        let certificates = try await TestCertificates.make()
        let key = try #require(try NIOSSLCertificate.fromPEMFile(certificates.certificate).first).extractPublicKey()
        var pin = ByteBuffer()
        Base64.encode(ByteBuffer(bytes: SHA256.digest(try key.toSPKIBytes())), to: &pin)
        let right = String(buffer: pin)
        let tls = try Self.server(certificates)
        try await withServer(configure: { $0.engine.tls = tls }) { _, port in
            let trusting = try Self.client(certificates)
            #expect(
                try await Self.outcome(port, .upgrade) {
                    $0.tls = trusting
                    $0.pins = ["AAAA", right]
                } == nil)
            let error = try #require(
                try await Self.outcome(port, .upgrade) {
                    $0.tls = trusting
                    $0.pins = ["AAAA"]
                })
            #expect(code(of: error) == "tls pin")
            // It says which key there is.
            #expect("\(error)".contains(right))
        }
    }

    @Test(arguments: Way.allCases)
    func clientCertificate(_ way: Way) async throws {
        let certificates = try await TestCertificates.make()
        let tls = try Self.server(certificates, asks: true)
        try await withServer(configure: { $0.engine.tls = tls }) { _, port in
            let with = try Self.client(certificates, shows: true)
            let without = try Self.client(certificates)
            #expect(try await Self.outcome(port, way) { $0.tls = with } == nil)
            let error = try #require(try await Self.outcome(port, way) { $0.tls = without })
            #expect(code(of: error) == "tls client certificate")
            #expect("\(error)".contains("certificateChain"))
        }
    }
}
