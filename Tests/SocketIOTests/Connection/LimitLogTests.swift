import Logging
import NIOCore
import SocketIO
import TestSupport
import Testing

/// Who runs into a limit finds its name in the log.
@Suite struct LimitLogTests {
    private func expectLimit(
        _ limit: String,
        configure: (inout SocketIOConfiguration) -> Void,
        _ body: (SocketIOServer, Int) async throws -> Void
    ) async throws {
        let log = LogLines(level: .debug)
        try await withServer(logger: log.logger) {
            $0.engine.eventLoopCount = 1
            configure(&$0)
        } _: { io, port in
            try await body(io, port)
            try await log.wait(for: "\"socketio.limit\": \(limit)")
        }
    }

    @Test(arguments: bothTransports) func maxPayload(_ transport: EIOOptions.Transport) async throws {
        try await self.expectLimit("maxPayload") {
            $0.engine.maxPayload = 1000
        } _: { _, port in
            let client = try await join(port, "/", transport)
            try client.sendRaw("2[\"a\",\"\(String(repeating: "x", count: 2000))\"]")
        }
    }

    @Test func maxSessions() async throws {
        try await self.expectLimit("maxSessions") {
            $0.engine.maxSessions = 1
        } _: { _, port in
            let first = try await join(port)
            await #expect(throws: (any Error).self) { try await open(port) }
            try await first.sync()
        }
    }

    @Test func maxSessionsPerAddress() async throws {
        try await self.expectLimit("maxSessionsPerAddress") {
            $0.engine.maxSessionsPerAddress = 1
        } _: { _, port in
            let first = try await join(port)
            await #expect(throws: (any Error).self) { try await open(port) }
            try await first.sync()
        }
    }

    @Test(arguments: [RateLimit.Policy.disconnect, .wait]) func messageRate(_ policy: RateLimit.Policy) async throws {
        try await self.expectLimit("messageRate") {
            $0.engine.messageRate = RateLimit(1, per: .seconds(3600), policy: policy)
        } _: { _, port in
            let client = try await join(port)
            try client.emit("x")
        }
    }

    @Test func byteRate() async throws {
        try await self.expectLimit("byteRate") {
            $0.engine.byteRate = RateLimit(1, per: .seconds(3600), burst: 100)
        } _: { _, port in
            let client = try await join(port)
            try client.emit("x", "\"" + String(repeating: "x", count: 100) + "\"")
            try await client.session.waitForClose()
        }
    }

    @Test func maxOutboxBytes() async throws {
        try await self.expectLimit("maxOutboxBytes") {
            $0.engine.maxOutboxBytes = 10_000
        } _: { io, port in
            io.main.onConnection { socket in
                // The loop can't write before this is over.
                for _ in 0..<10 { socket.emit("much", String(repeating: "x", count: 5000)) }
            }
            try await open(port).sendRaw("0")
        }
    }

    @Test func requestTimeout() async throws {
        try await self.expectLimit("requestTimeout") {
            $0.engine.requestTimeout = .milliseconds(300)
            $0.engine.allowRequest = { _ in
                try? await Task.sleep(for: .seconds(60))
                return .allow
            }
        } _: { _, port in
            await #expect(throws: (any Error).self) { try await open(port) }
        }
    }

    @Test func maxNamespacesPerConnection() async throws {
        try await self.expectLimit("maxNamespacesPerConnection") {
            $0.maxNamespacesPerConnection = 1
        } _: { io, port in
            _ = io.of("/other")
            let client = try await join(port)
            await #expect(throws: SIORefused.self) { try await client.connect("/other") }
        }
    }

    /// The namespaces that clients have made stay, and no other one is made.
    @Test func maxChildNamespaces() async throws {
        try await self.expectLimit("maxChildNamespaces") {
            $0.maxChildNamespaces = 2
        } _: { io, port in
            _ = io.of { _, _ in true }
            let client = try await open(port)
            for name in ["/a", "/b"] { try await client.connect(name) }
            await #expect(throws: SIORefused.self) { try await client.connect("/c") }
            #expect(Set(io.namespaces.keys) == ["/", "/a", "/b"])
            try await open(port).connect("/a")
        }
    }

    @Test func maxInboundQueueBytes() async throws {
        let door = Door()
        try await self.expectLimit("maxInboundQueueBytes") {
            $0.maxRunningHandlers = 1
            $0.engine.maxInboundQueueBytes = 1000
        } _: { io, port in
            io.onConnection { socket in
                socket.on("slow") { () async throws -> Void in try await door.pass() }
            }
            let client = try await join(port)
            for _ in 0..<8 { try client.emit("slow") }
            try await client.session.waitForClose()
        }
        door.open()
    }

    @Test func connectTimeout() async throws {
        try await self.expectLimit("connectTimeout") {
            $0.connectTimeout = .milliseconds(200)
        } _: { _, port in
            let client = try await open(port)
            try await client.session.waitForClose()
        }
    }

    @Test func attachmentsTimeout() async throws {
        try await self.expectLimit("attachmentsTimeout") {
            $0.attachmentsTimeout = .milliseconds(200)
        } _: { _, port in
            let client = try await join(port)
            try client.sendRaw("52-[\"a\"]", binary: [[1]])
            try await client.session.waitForClose()
        }
    }
}
