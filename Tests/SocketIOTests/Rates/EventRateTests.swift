import SocketIO
import TestSupport
import Testing

/// A socket's events are held to a rate.
@Suite struct EventRateTests {
    /// Five at once, and no more in a test's time.
    private static func five(_ policy: RateLimit.Policy) -> RateLimit {
        RateLimit(1, per: .seconds(3600), burst: 5, policy: policy)
    }

    /// Somebody else is served.
    private func expectUnharmed(_ port: Int) async throws {
        for transport in bothTransports {
            let other = try await join(port, "/", transport)
            for _ in 0..<3 { try await other.sync() }
            await other.close()
        }
    }

    private func record(_ io: SocketIOServer, _ namespace: String = "/") -> Recorder {
        let recorder = Recorder()
        io.of(namespace).onConnection { socket in
            socket.on("n") { (n: Int) -> Int in
                recorder.add("\(n)")
                return n
            }
            socket.onDisconnect { (reason: DisconnectReason) in recorder.add("\(reason)") }
        }
        return recorder
    }

    // MARK: Drop

    @Test(arguments: bothTransports) func dropping(_ transport: EIOOptions.Transport) async throws {
        let errors = ErrorRecorder()
        let reports = Awaited<[EngineIOLimitReport]>([])
        try await withServer {
            $0.eventRate = Self.five(.drop)
            $0.onError = errors.hook
            $0.engine.onLimit = { report in reports.update { $0.append(report) } }
        } _: { io, port in
            let recorder = self.record(io)
            let client = try await join(port, "/", transport)
            for n in 0..<3 { try client.emit("n", "\(n)") }
            #expect(try await client.emitWithAck("n", "3").int(0) == 3)
            // An event with attachments is one, and dropped as a whole.
            try client.emit("x", SIOClient.placeholder(0), binary: [[1, 2]])
            for _ in 0..<2 { try client.emit("x", SIOClient.placeholder(0), binary: [[1, 2]]) }
            try client.emit("n", "4")
            let seen = try await errors.wait(count: 3)
            #expect(errors.codes == [.rateLimited, .rateLimited, .rateLimited])
            let causes = seen.compactMap { ($0 as? SocketIOError)?.cause as? RateLimitExceeded }
            #expect(causes.map(\.limit) == [.eventRate, .eventRate, .eventRate])
            #expect(causes.map(\.event) == ["x", "x", "n"])
            #expect("\(seen[0])".contains("eventRate: more than 1 in 3600.0 seconds"))
            #expect(reports.value.map(\.action) == [.dropped, .dropped, .dropped])
            #expect(Set(reports.value.map(\.limit)) == [.eventRate])
            #expect(recorder.all == ["0", "1", "2", "3"])
            // Who is over the rate can still be asked, and answers.
            let socket = try await onlySocket(io.main)
            async let answer: Int = socket.emitWithAck("question")
            try client.acknowledge(try await client.nextEvent(), "42")
            #expect(try await answer == 42)
            try await self.expectUnharmed(port)
            #expect(socket.connected)
        }
    }

    /// A client can't fill the log.
    @Test func itIsLoggedOnce() async throws {
        let log = LogLines(level: .debug)
        try await withServer(logger: log.logger) {
            $0.eventRate = Self.five(.drop)
            $0.onError = nil
        } _: { io, port in
            let client = try await join(port)
            for _ in 0..<50 { try client.emit("n", "1") }
            // Both count after everything else of this client.
            try client.disconnect()
            try await eventually("its end") { io.main.sockets.isEmpty }
            #expect(log.count(of: "\"socketio.limit\": eventRate") == 1)
            #expect(log.count(of: "a handler failed") == 0)
        }
    }

    /// Each socket has its own; one that leaves and comes again does not begin anew.
    @Test func socketsOfAConnection() async throws {
        let errors = ErrorRecorder()
        try await withServer {
            $0.eventRate = Self.five(.drop)
            $0.onError = errors.hook
        } _: { io, port in
            let main = self.record(io)
            let other = self.record(io, "/other")
            let client = try await join(port)
            try await client.connect("/other")
            for n in 0..<6 { try client.emit("n", "\(n)") }
            for n in 0..<4 { try client.emit("n", "\(n)", namespace: "/other") }
            try await errors.wait(count: 1)
            try await other.wait(count: 4)
            #expect(main.all == ["0", "1", "2", "3", "4"])
            try client.disconnect()
            try await main.wait(count: 6)
            try await client.connect()
            try client.emit("n", "7")
            try await errors.wait(count: 2)
            // A third namespace neither.
            let third = self.record(io, "/third")
            try await client.connect("/third")
            try client.emit("n", "8", namespace: "/third")
            try await errors.wait(count: 3)
            #expect(third.all.isEmpty)
            try client.emit("n", "4", namespace: "/other")
            try await other.wait(count: 5)
        }
    }

