import Foundation
import SocketIO
import Synchronization
import TestSupport
import Testing

/// `socketio bench`, as a user starts it, against the server of this package.
@Suite(.serialized)
struct BenchCommandTests {
    private static let patience: Duration = .seconds(60)
    /// 100 messages that count, and 20 before them.
    private static let short = ["--rate", "100", "--duration", "1s", "--warmup", "200ms", "--timeout", "30s"]

    private struct Result {
        var status: ServerProcess.Status
        var output: [String]
        var errors: [String]
        /// What `--json -` has written.
        var json: SocketIOValue?

        func messages(_ key: String) -> Int? { self.json?["messages"]?[key]?.intValue }
        func connections(_ key: String) -> Int? { self.json?["connections"]?[key]?.intValue }
    }

    private func start(_ arguments: [String]) throws -> ServerProcess {
        try ServerProcess(try ServeCommandTests.executable, ["bench"] + arguments)
    }

    private func end(of process: ServerProcess) async throws -> Result {
        let status = try await process.waitForExit(timeout: Self.patience)
        let lines = try await process.allLines()
        let output = lines.filter { $0.stream == .output }.map(\.text)
        let json = output.last.flatMap { try? JSONDecoder().decode(SocketIOValue.self, from: Data($0.utf8)) }
        return Result(
            status: status, output: output, errors: lines.filter { $0.stream == .error }.map(\.text), json: json)
    }

    private func bench(_ arguments: [String]) async throws -> Result {
        try await self.end(of: try self.start(arguments))
    }

    private func withServer(
        eventLoops: Int = 2, _ body: (InteropFixture, String) async throws -> Void
    ) async throws {
        let server = try await InteropFixture.start(eventLoops: eventLoops)
        do { try await body(server, "http://127.0.0.1:\(server.port)") } catch {
            await server.io.close(timeout: .zero)
            throw error
        }
        await server.io.close(timeout: .seconds(1))
    }

    // MARK: Modes

    @Test func connectionsNeedNothingOfTheServer() async throws {
        try await self.withServer { _, url in
            let result = try await self.bench([
                url, "--clients", "20", "--ramp", "1000", "--threads", "2", "--json", "-",
            ])
            #expect(result.status == .exited(0))
            #expect(result.output.count == 1)
            #expect(result.json?["status"] == "ok")
            #expect(result.json?["mode"] == "connect")
            for (key, count) in [("started", 20), ("connected", 20), ("failed", 0), ("lost", 0), ("websocket", 20)] {
                #expect(result.connections(key) == count, "\(key)")
            }
            #expect(result.json?["connections"]?["time"]?["count"] == 20)
            #expect(result.json?["messages"] == nil)
            // What is for people is on the other stream then.
            #expect(result.errors.contains { $0.hasPrefix("connections    20 of 20, 0 failed, 0 lost; websocket") })
        }
    }

    @Test(arguments: ["echo", "ack"], ["websocket", "polling", "polling,websocket"])
    func everyMessageIsCountedOnce(mode: String, transports: String) async throws {
        try await self.withServer { _, url in
            let result = try await self.bench(
                [url + "/custom", "--mode", mode, "--clients", "6", "--threads", "2", "--transports", transports]
                    + Self.short + ["--json", "-", "--max-error-rate", "0"])
            #expect(result.status == .exited(0), "\(result.errors)")
            for (key, count) in [
                ("sent", 100), ("expected", 100), ("received", 100), ("lost", 0), ("unsent", 0), ("unexpected", 0),
            ] {
                #expect(result.messages(key) == count, "\(key)")
            }
            #expect(result.json?["latency"]?["count"] == 100)
            #expect(result.json?["errors"] == [:])
            #expect(result.json?["errorRate"]?.doubleValue == 0)
            let isPolling = transports == "polling"
            #expect(result.connections("websocket") == (isPolling ? 0 : 6))
            #expect(result.connections("polling") == (isPolling ? 6 : 0))
        }
    }

