import Foundation
import NIOSSL
import SocketIO
import TestSupport
import Testing

/// `socketio connect`, as a user starts it, against the server of this package.
@Suite(.serialized)
struct ConnectCommandTests {
    private static let patience: Duration = .seconds(30)

    private struct Result {
        var status: ServerProcess.Status
        var output: [String]
        var errors: [String]

        /// The arguments of the event or answer on a line of JSON.
        func arguments(_ index: Int = 0) -> [SocketIOValue] {
            guard self.output.indices.contains(index) else { return [] }
            let data = Data(self.output[index].utf8)
            let value = try? JSONDecoder().decode(SocketIOValue.self, from: data)
            return value?["args"]?.arrayValue ?? []
        }
    }

    private func connect(_ arguments: [String], environment: [String: String] = [:]) async throws -> Result {
        let process = try ServerProcess(
            try ServeCommandTests.executable, ["connect"] + arguments, environment: environment)
        return try await self.end(of: process)
    }

    private func end(of process: ServerProcess) async throws -> Result {
        let status = try await process.waitForExit(timeout: Self.patience)
        let lines = try await process.allLines()
        return Result(
            status: status,
            output: lines.filter { $0.stream == .output }.map(\.text),
            errors: lines.filter { $0.stream == .error }.map(\.text))
    }

    private func withServer(_ body: (InteropFixture, String) async throws -> Void) async throws {
        let server = try await InteropFixture.start(eventLoops: 2)
        do { try await body(server, "http://127.0.0.1:\(server.port)") } catch {
            await server.io.close(timeout: .zero)
            throw error
        }
        await server.io.close(timeout: .seconds(1))
    }

    // MARK: For scripts

    @Test(arguments: ["polling", "websocket", "polling,websocket"])
    func anEchoIsOneLineOfJSONAndStatusZero(transports: String) async throws {
        try await self.withServer { _, url in
            let result = try await self.connect([
                url, "--transports", transports, "--emit", #"echo "hi" {"a":[1,null]}"#, "--once", "echo",
                "--timeout", "30s", "--json",
            ])
            #expect(result.status == .exited(0))
            #expect(result.errors == [])
            #expect(result.output.count == 1)
            #expect(result.output.first?.contains(#""type":"event","event":"echo""#) == true)
            #expect(result.arguments() == ["hi", ["a": [1, nil]]])
        }
    }

    /// Client and server with the MessagePack parser, both as commands.
    @Test func messagePack() async throws {
        let (server, port) = try await ServeCommandTests.serve("--parser", "msgpack")
        let url = "http://127.0.0.1:\(port)"
        let join = #"join {"name":"Ann","room":"lobby"}"#
        let joined = try await self.connect([
            url, "--parser", "msgpack", "--emit", join, "--ack", "--json", "--timeout", "30s",
        ])
        #expect(joined.status == .exited(0))
        #expect(joined.arguments().first?["ok"] == true)
        // With the other parser nothing is understood.
        let refused = try await self.connect([url, "--emit", join, "--ack", "--timeout", "10s"])
        #expect(refused.status == .exited(1))
        try await ServeCommandTests.stop(server)
    }

    @Test func answersArePrinted() async throws {
        try await self.withServer { _, url in
            let all = try await self.connect([
                url + "/custom", "--ack", "--json", "--emit", "echo-ack 1 true", "--emit", #"join "a""#,
            ])
            #expect(all.status == .exited(0))
            #expect(all.output.count == 2)
            #expect(Set([all.arguments(0), all.arguments(1)]) == [[1, true], ["ok"]])
            // One of two, in the other namespace and for people.
            let one = try await self.connect([
                url, "--namespace", "custom", "--emit", "?whoami", "--emit", "leave \"a\"",
            ])
            #expect(one.status == .exited(0))
            #expect(one.output.count == 1)
            #expect(one.output.first?.contains(" = whoami \"") == true)
            #expect(one.errors == [])
        }
    }

