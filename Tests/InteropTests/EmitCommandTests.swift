import Foundation
import TestSupport
import Testing

/// `socketio emit`, and `socketio serve` in several processes, as a user starts them.
@Suite(.serialized)
struct EmitCommandTests {
    static let adapters = ["pubsub", "sharded", "streams"]

    private struct Result {
        var status: ServerProcess.Status
        var output: [String]
        var errors: [String]
    }

    private func emit(_ arguments: [String], timeout: Duration = .seconds(30)) async throws -> Result {
        try await self.run(try ServeCommandTests.executable, ["emit"] + arguments, timeout: timeout)
    }

    private func run(_ program: String, _ arguments: [String], timeout: Duration = .seconds(30)) async throws -> Result
    {
        let process = try ServerProcess(program, arguments)
        let status = try await process.waitForExit(timeout: timeout)
        // Its last words are read by another thread.
        let lines = try await process.allLines()
        return Result(
            status: status,
            output: lines.filter { $0.stream == .output }.map(\.text),
            errors: lines.filter { $0.stream == .error }.map(\.text)
        )
    }

    /// A client of the chat that has joined a room.
    private func join(_ port: Int, _ name: String, _ room: String = "lobby") async throws -> SIOClient {
        let client = try await SIOClient.open(EIOOptions(port: port, transport: .websocket))
        try await client.connect()
        let reply = try await client.emitWithAck("join", "{\"name\":\"\(name)\",\"room\":\"\(room)\"}")
        guard reply.object(0)?["ok"] as? Bool == true else { throw PeerError("\(name): \(reply)") }
        return client
    }

    /// The next event of this name; the chat has its own.
    private func event(_ name: String, _ client: SIOClient) async throws -> SIOArguments {
        while true {
            let event = try await client.nextEvent()
            if event.name == name { return event.arguments }
        }
    }

    /// Emits until so many servers have listened: they subscribe in the background.
    private func waitForServers(_ count: Int, _ arguments: [String]) async throws {
        try await eventually("\(count) servers listen", timeout: .seconds(30)) {
            try await self.emit(arguments + ["hello"]).output.first?.contains("\(count) server") == true
        }
    }

    // MARK: Sending

