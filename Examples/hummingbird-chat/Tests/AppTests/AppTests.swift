import App
import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOSSL
import ServiceLifecycle
import SocketIOClient
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

private typealias Transport = SocketIOClientConfiguration.Transport

/// The chat as its users meet it, one port for HTTP, long-polling and WebSocket.
@Suite(.serialized) struct AppTests {
    static let transports: [[SocketIOClientConfiguration.Transport]] = [
        [.polling], [.websocket], [.polling, .websocket],
    ]

    @Test(arguments: Self.transports)
    func usersTalk(transports: [SocketIOClientConfiguration.Transport]) async throws {
        try await withApplication { server in
            let ann = try await server.client("ann", transports)
            let bob = try await server.client("bob", transports)
            let heard = AsyncStream.makeStream(of: String.self)
            bob.on("chat") { (name: String, text: String) in heard.continuation.yield("\(name): \(text)") }
            ann.emit("chat", "hello")
            var lines = heard.stream.makeAsyncIterator()
            #expect(await lines.next() == "ann: hello")
            let name: String = try await bob.emitWithAck("who", timeout: .seconds(20))
            #expect(name == "bob")
            // The router's paths are on the same port meanwhile.
            #expect(try await server.get("/").contains("Log in"))
            #expect(try await server.status("/nothing") == 404)
            await ann.disconnect()
            await bob.disconnect()
        }
    }

    @Test func whoHasNotLoggedInIsRefused() async throws {
        try await withApplication { server in
            for cookie in [nil, "session=forged"] {
                let client = server.client(cookie: cookie, [.websocket])
                await #expect { try await client.connect() } throws: { "\($0)".contains("log in first") }
                await client.disconnect()
            }
        }
    }

    @Test func overTLS() async throws {
        let files = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: files, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: files) }
        let (certificate, key) = (files.path + "/cert.pem", files.path + "/key.pem")
        let openssl = Process()
        openssl.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        openssl.arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate,
        ]
        openssl.standardError = FileHandle.nullDevice
        try openssl.run()
        openssl.waitUntilExit()
        let tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
        try await withApplication(tls: tls) { server in
            for transports in Self.transports {
                let client = server.client(cookie: nil, transports, authority: certificate)
                // TLS and the server's refusal show that the way through is open; logging in is the other tests' matter.
                await #expect { try await client.connect() } throws: { "\($0)".contains("log in first") }
                await client.disconnect()
            }
        }
    }

    /// With a hundred clients connected the application ends, and they are told.
    @Test func gracefulShutdown() async throws {
        let gone = AsyncStream.makeStream(of: String.self)
        var clients: [SocketIOClient] = []
        try await withApplication { server in
            for index in 0..<100 {
                let client = try await server.client("user\(index)", [index % 4 == 0 ? .polling : .websocket])
                client.onDisconnect { gone.continuation.yield("\($0.reason)") }
                clients.append(client)
            }
        }
        var ends = 0
        for await _ in gone.stream {
            ends += 1
            if ends == 100 { break }
        }
        for client in clients { await client.disconnect() }
        #expect(ends == 100)
    }
}

/// The application while it runs.
private struct Server: Sendable {
    let port: Int
    let isSecure: Bool

    private func request(_ path: String, _ method: String = "GET") async throws -> (String, HTTPURLResponse) {
        var request = URLRequest(url: URL(string: "http://127.0.0.1:\(self.port)\(path)") ?? URL(fileURLWithPath: "/"))
        request.httpMethod = method
        let (data, response) = try await URLSession.shared.data(for: request)
        return (String(decoding: data, as: UTF8.self), try #require(response as? HTTPURLResponse))
    }

    func get(_ path: String) async throws -> String { try await self.request(path).0 }

    func status(_ path: String) async throws -> Int { try await self.request(path).1.statusCode }

    /// A client that has logged in and joined.
    func client(_ name: String, _ transports: [Transport]) async throws -> SocketIOClient {
        let (_, response) = try await self.request("/login/\(name)", "POST")
        let header = try #require(response.value(forHTTPHeaderField: "Set-Cookie"))
        let client = self.client(cookie: String(header.prefix { $0 != ";" }), transports)
        try await client.connect()
        return client
    }

    func client(cookie: String?, _ transports: [Transport], authority: String? = nil) -> SocketIOClient {
        var configuration = SocketIOClientConfiguration()
        configuration.transports = transports
        configuration.forceNew = true
        configuration.autoConnect = false
        configuration.reconnection.isEnabled = false
        if let cookie { configuration.extraHeaders["Cookie"] = cookie }
        if let authority {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .file(authority)
            configuration.tls = tls
        }
        let url = "\(self.isSecure ? "https" : "http")://127.0.0.1:\(self.port)"
        return SocketIOClient(url, configuration: configuration)
    }
}

/// Runs the application on a free port, then shuts it down as a signal would, and waits for its end.
private func withApplication(
    tls: TLSConfiguration? = nil, _ body: (Server) async throws -> Void
) async throws {
    let port = AsyncStream.makeStream(of: Int.self)
    var logger = Logger(label: "test")
    logger.logLevel = .error
    let app = try await makeApplication(
        configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
        secret: "no secret, but of more than 32 bytes", tls: tls
    ) { channel in port.continuation.yield(channel.localAddress?.port ?? 0) }
    let services = ServiceGroup(configuration: .init(services: [app], logger: logger))
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await services.run() }
        var ports = port.stream.makeAsyncIterator()
        let server = Server(port: await ports.next() ?? 0, isSecure: tls != nil)
        let result: Result<Void, any Error>
        do { result = .success(try await body(server)) } catch { result = .failure(error) }
        await services.triggerGracefulShutdown()
        try await group.waitForAll()
        try result.get()
    }
}