    /// Events that wait for middlewares are counted once, when they come.
    @Test func middlewares() async throws {
        let errors = ErrorRecorder()
        let door = Door()
        try await withServer {
            $0.eventRate = Self.five(.drop)
            $0.onError = errors.hook
        } _: { io, port in
            let recorder = self.record(io)
            io.main.onConnection { socket in
                socket.use { _ in try await door.pass() }
            }
            let client = try await join(port)
            for n in 0..<7 { try client.emit("n", "\(n)") }
            try await errors.wait(count: 2)
            door.open()
            try await recorder.wait(count: 5)
            #expect(recorder.all == ["0", "1", "2", "3", "4"])
            #expect(errors.codes == [.rateLimited, .rateLimited])
        }
    }

    // MARK: Disconnect

    @Test(arguments: bothTransports) func disconnecting(_ transport: EIOOptions.Transport) async throws {
        let errors = ErrorRecorder()
        try await withServer {
            $0.eventRate = Self.five(.disconnect)
            $0.onError = errors.hook
        } _: { io, port in
            let recorder = self.record(io)
            let client = try await join(port, "/", transport)
            for n in 0..<20 { try? client.emit("n", "\(n)") }
            #expect(try await client.waitForDisconnect() == "io server disconnect")
            try await client.session.waitForClose()
            try await recorder.wait(for: "server namespace disconnect")
            #expect(recorder.all == ["0", "1", "2", "3", "4", "server namespace disconnect"])
            #expect(errors.codes == [.rateLimited])
            try await self.expectUnharmed(port)
        }
    }

    // MARK: Wait

    @Test(arguments: bothTransports) func waiting(_ transport: EIOOptions.Transport) async throws {
        let errors = ErrorRecorder()
        let reports = Awaited<[EngineIOLimitReport]>([])
        try await withServer {
            $0.eventRate = RateLimit(300, burst: 2, policy: .wait)
            $0.onError = errors.hook
            $0.engine.onLimit = { report in reports.update { $0.append(report) } }
        } _: { io, port in
            let recorder = self.record(io)
            let client = try await join(port, "/", transport)
            for n in 0..<60 { try client.emit("n", "\(n)") }
            try await recorder.wait(count: 60)
            #expect(recorder.all == (0..<60).map(String.init))
            #expect(errors.all.isEmpty)
            #expect(!reports.value.isEmpty)
            #expect(reports.value.allSatisfy { $0.action == .delayed && $0.limit == .eventRate })
        }
    }

    /// An acknowledgement overtakes the events that wait in front of it: a handler may need it.
    @Test(arguments: bothTransports) func acknowledgementsPass(_ transport: EIOOptions.Transport) async throws {
        try await withServer {
            $0.eventRate = RateLimit(1, per: .seconds(3600), burst: 1, policy: .wait)
        } _: { io, port in
            let recorder = self.record(io)
            io.main.onConnection { socket in
                socket.on("ask") { () async throws -> Void in
                    let answer: Int = try await socket.emitWithAck("question")
                    recorder.add("answer \(answer)")
                }
            }
            let client = try await join(port, "/", transport)
            try client.emit("ask")
            let question = try await client.nextEvent()
            let id = try #require(question.id)
            // In one write, or POST.
            try client.session.send([.text("2[\"n\",1]"), .text("2[\"n\",2]"), .text("3\(id)[42]")])
            try await recorder.wait(for: "answer 42")
            #expect(recorder.all == ["answer 42"])
        }
    }

    // MARK: Others

    @Test func offByDefault() async throws {
        try await withServer { io, port in
            let recorder = self.record(io)
            let client = try await join(port)
            for n in 0..<1000 { try client.emit("n", "\(n)") }
            try await recorder.wait(count: 1000)
        }
    }

    @Test func whatCanNotBe() async throws {
        var zero = SocketIOConfiguration()
        zero.eventRate = RateLimit(0)
        var messages = SocketIOConfiguration()
        messages.engine.messageRate = RateLimit(10, policy: .drop)
        var bytes = SocketIOConfiguration()
        bytes.engine.byteRate = RateLimit(10, policy: .drop)
        for configuration in [zero, messages, bytes] {
            let io = SocketIOServer(configuration: configuration)
            await #expect {
                try await io.start(port: 0)
            } throws: {
                ($0 as? SocketIOError)?.code == .invalidConfiguration
            }
            await io.close()
        }
    }

    /// A client that is refused its namespace has its address counted until its connection ends.
    @Test(arguments: bothTransports) func aRefusedNamespaceGivesItsAddressBack(
        _ transport: EIOOptions.Transport
    ) async throws {
        try await withServer {
            $0.connectTimeout = .milliseconds(200)
            $0.engine.maxSessionsPerAddress = 1
        } _: { io, port in
            io.use { _ in throw ConnectError("no") }
            for _ in 0..<3 {
                let client = try await open(port, transport)
                await #expect(throws: (any Error).self) { try await client.connect() }
                try await client.session.waitForClose()
                try await eventually("its end") { io.engine?.sessionCount == 0 }
            }
        }
    }
}
