import NIOSSL
import SocketIO
import TestSupport
import Testing

/// `socketio doctor`, as a user starts it, against servers that are well and such that are not.
@Suite(.serialized)
struct DoctorCommandTests {
    private func withServer(
        _ change: (inout SocketIOConfiguration) -> Void = { _ in }, _ body: (SocketIOServer, Int) async throws -> Void
    ) async throws {
        var configuration = SocketIOConfiguration(port: 0)
        change(&configuration)
        let io = SocketIOServer(configuration: configuration)
        io.onConnection { _ in }
        do { try await body(io, try #require(try await io.start().port)) } catch {
            await io.close(timeout: .zero)
            throw error
        }
        await io.close(timeout: .seconds(1))
    }

    // MARK: All is well

    @Test func aServerThatIsWell() async throws {
        try await self.withServer { io, port in
            io.of("/room").onConnection { _ in }
            let run = try await DoctorRun.run("http://127.0.0.1:\(port)/room")
            #expect(run.status == .exited(0))
            #expect(run.all("skipped") == ["dns", "tls", "cors", "ping"])
            #expect(run.all("warning") == [])
            run.expect("tcp", "ok", "connected to 127.0.0.1, port \(port)")
            run.expect("versions", "ok", "clients of Socket.IO 2 are refused")
            run.expect("parameters", "ok", "pingInterval 25000 ms, pingTimeout 20000 ms, maxPayload 1000000 bytes")
            run.expect("sessions", "ok", "6 requests")
            run.expect("namespace", "ok", "joined /room as ")
            run.expect("ping", "skipped", advice: "--ping")
            run.expect("round-trip", "ok", "5 pings")
            // Nothing is left behind.
            try await eventually("the sessions' end") { io.connectionCount == 0 }
        }
    }

    @Test func theTextForPeople() async throws {
        try await self.withServer { _, port in
            let process = try ServerProcess(
                try ServeCommandTests.executable, ["doctor", "http://127.0.0.1:\(port)", "--timeout", "20s"])
            #expect(try await process.waitForExit(timeout: .seconds(120)) == .exited(0))
            let lines = try await process.allLines()
            #expect(lines.allSatisfy { $0.stream == .output })
            #expect(lines.last?.text == "All is well.")
            #expect(lines.contains { $0.text.hasPrefix("ok   Handshake        session ") })
            #expect(lines.contains { $0.text == "                      -> Give --ping to wait for it." })
        }
    }

    @Test func aPingThatComesSoonIsWaitedFor() async throws {
        try await self.withServer({ $0.engine.pingInterval = .seconds(1) }) { _, port in
            let run = try await DoctorRun.run("ws://127.0.0.1:\(port)")
            run.expect("ping", "ok", "over WebSocket after ")
        }
    }

    @Test func aServerWithoutWebSocketIsAWarning() async throws {
        try await self.withServer({
            $0.engine.transports = [.polling]
            $0.engine.pingInterval = .seconds(1)
        }) { _, port in
            let run = try await DoctorRun.run("http://127.0.0.1:\(port)")
            #expect(run.status == .exited(0), "\(run.steps)")
            run.expect("websocket", "warning", "status 400", advice: "does not offer WebSocket")
            run.expect("upgrade", "warning", "offers no upgrade")
            run.expect("namespace", "ok", "joined / as ")
            run.expect("ping", "ok", "over polling after ")
            run.expect("round-trip", "ok", "a handshake over polling takes ")
        }
    }

    @Test func aServerWithoutPollingIsAWarning() async throws {
        try await self.withServer({ $0.engine.transports = [.websocket] }) { _, port in
            let run = try await DoctorRun.run("http://127.0.0.1:\(port)")
            #expect(run.status == .exited(0), "\(run.steps)")
            run.expect("handshake", "warning", "does not offer polling", advice: "transports")
            run.expect("websocket", "ok")
            run.expect("parameters", "ok", "pingInterval 25000 ms")
            run.expect("sessions", "skipped")
            run.expect("upgrade", "skipped")
            run.expect("namespace", "ok", "joined / as ")
        }
    }

    @Test func aServerInPython() async throws {
        let server = try await PythonServer()
        let run = try await DoctorRun.run(server.url + "/auth", "--auth", #"{"token":"secret"}"#)
        #expect(run.status == .exited(0), "\(run.steps)")
        run.expect("versions", "ok", "clients of Socket.IO 2 are refused")
        run.expect("upgrade", "ok")
        run.expect("namespace", "ok", "joined /auth as ")
        run.expect("ping", "ok")
        let refused = try await DoctorRun.run(server.url + "/auth")
        #expect(refused.all("failure") == ["namespace"], "\(refused.steps)")
        refused.expect("namespace", "failure", #"not authorized {"code":401}"#, advice: "--auth")
        try await server.kill()
    }

    // MARK: The server's application

    @Test func refusalsOfTheApplication() async throws {
        try await self.withServer { io, port in
            io.of("/auth").use { _ in throw ConnectError("not authorized", data: ["code": 401]) }
            let run = try await DoctorRun.run("http://127.0.0.1:\(port)/auth")
            #expect(run.all("failure") == ["namespace"])
            run.expect(
                "namespace", "failure", #"the server refuses /auth: not authorized {"code":401}"#, advice: "--auth")
            let shown = try await DoctorRun.run("http://127.0.0.1:\(port)", "--namespace", "auth", "--auth", "{}")
            shown.expect("namespace", "failure", "not authorized", advice: "what --auth shows")
            let nowhere = try await DoctorRun.run("http://127.0.0.1:\(port)/nowhere")
            nowhere.expect("namespace", "failure", "Invalid namespace", advice: "There is no such namespace")
        }
    }

    @Test func corsForAnOrigin() async throws {
        let app = "https://app.example.com"
        try await self.withServer({ $0.engine.cors = .origins(app) }) { _, port in
            let url = "http://127.0.0.1:\(port)"
            try await DoctorRun.run(url, "--origin", app).expect("cors", "ok", "pages of \(app) may connect")
            let other = try await DoctorRun.run(url, "--origin", "https://other.example.com")
            #expect(other.all("failure") == ["cors"], "\(other.steps)")
            other.expect("cors", "failure", "https://other.example.com", advice: "cors: { origin: ")
        }
    }

    // MARK: The network

    @Test func nothingListens() async throws {
        let run = try await DoctorRun.run("http://127.0.0.1:1")
        run.expectStop(at: "tcp", "127.0.0.1 was refused", advice: "Nothing listens at port 1")
        #expect(run.all("skipped").count == 12)
    }

    @Test func aNameThatIsNotKnown() async throws {
        let run = try await DoctorRun.run("http://no-such-host.invalid")
        run.expectStop(at: "dns", "no-such-host.invalid", advice: "DNS")
    }

    private static let answers: [(answer: String?, seen: String, advice: String)] = [
        (CannedServer.answer("404 Not Found", body: "<pre>Cannot GET /socket.io/</pre>"), "status 404", "Express"),
        (CannedServer.answer("404 Not Found", body: "nothing"), "status 404 (from canned): \"nothing\"", "--path"),
        (
            CannedServer.answer("200 OK", ["Content-Type: text/html"], body: "<html><title>My app</title></html>"),
            "a web page answers at /socket.io/ (from canned): \"My app\"", "single-page application"
        ),
        (
            CannedServer.answer("301 Moved", ["Location: https://there.example/socket.io/?a"]), "status 301",
            "https://there.example/socket.io/."
        ),
        (CannedServer.answer("502 Bad Gateway", body: "<html><title>502</title>"), "status 502", "proxy_pass"),
        (CannedServer.answer("200 OK", body: "97:0{\"sid\":\"a\"}2:40"), "protocol 3 only", "Update the server"),
        ("SSH-2.0-OpenSSH_9\r\n", "not HTTP", "right port"),
        (nil, "closed without an answer", "https://"),
    ]

    @Test(arguments: Self.answers.indices)
    func answersThatAreNoHandshake(_ index: Int) async throws {
        let expected = Self.answers[index]
        let server = try await CannedServer { _ in Self.answers[index].answer }
        let run = try await DoctorRun.run(server.url)
        run.expectStop(at: "handshake", expected.seen, advice: expected.advice)
        try await server.stop()
    }

    @Test func theRightPathIsTold() async throws {
        try await self.withServer { _, port in
            let run = try await DoctorRun.run("http://127.0.0.1:\(port)", "--path", "/ws/")
            run.expectStop(at: "handshake", "status 404", advice: "answers at /socket.io/")
        }
    }

    @Test func aProxyThatDropsUpgrades() async throws {
        try await self.withServer { _, port in
            let front = try await TCPFront(toPorts: [port]) { text in Self.withoutUpgrade(text) }
            let run = try await DoctorRun.run(front.url)
            #expect(run.all("failure") == ["websocket", "upgrade"], "\(run.steps)")
            run.expect("websocket", "failure", "instead of 101", advice: "proxy_set_header Upgrade $http_upgrade")
            run.expect("upgrade", "failure", "instead of 101", advice: "proxy_set_header Upgrade $http_upgrade")
            run.expect("namespace", "ok")
            try await front.stop()
        }
    }

    @Test func serversWithoutStickySessions() async throws {
        try await self.withServer { _, first in
            try await self.withServer { _, second in
                let front = try await TCPFront(toPorts: [first, second])
                let run = try await DoctorRun.run(front.url)
                run.expect("sessions", "failure", "does not know the session", advice: "sticky")
                run.expect("websocket", "ok")
                run.expect("namespace", "ok")
                try await front.stop()
                // What only fails for the same reason is not told as something else.
                let worse = try await TCPFront(toPorts: [first, second]) { text in Self.withoutUpgrade(text) }
                let both = try await DoctorRun.run(worse.url, "--ping")
                #expect(both.all("failure") == ["sessions", "websocket", "upgrade"], "\(both.steps)")
                both.expect("upgrade", "failure", "Session ID unknown", advice: "sticky")
                both.expect("namespace", "skipped", "no session holds")
                both.expect("ping", "skipped", "no session holds")
                try await worse.stop()
            }
        }
    }

    private static func withoutUpgrade(_ text: String) -> String {
        text.replacing("Connection: Upgrade\r\nUpgrade: websocket\r\n", with: "Connection: close\r\n")
    }

    // MARK: TLS

    private static let certificates: [(names: String, days: Int, trusts: Bool, seen: String, advice: String)] = [
        ("IP:127.0.0.1", 60, false, "authority is not trusted: Test", "--ca"),
        ("DNS:elsewhere.example", 60, true, "not for 127.0.0.1 but for elsewhere.example", "name that stands in it"),
        ("IP:127.0.0.1", -1, true, "has expired on ", "Renew"),
    ]

    @Test(arguments: Self.certificates.indices)
    func certificatesThatAreNotTaken(_ index: Int) async throws {
        let (names, days, trusts, seen, advice) = Self.certificates[index]
        let certificates = try await TestCertificates.make(names: names, days: days)
        let tls = try Self.tls(certificates)
        try await self.withServer({ $0.engine.tls = tls }) { _, port in
            let url = "https://127.0.0.1:\(port)"
            let run =
                trusts
                ? try await DoctorRun.run(url, "--ca", certificates.authority) : try await DoctorRun.run(url)
            run.expectStop(at: "tls", seen, advice: advice)
            let insecure = try await DoctorRun.run(url, "--insecure")
            #expect(insecure.status == .exited(0), "\(insecure.steps)")
            insecure.expect("tls", "warning", "going on with --insecure")
            insecure.expect("upgrade", "ok")
        }
    }

    @Test func certificatesThatAreTaken() async throws {
        for (days, result) in [(60, "ok"), (3, "warning")] {
            let certificates = try await TestCertificates.make(days: days)
            let tls = try Self.tls(certificates)
            try await self.withServer({ $0.engine.tls = tls }) { _, port in
                let run = try await DoctorRun.run("https://127.0.0.1:\(port)", "--ca", certificates.authority)
                #expect(run.status == .exited(0), "\(run.steps)")
                run.expect("tls", result, "TLS 1.3, certificate by Test, valid for ")
                run.expect("upgrade", "ok")
            }
        }
    }

    @Test func versionsOfTLSThatAreTooOld() async throws {
        let certificates = try await TestCertificates.make(days: 60)
        var tls = try Self.tls(certificates)
        tls.minimumTLSVersion = .tlsv1
        tls.maximumTLSVersion = .tlsv11
        try await self.withServer({ $0.engine.tls = tls }) { _, port in
            let run = try await DoctorRun.run("https://127.0.0.1:\(port)", "--ca", certificates.authority)
            run.expectStop(at: "tls", "nothing newer than TLS 1.1", advice: "ssl_protocols")
        }
    }

    @Test func plainHTTPWhereTLSIsWanted() async throws {
        try await self.withServer { _, port in
            let run = try await DoctorRun.run("https://127.0.0.1:\(port)")
            run.expectStop(at: "tls", "does not speak TLS", advice: "http://")
        }
    }

    private static func tls(_ certificates: TestCertificates) throws -> TLSConfiguration {
        .makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificates.certificate).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: certificates.key, format: .pem)))
    }

    // MARK: Options

    private static let wrongOptions: [[String]] = [
        [], ["ftp://a"], ["http://a", "--path", "x"], ["http://a", "--origin", "a"], ["http://a", "--auth", "1"],
        ["http://a/b", "--namespace", "c"], ["http://a", "--header", "Upgrade: x"], ["http://a", "--timeout", "no"],
    ]

    @Test(arguments: Self.wrongOptions)
    func wrongOptionsAreStatus64(_ arguments: [String]) async throws {
        let process = try ServerProcess(try ServeCommandTests.executable, ["doctor"] + arguments)
        #expect(try await process.waitForExit(timeout: .seconds(60)) == .exited(64))
    }
}
