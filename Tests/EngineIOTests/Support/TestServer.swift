import EngineIOCore
import Logging
import NIOCore
import TestSupport

@testable import EngineIO

/// What a server has seen, under a lock whose changes can be awaited.
struct ServerLog: Sendable {
    var sessions: [EngineIOSession] = []
    var messages: [Seen] = []
    var ends: [End] = []
    var refusals: [EngineIOConnectionError] = []

    struct Seen: Sendable, Equatable {
        let id: String
        let message: EIOMessage
    }

    struct End: Sendable, Equatable {
        let id: String
        let reason: String
    }
}

/// An Engine.IO server on a free port of loopback, and what its sessions have seen. They echo unless they are told otherwise.
final class TestServer: Sendable {
    typealias Receive = @Sendable (EngineIOSession, EIOMessage) -> Void

    let server: EngineIOServer
    let log: Awaited<ServerLog>
    let port: Int

    init(
        _ configuration: EngineIOConfiguration,
        onOpen: @escaping @Sendable (EngineIOSession) -> Void,
        onMessage: @escaping Receive
    ) async throws {
        let log = Awaited(ServerLog()) { "seen: \($0.messages.suffix(5)), ended: \($0.ends.suffix(5))" }
        var configuration = configuration
        let report = configuration.onConnectionError
        configuration.onConnectionError = { error in
            log.update { $0.refusals.append(error) }
            report?(error)
        }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        self.log = log
        self.server = try EngineIOServer(configuration: configuration, logger: logger) { session, _ in
            log.update { $0.sessions.append(session) }
            onOpen(session)
            return Recorder(log: log, onMessage: onMessage)
        }
        self.port = try await self.server.start(port: 0).port ?? 0
    }

    static func echo(_ session: EngineIOSession, _ message: EIOMessage) {
        switch message {
        case .text("close me"): session.close()
        case .text(let text): session.send(text: text)
        case .binary(let bytes): session.send(binary: ByteBuffer(bytes: bytes))
        }
    }

    // MARK: Clients

    var http: HTTPClient1 { HTTPClient1(port: self.port) }

    func options(_ transport: EIOOptions.Transport = .polling) -> EIOOptions {
        var options = EIOOptions(port: self.port, transport: transport)
        options.path = "/engine.io/"
        return options
    }

    func client(_ transport: EIOOptions.Transport = .polling) async throws -> EIOClient {
        try await EIOClient.open(self.options(transport))
    }

    func webSocket(_ query: String = "EIO=4&transport=websocket", headers: [(String, String)] = []) async throws
        -> WSClient
    {
        try await WSClient.connect(port: self.port, path: "/engine.io/?" + query, headers: headers)
    }

    /// A WebSocket whose open packet was read.
    func openWebSocket() async throws -> WSClient {
        let webSocket = try await self.webSocket()
        let open = try await webSocket.nextText()
        guard open.hasPrefix("0{") else { throw PeerError("no open packet but \(open)") }
        return webSocket
    }

    /// A WebSocket that probes for the session.
    func probe(_ sid: String) async throws -> WSClient {
        try await self.webSocket("EIO=4&transport=websocket&sid=\(sid)")
    }

    static func path(_ sid: String? = nil, _ more: String = "") -> String {
        "/engine.io/?EIO=4&transport=polling" + (sid.map { "&sid=\($0)" } ?? "") + more
    }

    /// Opens a polling session by hand; nothing polls.
    func openPolling(_ http: HTTPClient1? = nil) async throws -> EIOHandshake {
        let reply = try await (http ?? self.http).request("GET", Self.path())
        guard reply.status == 200, reply.text.hasPrefix("0") else { throw PeerError("no handshake but \(reply)") }
        let packet = reply.text.unicodeScalars.split(separator: "\u{1E}")[0]
        return try EIOHandshake(json: String(String.UnicodeScalarView(packet.dropFirst())))
    }

    func get(_ sid: String) async throws -> HTTPReply { try await self.http.request("GET", Self.path(sid)) }

    /// A GET that waits: returns when the server has it.
    func waitingGet(_ sid: String) async throws -> PendingReply {
        let get = try await self.http.start("GET", Self.path(sid))
        try await eventually("the GET to wait") { self.session(sid)?.hasPoll ?? false }
        return get
    }

    func post(_ sid: String, _ body: String, headers: [(String, String)] = []) async throws -> HTTPReply {
        try await self.http.request("POST", Self.path(sid), headers: headers, body: .text(body))
    }

    // MARK: Sessions

    func session(_ id: String) -> EngineIOSession? { self.server.session(id: id) }

    /// The session with this id, dead or alive.
    func known(_ id: String) throws -> EngineIOSession {
        guard let session = self.log.value.sessions.last(where: { $0.id == id }) else {
            throw PeerError("no session \(id)")
        }
        return session
    }

    /// Waits for the end of a session and returns the reason.
    func end(_ id: String) async throws -> String {
        try await self.log.wait("the end of session \(id)") { log in log.ends.first { $0.id == id }?.reason }
    }

    /// Waits for the end of the only session.
    func onlyEnd() async throws -> String {
        try await self.log.wait("the end of a session") { $0.ends.first?.reason }
    }

    /// Waits for `count` messages and returns them.
    func messages(_ count: Int) async throws -> [EIOMessage] {
        try await self.log.wait("\(count) messages at the server") { log in
            log.messages.count >= count ? log.messages.map(\.message) : nil
        }
    }
}

extension EngineIOSession {
    var hasPoll: Bool { self.state.withLock { $0.poll != nil } }
    var hasPost: Bool { self.state.withLock { $0.post != nil } }
    var isProbing: Bool { self.state.withLock { if case .probing = $0.upgrade { true } else { false } } }
}

/// Runs `body` with a server that is closed afterwards.
func withServer(
    _ configure: (inout EngineIOConfiguration) -> Void = { _ in },
    onOpen: @escaping @Sendable (EngineIOSession) -> Void = { _ in },
    onMessage: @escaping TestServer.Receive = TestServer.echo,
    isolation: isolated (any Actor)? = #isolation,
    _ body: (TestServer) async throws -> Void
) async throws {
    var configuration = EngineIOConfiguration()
    configuration.eventLoopCount = 2
    configure(&configuration)
    let server = try await TestServer(configuration, onOpen: onOpen, onMessage: onMessage)
    do {
        try await body(server)
    } catch {
        await server.server.close(timeout: .milliseconds(20))
        throw error
    }
    await server.server.close(timeout: .milliseconds(20))
}

private final class Recorder: EngineIOSessionHandler {
    let log: Awaited<ServerLog>
    let onMessage: TestServer.Receive

    init(log: Awaited<ServerLog>, onMessage: @escaping TestServer.Receive) {
        self.log = log
        self.onMessage = onMessage
    }

    func session(_ session: EngineIOSession, receivedText text: ByteBuffer, on loop: LoopContext) {
        self.receive(.text(String(buffer: text)), session)
    }

    func session(_ session: EngineIOSession, receivedBinary data: ByteBuffer, on loop: LoopContext) {
        self.receive(.binary(Array(data.readableBytesView)), session)
    }

    private func receive(_ message: EIOMessage, _ session: EngineIOSession) {
        self.log.update { $0.messages.append(ServerLog.Seen(id: session.id, message: message)) }
        self.onMessage(session, message)
    }

    func sessionClosed(_ session: EngineIOSession, reason: EngineIOCloseReason, on loop: LoopContext) {
        self.log.update { $0.ends.append(ServerLog.End(id: session.id, reason: reason.rawValue)) }
    }
}
