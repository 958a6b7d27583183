import SocketIO
import TestSupport
import Testing

/// Clients that other people wrote, against this server, with one event loop and with four.
@Suite(.serialized)
struct InteropTests {
    @Test(arguments: [1, 4], ["polling", "websocket", "upgrade"])
    func pythonClient(eventLoops: Int, transport: String) async throws {
        try await Self.withFixture(eventLoops) { tools, fixture in
            try await tools.run("SIO_PYTHON", "python/interop.py", "\(fixture.port)", transport)
        }
    }

    @Test(arguments: ["polling", "websocket", "upgrade"])
    func pythonClientWithMessagePack(transport: String) async throws {
        try await Self.withFixture(2, parser: .messagePack) { tools, fixture in
            try await tools.run("SIO_PYTHON", "python/interop.py", "\(fixture.port)", transport, "msgpack")
        }
    }

    @Test(arguments: [1, 4])
    func javaScriptClientInNode(eventLoops: Int) async throws {
        try await Self.withFixture(eventLoops) { tools, fixture in
            try await tools.run("SIO_NODE", "node/interop.mjs", "\(fixture.port)")
        }
    }

    @Test(arguments: [1, 4])
    func javaScriptClientInChromium(eventLoops: Int) async throws {
        try await Self.withFixture(eventLoops) { tools, fixture in
            try await tools.run("SIO_PYTHON", "browser/interop.py", "\(fixture.port)")
        }
    }

    @Test(arguments: [1, 4], ["polling", "websocket", "upgrade"])
    func pythonClientOfSocketIO2(eventLoops: Int, transport: String) async throws {
        try await Self.withFixture(eventLoops, allowEIO3: true) { tools, fixture in
            try await tools.run("SIO_PYTHON_V2", "python/interop_v2.py", "\(fixture.port)", transport)
        }
    }

    /// Old and new clients on both transports.
    @Test(arguments: [1, 4]) func mixedRoom(eventLoops: Int) async throws {
        try await Self.withFixture(eventLoops, allowEIO3: true) { tools, fixture in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for python in ["SIO_PYTHON", "SIO_PYTHON_V2"] {
                    for transport in ["polling", "websocket"] {
                        group.addTask {
                            try await tools.run(
                                python, "python/mixed.py", "\(fixture.port)", transport, "room",
                                "\(python)-\(transport)",
                                "SIO_PYTHON-polling,SIO_PYTHON-websocket,SIO_PYTHON_V2-polling,SIO_PYTHON_V2-websocket")
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    /// Runs `body` against a server, which must be left empty: no socket, room or session in any table.
    private static func withFixture(
        _ eventLoops: Int,
        allowEIO3: Bool = false,
        parser: ParserChoice = .json,
        _ body: (InteropTools, InteropFixture) async throws -> Void
    ) async throws {
        let tools = try InteropTools.find()
        let fixture = try await InteropFixture.start(eventLoops: eventLoops, allowEIO3: allowEIO3, parser: parser)
        do {
            try await body(tools, fixture)
            try await eventually("all clients are gone", timeout: .seconds(60)) {
                fixture.io.namespaces.values.allSatisfy { $0.local.socketCount == 0 && $0.local.roomCount == 0 }
                    && fixture.io.connectionCount == 0
            }
        } catch {
            await fixture.io.close(timeout: .zero)
            throw error
        }
        await fixture.io.close()
    }
}
