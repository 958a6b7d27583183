import EngineIO
import EngineIOCore
import Logging
import NIOCore
import TestSupport

struct ServerLog: Sendable {
    var sessions: [EngineIOSession] = []
    var messages: [(id: String, message: ServerMessage)] = []
    var ends: [String: String] = [:]
}

enum ServerMessage: Sendable, Equatable {
    case text(String)
    case binary([UInt8])
}

/// The project's own server on a free port; its sessions echo unless told otherwise.
final class EchoServer: Sendable {
    typealias Receive = @Sendable (EngineIOSession, ServerMessage) -> Void

    let server: EngineIOServer
    let log: Awaited<ServerLog>
    let port: Int

    init(
        _ configuration: EngineIOConfiguration, host: String,
        onOpen: @escaping @Sendable (EngineIOSession) -> Void, onMessage: @escaping Receive
    ) async throws {
        let log = Awaited(ServerLog()) { "\($0.messages.count) messages, ends: \($0.ends)" }
        self.log = log
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        self.server = try EngineIOServer(configuration: configuration, logger: logger) { session, _ in
            log.update { $0.sessions.append(session) }
            onOpen(session)
            return EchoHandler(log: log, onMessage: onMessage)
        }
        self.port = try await self.server.start(host: host, port: 0).port ?? 0
    }

    var url: String { "http://127.0.0.1:\(self.port)" }

    func messages(_ count: Int, timeout: Duration = defaultTimeout) async throws -> [ServerMessage] {
        try await self.log.wait("\(count) messages at the server", timeout: timeout) { log in
            log.messages.count >= count ? log.messages.map(\.message) : nil
        }
    }

    /// Waits for the end of the only session, and returns the reason.
    func onlyEnd() async throws -> String {
        try await self.log.wait("the end at the server") { $0.ends.values.first }
    }

    func session() async throws -> EngineIOSession {
        try await self.log.wait("a session at the server") { $0.sessions.first }
    }
}

private final class EchoHandler: EngineIOSessionHandler {
    let log: Awaited<ServerLog>
    let onMessage: EchoServer.Receive

    init(log: Awaited<ServerLog>, onMessage: @escaping EchoServer.Receive) {
        self.log = log
        self.onMessage = onMessage
    }

    func session(_ session: EngineIOSession, receivedText text: ByteBuffer, on loop: LoopContext) {
        let message = ServerMessage.text(String(buffer: text))
        self.log.update { $0.messages.append((session.id, message)) }
        self.onMessage(session, message)
    }

    func session(_ session: EngineIOSession, receivedBinary data: ByteBuffer, on loop: LoopContext) {
        let message = ServerMessage.binary(Array(data.readableBytesView))
        self.log.update { $0.messages.append((session.id, message)) }
        self.onMessage(session, message)
    }

    func sessionClosed(_ session: EngineIOSession, reason: EngineIOCloseReason, on loop: LoopContext) {
        self.log.update { $0.ends[session.id] = reason.rawValue }
    }
}

@Sendable func echo(_ session: EngineIOSession, _ message: ServerMessage) {
    switch message {
    case .text("close me"): session.close()
    case .text(let text): session.send(text: text)
    case .binary(let bytes): session.send(binary: ByteBuffer(bytes: bytes))
    }
}

/// Runs `body` with a server that is closed afterwards.
func withServer(
    host: String = "127.0.0.1",
    _ configure: (inout EngineIOConfiguration) -> Void = { _ in },
    onOpen: @escaping @Sendable (EngineIOSession) -> Void = { _ in },
    onMessage: @escaping EchoServer.Receive = echo,
    isolation: isolated (any Actor)? = #isolation,
    _ body: (EchoServer) async throws -> Void
) async throws {
    var configuration = EngineIOConfiguration()
    configuration.eventLoopCount = 2
    configure(&configuration)
    let server = try await EchoServer(configuration, host: host, onOpen: onOpen, onMessage: onMessage)
    do {
        try await body(server)
    } catch {
        await server.server.close(timeout: .milliseconds(20))
        throw error
    }
    await server.server.close(timeout: .milliseconds(20))
}