    @Test(arguments: [("room-say", false, 400), ("to-room", true, 300)], ["1", "3"])
    func aBroadcastIsExpectedOfEachMember(broadcast: (String, Bool, Int), threads: String) async throws {
        let (event, exceptsSender, count) = broadcast
        try await self.withServer { _, url in
            let arguments = [
                url, "--mode", "broadcast", "--clients", "8", "--rooms", "2", "--join-event", "join", "--event", event,
                "--reply", "said", "--json", "-", "--threads", threads,
            ]
            let result = try await self.bench(arguments + Self.short + (exceptsSender ? ["--except-sender"] : []))
            #expect(result.status == .exited(0), "\(result.errors)")
            #expect(result.messages("sent") == 100)
            #expect(result.messages("expected") == count)
            #expect(result.messages("received") == count)
            #expect(result.messages("unexpected") == 0)
        }
    }

    /// A server that answers with something else is measured by the order of its answers.
    @Test func repliesWithoutThePayloadAreTakenInOrder() async throws {
        try await self.withServer { _, url in
            let result = try await self.bench(
                [url, "--mode", "echo", "--event", #"echo 1 {"a":true}"#, "--clients", "3", "--json", "-"] + Self.short)
            #expect(result.status == .exited(0))
            #expect(result.messages("received") == 100)
            #expect(result.messages("unexpected") == 0)
        }
    }

    @Test func theChatOfServe() async throws {
        let (server, port) = try await ServeCommandTests.serve()
        let result = try await self.bench(
            [
                "http://127.0.0.1:\(port)", "--mode", "broadcast", "--clients", "8", "--rooms", "4",
                "--join-event", #"join {"name":"bot {{client}}","room":"{{room}}"}"#,
                "--event", #"message {"text":"{{payload}}"}"#, "--reply", "message", "--json", "-",
            ] + Self.short)
        #expect(result.status == .exited(0), "\(result.errors)")
        #expect(result.messages("received") == 200)
        #expect(result.messages("unexpected") == 0)
        try await ServeCommandTests.stop(server)
    }

    @Test func authenticationAndItsPlaceholder() async throws {
        let io = SocketIOServer(configuration: SocketIOConfiguration(port: 0))
        struct Credentials: Decodable { var user: Int }
        io.use { socket in
            let user = try? socket.handshake.auth(as: Credentials.self).user
            guard let user, user % 4 != 0 else { throw ConnectError("not this one") }
        }
        let port = try #require(try await io.start().port)
        let arguments = [
            "http://127.0.0.1:\(port)", "--clients", "8", "--ramp", "1000", "--auth", #"{"user":"{{client}}"}"#,
            "--json", "-",
        ]
        let some = try await self.bench(arguments + ["--max-error-rate", "10%"])
        #expect(some.status == .exited(2))
        #expect(some.connections("connected") == 6)
        #expect(some.connections("failed") == 2)
        #expect(some.json?["connections"]?["failures"]?.objectValue?.values == [2])
        #expect(some.json?["status"] == "exceeded")
        #expect(try await self.bench(arguments + ["--max-error-rate", "25%"]).status == .exited(0))
        let none = try await self.bench([arguments[0], "--clients", "3"])
        #expect(none.status == .exited(1))
        #expect(
            none.errors.last?.contains("no client could connect: the server refuses the namespace /: not this one")
                == true)
        await io.close(timeout: .seconds(1))
    }

    // MARK: Ends

    @Test func limitsAreTheStatus() async throws {
        try await self.withServer { _, url in
            let base = [url, "--mode", "echo", "--clients", "2"] + Self.short
            let kept = try await self.bench(base + ["--max-p99", "1h", "--max-error-rate", "0"])
            #expect(kept.status == .exited(0))
            #expect(kept.errors == [])
            #expect(kept.output.first?.hasPrefix(url + "  echo, 2 clients, 100 messages/s for 1 s") == true)
            #expect(kept.output.contains { $0.hasPrefix("messages       100 sent, 100 of 100 received, 0 lost") })
            let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
            defer { try? FileManager.default.removeItem(at: file) }
            let exceeded = try await self.bench(base + ["--max-p50", "1us", "--json", file.path])
            #expect(exceeded.status == .exited(2))
            #expect(exceeded.output.contains { $0.hasSuffix("EXCEEDED") })
            let json = try JSONDecoder().decode(SocketIOValue.self, from: try Data(contentsOf: file))
            #expect(json["status"] == "exceeded")
            #expect(json["limits"]?[0]?["exceeded"] == true)
            #expect(json["messages"]?["received"] == 100)
        }
    }

    @Test func aServerThatIsNotThereIsOneLineAndStatusOne() async throws {
        let result = try await self.bench(["http://127.0.0.1:1", "--clients", "1000", "--json", "-"])
        #expect(result.status == .exited(1))
        #expect(result.errors.count == 1)
        #expect(result.errors.first?.hasPrefix("Error: socketio: no client could connect: ") == true)
        #expect(result.json?["status"] == "failed")
        // It does not try a thousand times.
        #expect((result.connections("started") ?? 1000) < 1000)
    }

    @Test func aServerThatDoesNotAnswerIsStatusOne() async throws {
        try await self.withServer { _, url in
            let result = try await self.bench([
                url, "--mode", "echo", "--event", "nonsense", "--clients", "2", "--rate", "50", "--duration", "1s",
                "--warmup", "0", "--timeout", "300ms", "--json", "-",
            ])
            #expect(result.status == .exited(1))
            #expect(result.messages("sent") == 50)
            #expect(result.messages("lost") == 50)
            #expect(result.json?["errors"] == ["no reply within 300ms": 50])
            #expect(result.json?["errorRate"]?.doubleValue == 1)
            #expect(
                result.errors.last
                    == #"Error: socketio: nothing came back: does the server send "nonsense" when it gets "nonsense"?"#)
        }
    }

    /// What may not be on its way is not sent, and not forgotten.
    @Test func messagesOnTheirWayAreBounded() async throws {
        try await self.withServer { _, url in
            let result = try await self.bench([
                url, "--mode", "echo", "--event", "nonsense", "--clients", "2", "--rate", "100", "--duration", "500ms",
                "--warmup", "0", "--timeout", "3s", "--max-in-flight", "7", "--json", "-", "--progress",
            ])
            #expect(result.status == .exited(1))
            #expect(result.messages("sent") == 7)
            #expect(result.messages("unsent") == 43)
            #expect(result.errors.contains { $0.contains("7 awaited") })
        }
    }

    @Test func aServerThatDiesEndsTheRun() async throws {
        let server = try await InteropFixture.start(eventLoops: 2)
        let process = try self.start([
            "http://127.0.0.1:\(server.port)", "--mode", "echo", "--clients", "5", "--rate", "200", "--duration", "1h",
            "--warmup", "0", "--progress", "--json", "-",
        ])
        _ = try await process.waitForLine(containing: "measuring", timeout: Self.patience)
        await server.io.close(timeout: .zero)
        let result = try await self.end(of: process)
        #expect(result.status == .exited(1))
        #expect(result.errors.last?.hasPrefix("Error: socketio: all connections were lost: ") == true)
        #expect(result.connections("connected") == 5)
        #expect(result.connections("lost") == 5)
        #expect((result.messages("received") ?? 0) > 0)
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func aSignalEndsItWithTheSummary(signal: Int32) async throws {
        try await self.withServer { _, url in
            let process = try self.start([
                url, "--mode", "ack", "--clients", "3", "--duration", "1h", "--warmup", "0", "--progress", "--json",
                "-",
                "--max-error-rate", "0",
            ])
            _ = try await process.waitForLine(containing: "measuring", timeout: Self.patience)
            // Twice, as `timeout` does.
            process.signal(signal)
            process.signal(signal)
            let result = try await self.end(of: process)
            #expect(result.status == .exited(0), "\(result.errors)")
            #expect(result.json?["interrupted"] == true)
            let sent = try #require(result.messages("sent"))
            #expect(sent > 0)
            #expect(result.messages("received") == sent)
            #expect(result.messages("unsent") == 0)
        }
    }

    /// A server that stands still for a second has delayed all messages of that second, not only one.
    @Test func aStallShowsInEveryMessageThatItHeldUp() async throws {
        var configuration = SocketIOConfiguration(port: 0)
        configuration.engine.eventLoopCount = 1
        let io = SocketIOServer(configuration: configuration)
        final class Count: Sendable { let value = Atomic(0) }
        let count = Count()
        io.onConnection { socket in
            socket.on("echo") { (text: String) in
                if count.value.add(1, ordering: .relaxed).newValue == 50 { Thread.sleep(forTimeInterval: 1) }
                socket.emit("echo", text)
            }
        }
        let port = try #require(try await io.start().port)
        let result = try await self.bench([
            "http://127.0.0.1:\(port)", "--mode", "echo", "--clients", "1", "--rate", "100", "--duration", "2s",
            "--warmup", "0", "--json", "-",
        ])
        #expect(result.status == .exited(0))
        #expect(result.messages("received") == 200)
        // 100 of 200 messages were due in that second, 50 of them in its first half.
        #expect((result.json?["latency"]?["p90"]?.doubleValue ?? 0) >= 500)
        await io.close(timeout: .seconds(1))
    }

    // MARK: Options

    private static let badOptions: [([String], String)] = [
        (["--clients", "0"], "--clients"), (["--clients", "100001"], "--clients"), (["--ramp", "0"], "--ramp"),
        (["--ramp", "nan"], "--ramp"), (["--mode", "echo", "--rate", "0"], "--rate"),
        (["--mode", "echo", "--rate", "inf"], "--rate"), (["--mode", "nothing"], "--mode"),
        (["--rate", "5"], "--mode"),
        (["--event", "a"], "--mode"), (["--mode", "echo", "--payload", "10"], "--payload"),
        (["--mode", "echo", "--payload", "99999999"], "--payload"), (["--mode", "echo", "--rooms", "2"], "--rooms"),
        (["--mode", "ack", "--reply", "a"], "--reply"), (["--mode", "broadcast", "--rooms", "101"], "--rooms"),
        (["--mode", "broadcast", "--event", "a 1"], "{{payload}}"),
        (["--mode", "broadcast", "--except-sender", "--clients", "3", "--rooms", "2"], "two clients"),
        (["--mode", "echo", "--event", "? a"], "--event"), (["--mode", "echo", "--event", "a {"], "--event"),
        (["--mode", "echo", "--event", "connect"], "--event"), (["--duration", "1d"], "--duration"),
        (["--timeout", "0"], "--timeout"), (["--threads", "0"], "--threads"), (["--max-p99", "fast"], "--max-p99"),
        (["--max-error-rate", "120%"], "--max-error-rate"),
        (["--mode", "echo", "--max-in-flight", "0"], "--max-in-flight"),
        (["--mode", "echo", "--duration", "0"], "--duration"),
    ]

    @Test(arguments: Self.badOptions)
    func wrongOptionsAreStatus64(arguments: [String], text: String) async throws {
        let result = try await self.bench(["http://127.0.0.1:1"] + arguments)
        #expect(result.status == .exited(64))
        #expect(result.errors.contains { $0.contains(text) }, "\(result.errors)")
        #expect(result.output == [])
    }

    @Test func aFileThatCannotBeWrittenIsSaidAtOnce() async throws {
        let result = try await self.bench(["http://127.0.0.1:1", "--json", "/nowhere/at/all.json"])
        #expect(result.status == .exited(1))
        #expect(result.errors == ["Error: socketio: /nowhere/at/all.json: No such file or directory"])
    }

    @Test func moreClientsThanOpenFilesIsSaidAtOnce() async throws {
        let process = try ServerProcess(
            "/bin/sh",
            [
                "-c", "ulimit -n 256; exec \"$0\" bench http://127.0.0.1:1 --clients 1000",
                try ServeCommandTests.executable,
            ])
        let result = try await self.end(of: process)
        #expect(result.status == .exited(1))
        #expect(
            result.errors == [
                "Error: socketio: 1000 clients need 2064 open files, and the system allows 256 (ulimit -n)"
            ])
    }
}
