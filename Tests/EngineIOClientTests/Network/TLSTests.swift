import EngineIO
import NIOCore
import NIOSSL
import TestSupport
import Testing

@testable import EngineIOClient

struct TLSTests {
    typealias Transport = EngineClientConfiguration.Transport

    /// What became of a connection: nil if it opened, echoed and closed.
    private static func outcome(
        _ url: String, _ tls: TLSConfiguration?, transports: [Transport] = [.polling], pins: [String] = []
    ) async throws -> EngineClientError? {
        let client = try TestClient(url: url) {
            $0.transports = transports
            $0.tls = tls
            $0.pins = pins
        }
        client.open()
        let isOpen = try await client.log.wait("the handshake or the end") { log in
            log.events.isEmpty ? nil : log.end == nil
        }
        guard isOpen else { return client.log.value.end?.error }
        if transports.count > 1 { try await client.wait(for: .upgraded) }
        let text = String(repeating: "grüße", count: 50_000)
        try await client.send("a", text)
        let isSame = try await client.messages(2) == [.text("a"), .text(text)]
        #expect(isSame)
        let end = try await client.close()
        #expect(end.reason == "forced close")
        #expect(client.violations.isEmpty)
        return end.error
    }

    @Test(arguments: [[.polling], [.websocket], [.polling, .websocket]] as [[Transport]])
    func encrypted(transports: [Transport]) async throws {
        let certificates = try await Certificates.make()
        try await withServer {
            $0.tls = try? certificates.server("server")
        } _: { server in
            for host in ["localhost", "127.0.0.1"] {
                for scheme in ["https", "wss"] {
                    let error = try await Self.outcome(
                        "\(scheme)://\(host):\(server.port)", try certificates.client(), transports: transports)
                    #expect(error == nil)
                }
            }
            #expect(server.log.value.sessions.allSatisfy { $0.request.isSecure })
        }
    }

    @Test(arguments: Transport.allCases) func notTrusted(transport: Transport) async throws {
        let certificates = try await Certificates.make()
        try await withServer {
            $0.tls = try? certificates.server("server")
        } _: { server in
            // The roots of the system do not know the authority.
            let error = try await Self.outcome("https://localhost:\(server.port)", nil, transports: [transport])
            #expect(error?.code == .tlsCertificate)
            #expect(error?.message.contains("trustRoots") == true)
            #expect(server.log.value.sessions.isEmpty)
        }
    }

    @Test(arguments: ["localhost", "127.0.0.1"]) func otherHost(host: String) async throws {
        let certificates = try await Certificates.make()
        try await withServer {
            $0.tls = try? certificates.server("other")
        } _: { server in
            let error = try await Self.outcome("https://\(host):\(server.port)", try certificates.client())
            #expect(error?.code == .tlsCertificate)
            #expect(error?.message.contains("another host") == true)
            #expect(server.log.value.sessions.isEmpty)
        }
    }

    @Test(arguments: Transport.allCases) func pins(transport: Transport) async throws {
        let certificates = try await Certificates.make()
        let pin = try await certificates.pin("server")
        let other = try await certificates.pin("other")
        #expect(pin.utf8.count == 44)
        try await withServer {
            $0.tls = try? certificates.server("server")
        } _: { server in
            let url = "https://localhost:\(server.port)"
            let tls = try certificates.client()
            #expect(try await Self.outcome(url, tls, transports: [transport], pins: [other, pin]) == nil)
            #expect(server.log.value.sessions.count == 1)
            let error = try await Self.outcome(url, tls, transports: [transport], pins: [other])
            #expect(error?.code == .tlsPin)
            #expect(error?.message.contains(pin) == true)
            // Pins come beside the verification, not instead of it.
            let untrusted = try await Self.outcome(url, nil, transports: [transport], pins: [pin])
            #expect(untrusted?.code == .tlsCertificate)
            // No request was sent before the pins were checked.
            #expect(server.log.value.sessions.count == 1)
        }
    }

    @Test(arguments: Transport.allCases) func clientCertificate(transport: Transport) async throws {
        let certificates = try await Certificates.make()
        try await withServer {
            $0.tls = try? certificates.server("server", asksForCertificate: true)
        } _: { server in
            let url = "https://localhost:\(server.port)"
            let with = try certificates.client(withCertificate: true)
            #expect(try await Self.outcome(url, with, transports: [transport]) == nil)
            let error = try await Self.outcome(url, try certificates.client(), transports: [transport])
            #expect(error?.code == .tlsClientCertificate)
        }
    }

    /// Versions before 1.2 are not spoken, by default: the handshake ends before the certificate is looked at.
    @Test(arguments: [TLSVersion.tlsv1, .tlsv11]) func oldVersions(version: TLSVersion) async throws {
        let certificates = try await Certificates.make()
        try await withServer {
            var tls = try? certificates.server("server")
            tls?.minimumTLSVersion = .tlsv1
            tls?.maximumTLSVersion = version
            $0.tls = tls
        } _: { server in
            let url = "https://localhost:\(server.port)"
            let error = try await Self.outcome(url, nil)
            #expect(error?.code == .tlsFailed)
            #expect(error?.message.contains("`minimumTLSVersion`") == true)
            // Who wants them may have them.
            var tls = try certificates.client()
            tls.minimumTLSVersion = .tlsv1
            #expect(try await Self.outcome(url, tls) == nil)
        }
    }

    @Test(arguments: Transport.allCases) func plainServer(transport: Transport) async throws {
        try await withServer { server in
            let error = try await Self.outcome("https://localhost:\(server.port)", nil, transports: [transport])
            #expect(error?.code == .tlsNotSpoken)
            #expect(error?.message.contains("write http") == true)
        }
    }

    @Test(arguments: Transport.allCases) func plainClient(transport: Transport) async throws {
        let certificates = try await Certificates.make()
        try await withServer {
            $0.tls = try? certificates.server("server")
        } _: { server in
            let error = try await Self.outcome("http://localhost:\(server.port)", nil, transports: [transport])
            #expect(error?.code == .notHTTP || error?.code == .connectionLost)
        }
    }

    @Test func brokenConfiguration() async throws {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .file("/no/such/file.pem")
        let error = try await Self.outcome("https://localhost:1", tls)
        #expect(error?.code == .invalidConfiguration)
    }

    /// The context is shared by the copies of a configuration, and made anew when TLS is changed.
    @Test func contextIsKept() async throws {
        let certificates = try await Certificates.make()
        var configuration = EngineClientConfiguration(url: try EngineURL("https://localhost"))
        configuration.tls = try certificates.client()
        let copy = configuration
        let eventLoop = ClientLoops.group.next()
        let first = try await configuration.tlsContext.context(for: configuration.tls, on: eventLoop).get()
        let second = try await copy.tlsContext.context(for: copy.tls, on: eventLoop).get()
        #expect(first === second)
        configuration.tls = try certificates.client(withCertificate: true)
        let third = try await configuration.tlsContext.context(for: configuration.tls, on: eventLoop).get()
        #expect(first !== third)
    }
}
