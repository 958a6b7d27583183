import NIOCore
import SocketIO

/// Answers who watches over a server, on a port of its own: `/metrics` for Prometheus, `/health` and `/health/live` for probes.
struct MonitoringServer: Sendable {
    private let server: EngineIOServer

    init(_ io: SocketIOServer, _ registry: PrometheusRegistry) throws {
        var configuration = EngineIOConfiguration()
        configuration.eventLoopCount = 1
        configuration.allowRequest = { _ in .refuse() }
        configuration.fallback = { await Self.answer($0, io, registry) }
        self.server = try EngineIOServer(configuration: configuration) { _, _ in NobodysSession() }
    }

    func start(host: String, port: Int) async throws -> SocketAddress {
        try await self.server.start(host: host, port: port)
    }

    func close() async { await self.server.close(timeout: .zero) }

    static func answer(
        _ request: EngineIORequest, _ io: SocketIOServer, _ registry: PrometheusRegistry
    ) async -> EngineIOResponse {
        guard request.method == .GET || request.method == .HEAD else {
            return EngineIOResponse(status: .methodNotAllowed, headers: ["allow": "GET, HEAD"])
        }
        switch request.url.prefix(while: { $0 != "?" }) {
        case "/metrics":
            return EngineIOResponse(
                status: .ok, headers: ["content-type": PrometheusRegistry.contentType],
                body: ByteBuffer(string: registry.text()))
        case "/health":
            let health = await io.health()
            return Self.answer(health, isWell: health.isReady)
        case "/health/live":
            let health = await io.health()
            return Self.answer(health, isWell: health.isAlive)
        default: return .notFound
        }
    }

    private static func answer(_ health: ServerHealth, isWell: Bool) -> EngineIOResponse {
        let text = (try? SocketIOValue(encoding: health)).map { ValuePrinter().text($0) } ?? "{}"
        return EngineIOResponse(
            status: isWell ? .ok : .serviceUnavailable,
            headers: ["content-type": "application/json", "cache-control": "no-store"],
            body: ByteBuffer(string: text + "\n"))
    }
}

/// Nobody may open a session at the port for monitoring.
private final class NobodysSession: EngineIOSessionHandler {
    func session(_ session: EngineIOSession, receivedText text: ByteBuffer, on loop: LoopContext) {}
    func session(_ session: EngineIOSession, receivedBinary data: ByteBuffer, on loop: LoopContext) {}
    func sessionClosed(_ session: EngineIOSession, reason: EngineIOCloseReason, on loop: LoopContext) {}
}