    @Test func filesAreSentAsBinary() async throws {
        try await self.withServer { _, url in
            let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: directory) }
            let file = directory.appendingPathComponent("a file").path
            try Data([7, 255, 10]).write(to: URL(fileURLWithPath: file))
            let result = try await self.connect([
                url, "--json", "--ack", "--emit", "binary-info @\"\(file)\"", "--emit", "echo-ack @\"\(file)\"",
            ])
            #expect(result.status == .exited(0))
            let answers = [result.arguments(0), result.arguments(1)]
            #expect(answers.contains([3, 7]))
            #expect(answers.contains([["$binary": "B/8K", "bytes": 3]]))
            let none = try await self.connect([url, "--emit", "echo @\"\(file).none\""])
            #expect(none.status == .exited(1))
            #expect(none.errors == ["Error: socketio: \(file).none: No such file or directory"])
        }
    }

    /// What is sent last arrives although nothing is waited for.
    @Test(arguments: ["polling", "websocket", "polling,websocket"])
    func whatIsSentArrivesBeforeTheEnd(transports: String) async throws {
        try await self.withServer { server, url in
            let listener = try await SIOClient.open(EIOOptions(port: server.port, transport: .websocket))
            try await listener.connect()
            _ = try await listener.emitWithAck("join", "\"room\"")
            let result = try await self.connect([
                url, "--transports", transports, "--emit", #"to-room "room" "one""#, "--emit", #"to-room "room" "two""#,
            ])
            #expect(result.status == .exited(0))
            #expect(result.output == [])
            #expect(result.errors == [])
            #expect(try await listener.nextEvent().arguments.string(0) == "one")
            #expect(try await listener.nextEvent().arguments.string(0) == "two")
            await listener.close()
        }
    }

    @Test func theTimeoutIsStatusOne() async throws {
        try await self.withServer { _, url in
            try await withGrowingLimit("a connection in time") { limit -> Bool? in
                let result = try await self.connect([
                    url, "--once", "never", "--once", "some event", "--timeout", "\(limit.components.seconds)s",
                ])
                #expect(result.status == .exited(1))
                #expect(result.output == [])
                if result.errors.contains(where: { $0.contains("not connected") }) { return nil }
                #expect(result.errors == [#"Error: socketio: no event never or "some event" within \#(limit)"#])
                return true
            }
        }
    }

    @Test func authenticationAndRefusal() async throws {
        try await self.withServer { _, url in
            let wrong = try await self.connect([url + "/auth", "--emit", "echo"])
            #expect(wrong.status == .exited(1))
            #expect(
                wrong.errors == [
                    #"Error: socketio: the server refuses the namespace /auth: not authorized {"code":401}"#
                ])
            let right = try await self.connect([
                url + "/auth", "--auth", #"{"token":"secret"}"#, "--emit", "?echo-ack", "--json",
            ])
            #expect(right.status == .exited(0))
            let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
            try Data(#"{"token":"secret"}"#.utf8).write(to: file)
            defer { try? FileManager.default.removeItem(at: file) }
            let byFile = try await self.connect([url + "/auth", "--auth", "@" + file.path, "--emit", "?echo-ack"])
            #expect(byFile.status == .exited(0))
            let unknown = try await self.connect([url + "/nowhere", "--emit", "echo"])
            #expect(unknown.errors.count == 1)
            #expect(unknown.errors.first?.contains("/nowhere: Invalid namespace") == true)
            // Without --emit it is no different: nothing more would come.
            let listening = try await self.connect([url + "/nowhere"])
            #expect(listening.status == .exited(1))
            #expect(listening.errors.count == 1)
        }
    }

    @Test func noConnectionIsOneLineAndStatusOne() async throws {
        try await self.withServer { server, url in
            let cases: [([String], String)] = [
                (["http://127.0.0.1:1"], "nothing listens"),
                (["https://127.0.0.1:\(server.port)"], "does not speak TLS"),
                ([url, "--path", "/nowhere/"], "status 404"),
                (["http://no-such-host.invalid"], "no address"),
            ]
            for (arguments, text) in cases {
                let result = try await self.connect(arguments + ["--emit", "echo", "--timeout", "30s"])
                #expect(result.status == .exited(1))
                #expect(result.output == [])
                #expect(result.errors.count == 1, "\(result.errors)")
                #expect(result.errors.first?.hasPrefix("Error: socketio: ") == true)
                #expect(result.errors.first?.contains(text) == true, "\(result.errors)")
            }
        }
    }

    @Test func certificates() async throws {
        let certificates = try await TestCertificates.make()
        var configuration = SocketIOConfiguration(port: 0)
        configuration.engine.tls = .makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificates.certificate).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: certificates.key, format: .pem)))
        let io = SocketIOServer(configuration: configuration)
        io.onConnection { socket in socket.emit("hello") }
        let port = try #require(try await io.start().port)
        let url = "https://127.0.0.1:\(port)"
        let wait = ["--once", "hello", "--timeout", "30s"]
        let refused = try await self.connect([url] + wait)
        #expect(refused.status == .exited(1))
        #expect(refused.errors.count == 1)
        #expect(refused.errors.first?.contains("certificate of \(url) is not trusted") == true, "\(refused.errors)")
        #expect(try await self.connect([url, "--ca", certificates.authority] + wait).status == .exited(0))
        #expect(try await self.connect([url, "--insecure"] + wait).status == .exited(0))
        let missing = try await self.connect([url, "--ca", "/nowhere.pem"] + wait)
        #expect(missing.status == .exited(1))
        #expect(missing.errors == ["Error: socketio: --ca: no certificates can be read from /nowhere.pem"])
        await io.close(timeout: .seconds(1))
    }

    @Test func aDisconnectionWhileWaitingIsStatusOne() async throws {
        try await self.withServer { _, url in
            let result = try await self.connect([url, "--emit", "kick false", "--once", "never", "--timeout", "30s"])
            #expect(result.status == .exited(1))
            #expect(result.errors == ["Error: socketio: disconnected: io server disconnect"])
        }
    }

    @Test func headersAndQueriesReachTheServer() async throws {
        let server = try await InteropFixture.start(eventLoops: 1)
        server.io.of("/who").onConnection { socket in
            socket.emit(
                "who", socket.handshake.headers["x-tenant"].first ?? "", socket.handshake.query["a"] ?? "",
                socket.handshake.query["b"] ?? "")
        }
        let result = try await self.connect([
            "http://127.0.0.1:\(server.port)/who?b=2", "--header", "X-Tenant: seven", "--header", "X-Other: 1",
            "--query", "a=1 & 1", "--query", "A=2", "--once", "who", "--json", "--timeout", "30s",
        ])
        #expect(result.status == .exited(0))
        #expect(result.arguments() == ["seven", "1 & 1", "2"])
        await server.io.close(timeout: .seconds(1))
    }

    private static let badOptions: [[String]] = [
        [], ["ftp://x"], ["http://"], ["http://x", "y"], ["http://x", "--emit", "echo {a:1}"],
        ["http://x", "--emit", ""], ["http://x", "--emit", "/quit"], ["http://x", "--emit", "connect"],
        ["http://x", "--auth", "[]"], ["http://x", "--auth", "{"], ["http://x", "--auth", "{} {}"],
        ["http://x", "--header", "no colon"], ["http://x", "--query", "none"], ["http://x", "--transports", "tcp"],
        ["http://x", "--timeout", "soon"], ["http://x", "--path", "x"], ["http://x/a", "--namespace", "b"],
        ["http://x", "--header", "X-A: 1", "--header", "x-a: 2"], ["http://x", "--query", "a=1", "--query", "a=2"],
        ["http://x", "--stay"], ["http://x", "--stay", "--emit", "a", "--once", "b"], ["http://x", "--nonsense"],
    ]

    @Test(arguments: Self.badOptions)
    func badOptionsAreStatus64(arguments: [String]) async throws {
        let result = try await self.connect(arguments)
        #expect(result.status == .exited(64))
        #expect(result.output == [])
        #expect(result.errors.contains { $0.hasPrefix("Error: ") })
    }

    // MARK: Listening

    /// Without a terminal: events on standard output, the rest on standard error, until a signal comes.
    @Test(arguments: [SIGINT, SIGTERM])
    func listensUntilASignalAndLeavesTheNamespace(signal: Int32) async throws {
        try await self.withServer { server, url in
            let left = Awaited<[String]>([]) { "\($0)" }
            server.io.main.onConnection { socket in
                socket.join("everybody")
                socket.onDisconnect { (reason: DisconnectReason) in left.update { $0.append(reason.rawValue) } }
            }
            let process = try ServerProcess(
                try ServeCommandTests.executable, ["connect", url, "--json"], environment: ["TERM": "xterm"])
            _ = try await process.waitForLine(containing: "upgraded to websocket", timeout: Self.patience)
            server.io.to("everybody").emit("news", "a\u{1B}[2J", 1)
            let line = try await process.waitForLine(containing: "news", timeout: Self.patience)
            #expect(line.hasSuffix(#""type":"event","event":"news","args":["a\u001b[2J",1]}"#))
            process.signal(signal)
            let result = try await self.end(of: process)
            #expect(result.status == .exited(0))
            #expect(result.output == [line])
            #expect(result.errors.count == 2)
            #expect(try await left.wait("the end") { $0.isEmpty ? nil : $0 } == ["client namespace disconnect"])
        }
    }

    /// Lines from a pipe are sent in order, whether or not their answers are wanted; faults are told and passed over.
    @Test func linesFromAPipe() async throws {
        try await self.withServer { _, url in
            let script = #"""
                { printf '%s\n' '? echo-ack 1' 'echo 2' 'oops {a' '/ack join "x"' 'room-say "x" "hello"'; } \
                | { "$0" connect "$1" --transports websocket & echo "pid $!" >&2; wait $!; }
                """#
            let process = try ServerProcess("/bin/bash", ["-c", script, try ServeCommandTests.executable, url])
            _ = try await process.waitForLine(containing: "< said \"hello\"", timeout: Self.patience)
            _ = try await process.waitForLine(containing: "< echo 2", timeout: Self.patience)
            _ = try await process.waitForLine(containing: "= echo-ack 1", timeout: Self.patience)
            _ = try await process.waitForLine(containing: "= join \"ok\"", timeout: Self.patience)
            _ = try await process.waitForLine(containing: "a key in double quotes", timeout: Self.patience)
            // It comes by another way than the answers.
            let line = try await process.waitForLine(containing: "pid ", timeout: Self.patience)
            let pid = try #require(Int32(line.dropFirst(4)))
            kill(pid, SIGTERM)
            #expect(try await self.end(of: process).status == .exited(0))
        }
    }

    private func pipe(_ lines: [String], to arguments: [String]) async throws -> Result {
        let script = #""$0" connect "$@" < <(printf '%s\n' "$LINES_TO_SEND")"#
        let process = try ServerProcess(
            "/bin/bash", ["-c", script, try ServeCommandTests.executable] + arguments,
            environment: ["LINES_TO_SEND": lines.joined(separator: "\n")])
        return try await self.end(of: process)
    }

    /// What a pipe has brought before there is a connection is sent all the same, and its answers are awaited.
    @Test(arguments: ["polling", "websocket", "polling,websocket"])
    func whatAPipeBringsArrivesBeforeTheEnd(transports: String) async throws {
        try await self.withServer { server, url in
            let options = [url, "--transports", transports]
            let answered = try await self.pipe(
                [#"echo-ack "a""#, #"join "room""#, "/quit", "echo-ack 2"], to: options + ["--ack", "--json"])
            #expect(answered.status == .exited(0))
            #expect(answered.output.count == 2)
            #expect(Set([answered.arguments(0), answered.arguments(1)]) == [["a"], ["ok"]])
            let listener = try await SIOClient.open(EIOOptions(port: server.port, transport: .websocket))
            try await listener.connect()
            _ = try await listener.emitWithAck("join", "\"room\"")
            let sent = try await self.pipe([#"to-room "room" "one""#, #"to-room "room" "two""#, "/quit"], to: options)
            #expect(sent.status == .exited(0))
            #expect(try await listener.nextEvent().arguments.string(0) == "one")
            #expect(try await listener.nextEvent().arguments.string(0) == "two")
            await listener.close()
        }
    }

    @Test func whatIsLostIsToldAndStatusOne() async throws {
        try await self.withServer { _, url in
            // Nobody answers these.
            try await withGrowingLimit("a connection in time") { limit -> Bool? in
                let late = try await self.pipe(
                    ["? never", "?never", "/quit"], to: [url, "--timeout", "\(limit.components.seconds)s"])
                #expect(late.status == .exited(1))
                #expect(late.errors.count { $0.contains("no answer to never") } == 2)
                if late.errors.last?.hasSuffix("not sent") == true { return nil }
                #expect(late.errors.last == "Error: socketio: left with 2 events not answered")
                return true
            }
            // There is no connection any more, until another is asked for.
            let lost = try await self.pipe(["/disconnect", "echo 1", "echo 2", "/quit"], to: [url])
            #expect(lost.status == .exited(1))
            #expect(lost.errors.last == "Error: socketio: left with 2 events not sent")
            let process = try ServerProcess(
                try ServeCommandTests.executable, ["connect", url, "--emit", "?never", "--stay", "--timeout", "60s"])
            _ = try await process.waitForLine(containing: "connected over", timeout: Self.patience)
            process.signal(SIGTERM)
            let killed = try await self.end(of: process)
            #expect(killed.status == .exited(1))
            #expect(killed.errors.last == "Error: socketio: left with 1 event not answered")
        }
    }

    /// Servers in processes of their own: a program that a test starts may hold the port of a server in the test.
    @Test func aServerThatIsLostOrNotThereYetIsConnectedTo() async throws {
        let (first, port) = try await ServeCommandTests.serve()
        let executable = try ServeCommandTests.executable
        let process = try ServerProcess(
            executable, ["connect", "http://127.0.0.1:\(port)", "--transports", "websocket"])
        _ = try await process.waitForLine(containing: "connected over websocket", timeout: Self.patience)
        try await ServeCommandTests.stop(first)
        _ = try await process.waitForLine(containing: "disconnected: ", timeout: Self.patience)
        _ = try await process.waitForLine(containing: "connecting again, attempt 1", timeout: Self.patience)
        _ = try await process.waitForLine(containing: "nothing listens", timeout: Self.patience)
        let early = try ServerProcess(executable, ["connect", "http://127.0.0.1:\(port)"])
        _ = try await early.waitForLine(containing: "nothing listens", timeout: Self.patience)

        let count = process.lines.count
        let second = try ServerProcess(executable, ["serve", "--port", "\(port)"])
        _ = try await process.waitForLine(
            containing: "connected over websocket", after: count, timeout: Self.patience)
        _ = try await early.waitForLine(containing: "upgraded to websocket", timeout: Self.patience)
        for client in [process, early] {
            client.signal(SIGINT)
            #expect(try await client.waitForExit(timeout: Self.patience) == .exited(0))
        }
        try await ServeCommandTests.stop(second)
    }

    @Test func staysAfterSending() async throws {
        try await self.withServer { _, url in
            let process = try ServerProcess(
                try ServeCommandTests.executable, ["connect", url, "--emit", "echo 1", "--ack", "--stay"])
            _ = try await process.waitForLine(containing: "< echo 1", timeout: Self.patience)
            _ = try await process.waitForLine(containing: "= echo", timeout: Self.patience)
            #expect(process.status == nil)
            process.signal(SIGINT)
            #expect(try await process.waitForExit(timeout: Self.patience) == .exited(0))
        }
    }

    /// Who ends reading ends it.
    @Test func aBrokenPipeEndsIt() async throws {
        try await self.withServer { server, url in
            server.io.main.onConnection { socket in
                for number in 0..<2000 { socket.emit("number", number) }
            }
            let script = #""$0" connect "$1" --json | head -1; echo "status ${PIPESTATUS[0]}""#
            let process = try ServerProcess("/bin/bash", ["-c", script, try ServeCommandTests.executable, url])
            let result = try await self.end(of: process)
            #expect(result.output.count == 2)
            #expect(result.output.last == "status 0")
        }
    }
}