    @Test(arguments: adapters) func reachesTheClientsOfTwoServers(_ adapter: String) async throws {
        try await withRedis { redis in
            let options = ["--redis", redis.url, "--adapter", adapter]
            let (one, firstPort) = try await ServeCommandTests.serve("--redis", redis.url, "--adapter", adapter)
            let (two, secondPort) = try await ServeCommandTests.serve("--redis", redis.url, "--adapter", adapter)
            let clients = [try await self.join(firstPort, "Ann"), try await self.join(secondPort, "Bob")]
            let outside = try await self.join(secondPort, "Cid", "elsewhere")
            try await self.waitForServers(2, options + ["--room", "chat:lobby"])

            let result = try await self.emit(
                options + ["--room", "chat:lobby", "some event", #"{"a":1}"#, "word", "42", "--volatile"])
            #expect(result.status == .exited(0))
            #expect(result.errors == [])
            let line = adapter == "streams" ? "written to the stream; 2 servers read it" : "2 servers listened"
            #expect(result.output == [line])
            for client in clients {
                let arguments = try await self.event("some event", client)
                #expect(arguments.object(0)?["a"] as? Int == 1)
                #expect(arguments.string(1) == "word")
                #expect(arguments.int(2) == 42)
                #expect(arguments.count == 3)
            }
            _ = try await self.emit(options + ["--except", "chat:lobby", "--room", "chat:elsewhere", "other event"])
            _ = try await self.event("other event", outside)

            // Several times, with the time.
            let repeated = try await self.emit(
                options + ["--every", "20ms", "--count", "3", "time", "{{now}}", "{{n}}", "no {{n}}"])
            #expect(repeated.status == .exited(0))
            #expect(repeated.output.count == 3)
            for number in 1...3 {
                let arguments = try await self.event("time", clients[0])
                #expect(arguments.string(0)?.count == 24)
                #expect(arguments.string(0)?.hasSuffix("Z") == true)
                #expect(arguments.int(1) == number)
                #expect(arguments.string(2) == "no \(number)")
            }
            for client in clients + [outside] { await client.close() }
            try await ServeCommandTests.stop(one)
            try await ServeCommandTests.stop(two)
        }
    }

    @Test func sendsFilesAndStandardInput() async throws {
        try await withRedis { redis in
            let (server, port) = try await ServeCommandTests.serve("--redis", redis.url)
            let client = try await self.join(port, "Ann")
            try await self.waitForServers(1, ["--redis", redis.url])
            let file = redis.directory + "/bytes"
            try Data([0, 255, 10]).write(to: URL(fileURLWithPath: file))
            let result = try await self.emit(["--redis", redis.url, "--binary", file, "file", "name"])
            #expect(result.output == ["1 server listened"])
            let arguments = try await self.event("file", client)
            #expect(arguments.string(0) == "name")
            #expect(arguments.bytes(1) == [0, 255, 10])

            let command = #"printf 'from a pipe' | "$0" emit --redis "$1" --binary - input"#
            let piped = try await self.run("/bin/sh", ["-c", command, try ServeCommandTests.executable, redis.url])
            #expect(piped.status == .exited(0))
            #expect(try await self.event("input", client).bytes(0) == Array("from a pipe".utf8))
            await client.close()
            try await ServeCommandTests.stop(server)
        }
    }

    @Test func printsAcknowledgements() async throws {
        try await withRedis { redis in
            let (one, firstPort) = try await ServeCommandTests.serve("--redis", redis.url)
            let (two, secondPort) = try await ServeCommandTests.serve("--redis", redis.url)
            let clients = [try await self.join(firstPort, "Ann"), try await self.join(secondPort, "Bob")]
            try await self.waitForServers(2, ["--redis", redis.url])
            let tasks = clients.enumerated().map { index, client in
                Task {
                    while let event = try? await client.nextEvent(timeout: .seconds(60)) {
                        if event.name == "question" { try? client.acknowledge(event, "{\"client\":\(index)}") }
                    }
                }
            }
            defer { for task in tasks { task.cancel() } }
            let result = try await self.emit(["--redis", redis.url, "--ack", "question"])
            #expect(result.status == .exited(0))
            #expect(Set(result.output) == [#"{"client":0}"#, #"{"client":1}"#])
            #expect(result.errors == ["2 answers"])

            try await withGrowingLimit("the counts of both servers") { limit -> Bool? in
                let silence = try await self.emit(
                    [
                        "--redis", redis.url, "--ack", "--timeout", "\(limit.components.seconds)s", "other",
                    ], timeout: .seconds(90))
                #expect(silence.status == .exited(2))
                #expect(silence.output == [])
                guard silence.errors.contains(where: { $0.contains("2 missing") }) else { return nil }
                #expect(silence.errors == ["socketio: operation has timed out: 0 answers, 2 missing"])
                return true
            }
            for client in clients { await client.close() }
            try await ServeCommandTests.stop(one)
            try await ServeCommandTests.stop(two)
        }
    }

    @Test func saysThatNobodyListens() async throws {
        try await withRedis { redis in
            let result = try await self.emit(["--redis", redis.url, "hello"])
            #expect(result.status == .exited(0))
            #expect(result.output == ["no server listened"])
        }
    }

    // MARK: What can't be

    private static let wrong: [([String], Int32)] = [
        (["e"], 64), (["--redis", "redis://127.0.0.1"], 64), (["--redis", "redis://127.0.0.1", "e", "{\"a\":"], 64),
        (["--redis", "redis://127.0.0.1", "--count", "2", "e"], 64),
        (["--redis", "redis://127.0.0.1", "--every", "soon", "e"], 64),
        (["--redis", "redis://127.0.0.1", "--adapter", "none", "e"], 64),
        (["--redis", "redis://127.0.0.1", "--adapter", "sharded", "--key", "k", "e"], 64),
        (["--redis", "redis://127.0.0.1", "--stream", "s", "e"], 64),
        (["--redis", "redis://127.0.0.1", "--binary", "-", "--binary", "-", "e"], 64),
        (["--redis", "http://127.0.0.1", "e"], 1), (["--redis", "redis://127.0.0.1:0", "e"], 1),
        (["--redis", "redis://127.0.0.1", "--binary", "/nowhere/at/all", "e"], 1),
    ]

    @Test(arguments: wrong) func wrongOptionsEndWithAStatus(arguments: [String], status: Int32) async throws {
        let result = try await self.emit(arguments)
        #expect(result.status == .exited(status))
        #expect(result.output == [])
        #expect(result.errors.first?.hasPrefix("Error: ") == true)
        #expect(status == 64 || result.errors.count == 1, "\(result.errors)")
    }

    @Test func withoutRedisIsOneLineAndStatusOne() async throws {
        let result = try await self.emit(["--redis", "redis://127.0.0.1:\(try FreePorts.next())", "e"])
        #expect(result.status == .exited(1))
        #expect(result.output == [])
        #expect(result.errors.count == 1, "\(result.errors)")
        #expect(result.errors.first?.hasPrefix("Error: socketio: can't reach Redis: ") == true)
    }

    @Test func aServerBeginsWithoutRedisAndJoinsWhenItIsThere() async throws {
        try await withRedis { redis in
            try await redis.kill()
            let (server, port) = try await ServeCommandTests.serve("--redis", redis.url)
            let client = try await SIOClient.open(EIOOptions(port: port, transport: .websocket))
            try await client.connect()
            try await redis.restart()
            try await eventually("the server has joined", timeout: .seconds(30)) {
                try await self.emit(["--redis", redis.url, "ping-all"]).output.contains { $0.contains("1 server") }
            }
            _ = try await client.expectEvent("ping-all")
            await client.close()
            try await ServeCommandTests.stop(server)
        }
    }

    @Test func whatRedisRefusesIsOneLineAndStatusOne() async throws {
        var options = RedisServer.Options()
        options.password = "secret"
        try await withRedis(options) { redis in
            for url in ["redis://127.0.0.1:\(redis.port)", "redis://:wrong@127.0.0.1:\(redis.port)"] {
                let result = try await self.emit(["--redis", url, "e"])
                #expect(result.status == .exited(1))
                #expect(result.errors.count == 1, "\(result.errors)")
                #expect(result.errors.first?.contains("wrong@") == false)
            }
            let reserved = try await self.emit(["--redis", redis.url, "connect"])
            #expect(reserved.status == .exited(1))
            #expect(reserved.errors.count == 1)
        }
    }

    @Test func serveWantsRedisForAnAdapter() async throws {
        let result = try await self.run(try ServeCommandTests.executable, ["serve", "--adapter", "sharded"])
        #expect(result.status == .exited(64))
    }

    // MARK: The chat of several processes

    /// Waits for a list of users, whichever came before.
    private func waitForUsers(_ users: [String], _ client: SIOClient) async throws {
        while true {
            let arguments = try await self.event("users", client)
            if arguments.object(0)?["users"] as? [String] == users { return }
        }
    }

    @Test(arguments: adapters) func theChatIsOneForAllProcesses(_ adapter: String) async throws {
        try await withRedis { redis in
            func serve() async throws -> (ServerProcess, Int) {
                try await ServeCommandTests.serve(
                    "--redis", redis.url, "--adapter", adapter, "--admin-token", "token")
            }
            let (one, firstPort) = try await serve()
            let (two, secondPort) = try await serve()
            let ann = try await self.join(firstPort, "Ann")
            let bob = try await self.join(secondPort, "Bob")
            try await self.waitForUsers(["Ann", "Bob"], ann)
            if try await self.users(secondPort).count < 2 { try await self.waitForUsers(["Ann", "Bob"], bob) }

            // A name is taken on all of them.
            let stranger = try await SIOClient.open(EIOOptions(port: secondPort, transport: .websocket))
            try await stranger.connect()
            let refusal = try await stranger.emitWithAck("join", #"{"name":"Ann","room":"lobby"}"#)
            #expect(refusal.object(0)?["ok"] as? Bool == false)

            // Messages cross, each once.
            _ = try await ann.emitWithAck("message", #"{"text":"hello"}"#)
            #expect(try await self.event("message", bob).object(0)?["text"] as? String == "hello")
            _ = try await bob.emitWithAck("message", #"{"text":"hi"}"#)
            #expect(try await self.event("message", ann).object(0)?["text"] as? String == "hello")
            #expect(try await self.event("message", ann).object(0)?["text"] as? String == "hi")

            // A process that comes later knows what was said, and who is there.
            let (three, thirdPort) = try await serve()
            try await eventually("the third knows the others") { try await self.users(thirdPort) == ["Ann", "Bob"] }
            try await eventually("the third knows what was said") {
                // It may hear who is there before it hears what was said.
                let late = try await SIOClient.open(EIOOptions(port: thirdPort, transport: .websocket))
                try await late.connect()
                let reply = try await late.emitWithAck("join", #"{"name":"Cid","room":"lobby"}"#).object(0)
                let history = reply?["history"] as? [[String: Any]]
                let isKnown = history?.compactMap { $0["text"] as? String } == ["hello", "hi"]
                guard reply?["ok"] as? Bool == true, isKnown else {
                    await late.close()
                    return false
                }
                #expect(reply?["users"] as? [String] == ["Ann", "Bob", "Cid"])
                return true
            }
            try await self.waitForUsers(["Ann", "Bob", "Cid"], ann)

            // Those of a process that ends are gone.
            try await ServeCommandTests.stop(three)
            try await self.waitForUsers(["Ann", "Bob"], ann)
            for client in [ann, bob, stranger] { await client.close() }
            try await ServeCommandTests.stop(one)
            try await ServeCommandTests.stop(two)
        }
    }

    /// The users of the lobby, as a process tells its admins.
    private func users(_ port: Int) async throws -> [String] {
        let admin = try await SIOClient.open(EIOOptions(port: port, transport: .websocket))
        try await admin.connect("/admin", auth: #"{"token":"token"}"#)
        let overview = try await admin.expectEvent("overview", namespace: "/admin").object(0)
        await admin.close()
        let rooms = overview?["rooms"] as? [[String: Any]]
        return rooms?.first { $0["name"] as? String == "lobby" }?["users"] as? [String] ?? []
    }
}
