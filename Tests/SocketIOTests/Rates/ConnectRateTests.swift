import SocketIO
import TestSupport
import Testing

/// How often a client may ask to join namespaces is held to a rate.
@Suite struct ConnectRateTests {
    /// Three at once, and no more in a test's time.
    private static func three(_ policy: RateLimit.Policy) -> RateLimit {
        RateLimit(1, per: .seconds(3600), burst: 3, policy: policy)
    }

    private func run(
        _ rate: RateLimit,
        _ body: (SocketIOServer, Int, Awaited<[EngineIOLimitReport]>) async throws -> Void
    ) async throws {
        let reports = Awaited<[EngineIOLimitReport]>([]) { "\($0.map(\.action))" }
        try await withServer {
            $0.connectRate = rate
            $0.engine.onLimit = { report in reports.update { $0.append(report) } }
        } _: { io, port in
            io.onConnection { socket in socket.on("n") { (n: Int) in n } }
            io.of("/a").onConnection { _ in }
            try await body(io, port, reports)
            // Somebody else is served.
            for transport in bothTransports {
                let other = try await join(port, "/", transport)
                try await other.connect("/a")
                try await other.sync()
                await other.close()
            }
        }
    }

    @Test(arguments: bothTransports) func dropping(_ transport: EIOOptions.Transport) async throws {
        try await self.run(Self.three(.drop)) { io, port, reports in
            let client = try await join(port, "/", transport)
            try await client.connect("/a")
            try client.disconnect("/a")
            // Attempts that fail count too.
            await #expect(throws: SIORefused.self) { try await client.connect("/unknown") }
            for _ in 0..<3 {
                let error = await #expect(throws: SIORefused.self) { try await client.connect("/a") }
                #expect("\(error.map { "\($0)" } ?? "")".contains("Too many attempts"))
            }
            #expect(reports.value.map(\.limit) == [.connectRate, .connectRate, .connectRate])
            #expect(reports.value.allSatisfy { $0.action == .refused && $0.count == 1 })
            // It goes on where it is.
            #expect(try await client.emitWithAck("n", "7").int(0) == 7)
            #expect(io.of("/a").sockets.isEmpty)
            await client.close()
        }
    }

    @Test(arguments: bothTransports) func disconnecting(_ transport: EIOOptions.Transport) async throws {
        try await self.run(Self.three(.disconnect)) { io, port, reports in
            let client = try await join(port, "/", transport)
            try await client.connect("/a")
            try client.disconnect("/a")
            try await client.connect("/a")
            try client.disconnect("/a")
            for _ in 0..<5 { try? client.sendRaw("0/a,") }
            #expect(try await client.waitForDisconnect() == "io server disconnect")
            try await client.session.waitForClose()
            try await eventually("its end") { io.main.sockets.isEmpty }
            #expect(reports.value.map(\.action) == [.disconnected])
        }
    }

    @Test(arguments: bothTransports) func waiting(_ transport: EIOOptions.Transport) async throws {
        try await self.run(RateLimit(200, burst: 2, policy: .wait)) { io, port, reports in
            let client = try await join(port, "/", transport)
            for n in 0..<10 {
                try await client.connect("/a")
                try client.disconnect("/a")
                #expect(try await client.emitWithAck("n", "\(n)").int(0) == n)
            }
            #expect(reports.value.allSatisfy { $0.limit == .connectRate && $0.action == .delayed })
            await client.close()
        }
    }

    /// Many at once: all of them are handled, in order, the later ones later.
    @Test func allAtOnceWait() async throws {
        try await self.run(RateLimit(100, burst: 1, policy: .wait)) { io, port, reports in
            let client = try await SIOClient.open(EIOOptions(port: port, transport: .websocket))
            let joins = Recorder()
            io.of("/a").onConnection { _ in joins.add("join") }
            for _ in 0..<10 {
                try client.sendRaw("0/a,")
                try client.sendRaw("1/a,")
            }
            try await joins.wait(count: 10)
            try await eventually("told") { reports.value.contains { $0.action == .delayed } }
            await client.close()
        }
    }

    @Test func impossibleRates() async throws {
        var configuration = SocketIOConfiguration()
        configuration.connectRate = RateLimit(0)
        let io = SocketIOServer(configuration: configuration)
        await #expect(throws: SocketIOError.self) { try await io.start(port: 0) }
        await io.close()
    }
}
