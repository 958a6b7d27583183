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

    /// Runs `body` against a server, which must be left empty: no socket, room or session in any table.
    private static func withFixture(
        _ eventLoops: Int,
        parser: ParserChoice = .json,
        _ body: (InteropTools, InteropFixture) async throws -> Void
    ) async throws {
        let tools = try InteropTools.find()
        let fixture = try await InteropFixture.start(eventLoops: eventLoops, parser: parser)
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
