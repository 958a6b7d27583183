import Foundation
import NIOSSL
import TestSupport
import Testing

@testable import EngineIO

struct ListenTests {
    /// A folder that is removed afterwards. Its path is short: that of a socket may have about 100 bytes.
    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let path = NSTemporaryDirectory() + "eio-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(path)
    }

    private static func run(_ program: String, _ arguments: [String], last: String? = nil) async throws -> [String] {
        let process = try ServerProcess("/usr/bin/env", [program] + arguments)
        let status = try await process.waitForExit(timeout: .seconds(60))
        guard status == .exited(0) else { throw PeerError("\(program) ended with \(status): \(process.lines)") }
        // Its last output may be read after its end.
        if let last { _ = try await process.waitForLine(containing: last) }
        return process.lines.map(\.text)
    }

    @Test func unixDomainSocket() async throws {
        try await self.withFolder { folder in
            let handler: @Sendable (EngineIOSession, LoopContext) -> any EngineIOSessionHandler = { _, _ in
                SilentHandler()
            }
            let server = try EngineIOServer(configuration: .init(), makeHandler: handler)
            let path = folder + "/s"
            try await server.start(unixDomainSocketPath: path)
            let url = "http://localhost/engine.io/?EIO=4&transport=polling"
            let lines = try await Self.run(
                "curl", ["-sS", "-w", "\n", "--max-time", "20", "--unix-socket", path, url], last: "sid")
            #expect(lines.first?.hasPrefix("0{\"sid\":") == true)
            #expect(server.sessionCount == 1)
            await server.close(timeout: .milliseconds(20))
        }
    }

    @Test func severalAddresses() async throws {
        try await withServer { server in
            let second = try await server.server.start(port: 0).port ?? 0
            #expect(second != server.port)
            let sid = try await server.openPolling().sid
            // A session is the server's, not the port's.
            let path = TestServer.path(sid)
            let reply = try await HTTPClient1(port: second).request("POST", path, body: .text("4a"))
            #expect(reply.text == "ok")
            #expect(try await server.get(sid).text == "4a")
        }
    }

    @Test func portInUse() async throws {
        try await withServer { server in
            await #expect(throws: (any Error).self) { try await server.server.start(port: server.port) }
        }
    }

    // MARK: TLS

    /// Makes an authority, and certificates that it has signed for the server and a client.
    private static func makeCertificates(in folder: String) async throws {
        func openssl(_ arguments: String...) async throws { _ = try await Self.run("openssl", arguments) }
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        let authority = ["-keyout", folder + "/ca.key", "-out", folder + "/ca.pem", "-subj", "/CN=Test", "-days", "2"]
        _ = try await Self.run("openssl", ["req", "-x509"] + key + authority)
        for name in ["server", "client"] {
            let request = [
                "-keyout", "\(folder)/\(name).key", "-out", "\(folder)/\(name).csr", "-subj", "/CN=localhost",
            ]
            _ = try await Self.run(
                "openssl", ["req", "-new", "-addext", "subjectAltName=DNS:localhost"] + key + request)
            try await openssl(
                "x509", "-req", "-in", "\(folder)/\(name).csr", "-CA", folder + "/ca.pem", "-CAkey", folder + "/ca.key",
                "-CAcreateserial", "-out", "\(folder)/\(name).pem", "-days", "2", "-copy_extensions", "copy")
        }
    }

    private static func tls(in folder: String, asksForCertificate: Bool) throws -> TLSConfiguration {
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(folder + "/server.pem").map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: folder + "/server.key", format: .pem)))
        if asksForCertificate {
            tls.trustRoots = .file(folder + "/ca.pem")
            tls.certificateVerification = .noHostnameVerification
        }
        return tls
    }

    /// Python's `ssl`: a handshake by polling, an echo, and one by WebSocket.
    private static let client = """
        import socket, ssl, sys, os, base64
        port, folder, certificate = int(sys.argv[1]), sys.argv[2], sys.argv[3]
        context = ssl.create_default_context(cafile=folder + "/ca.pem")
        if certificate == "yes": context.load_cert_chain(folder + "/client.pem", folder + "/client.key")
        def connect():
            connection = socket.create_connection(("127.0.0.1", port), timeout=20)
            return context.wrap_socket(connection, server_hostname="localhost").makefile("rwb")
        def reply(stream):
            head = b""
            while not head.endswith(b"\\r\\n\\r\\n"):
                byte = stream.read(1)
                if not byte: raise EOFError("no answer")
                head += byte
            length = 0
            for line in head.decode().lower().split("\\r\\n"):
                if line.startswith("content-length:"): length = int(line[15:])
            return head.split(b"\\r\\n")[0].decode(), stream.read(length).decode()
        path = "/engine.io/?EIO=4&transport="
        stream = connect()
        stream.write(f"GET {path}polling HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n".encode()); stream.flush()
        status, body = reply(stream)
        sid = body.split('"')[3]
        text = "4" + "x" * 100000
        stream.write(f"POST {path}polling&sid={sid} HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Length: {len(text)}\\r\\n\\r\\n{text}"
            .encode()); stream.flush()
        print("post", reply(stream)[1])
        stream.write(f"GET {path}polling&sid={sid} HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n".encode())
        stream.flush()
        print("get", reply(stream)[1] == text)
        print("end", stream.read() == b"")
        stream = connect()
        key = base64.b64encode(os.urandom(16)).decode()
        stream.write(f"GET {path}websocket HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n"
            f"Sec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: {key}\\r\\n\\r\\n".encode())
        stream.flush()
        print("websocket", reply(stream)[0])
        frame = stream.read(2)
        print("open", stream.read(frame[1])[:2].decode())
        stream.write(bytes([0x81, 0x82, 0, 0, 0, 0]) + b"4a"); stream.flush()
        print("echo", stream.read(4)[2:].decode())
        """

    static let transcript = [
        "post ok", "get True", "end True", "websocket HTTP/1.1 101 Switching Protocols", "open 0{", "echo 4a",
    ]

    @Test(arguments: [false, true]) func encrypted(asksForCertificate: Bool) async throws {
        try await self.withFolder { folder in
            try await Self.makeCertificates(in: folder)
            let tls = try Self.tls(in: folder, asksForCertificate: asksForCertificate)
            try await withServer {
                $0.tls = tls
            } _: { server in
                func client(_ certificate: String) async throws -> [String] {
                    try await Self.run(
                        "python3", ["-c", Self.client, "\(server.port)", folder, certificate], last: "echo")
                }
                let lines = try await client(asksForCertificate ? "yes" : "no")
                #expect(lines == Self.transcript)
                #expect(server.log.value.sessions.map(\.request.isSecure) == [true, true])
                if asksForCertificate {
                    await #expect(throws: PeerError.self) { try await client("no") }
                }
                #expect(server.log.value.sessions.count == 2)
                // Who speaks plainly gets nowhere.
                await #expect(throws: (any Error).self) { try await server.openPolling() }
            }
        }
    }
}
