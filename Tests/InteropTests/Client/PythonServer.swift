import Foundation
import SocketIOClient
import TestSupport

/// A server of python-socketio, see `Clients/python/plain_server.py`.
final class PythonServer: Sendable {
    let process: ServerProcess
    let port: Int

    /// - Parameters:
    ///   - port: 0 takes a free one.
    ///   - log: gets what clients have noted.
    ///   - serializer: as python-socketio calls it: `default` or `msgpack`.
    init(port: Int = 0, log: String? = nil, serializer: String = "default") async throws {
        let tools = try InteropTools.find()
        guard let python = tools.environment["SIO_PYTHON"] else { throw PeerError("SIO_PYTHON is not known") }
        self.process = try ServerProcess(
            python, [InteropTools.clients + "/python/plain_server.py", "\(port)"] + (log.map { [$0] } ?? []),
            environment: tools.environment.merging(["SIO_SERIALIZER": serializer]) { $1 })
        let line = try await self.process.waitForLine(containing: "ready ", timeout: .seconds(60))
        guard let port = line.split(separator: " ").last.flatMap({ Int($0) }) else { throw PeerError(line) }
        self.port = port
    }

    /// Without a word to its clients.
    func kill() async throws {
        self.process.signal(SIGKILL)
        try await self.process.waitForExit()
    }

    var url: String { "http://127.0.0.1:\(self.port)" }
}

/// How a client may talk to a server.
enum Way: String, CaseIterable, Sendable {
    case polling
    case websocket
    case upgrade

    var configuration: SocketIOClientConfiguration {
        var configuration = SocketIOClientConfiguration()
        configuration.forceNew = true
        configuration.autoConnect = false
        configuration.reconnection.delay = .milliseconds(50)
        configuration.reconnection.maxDelay = .milliseconds(200)
        configuration.logger.logLevel = .critical
        switch self {
        case .polling: configuration.transports = [.polling]
        case .websocket: configuration.transports = [.websocket]
        case .upgrade: break
        }
        return configuration
    }

    /// A client that is connected, and on WebSocket if it comes to that.
    func connect(_ url: String, auth: SocketIOAuth? = nil) async throws -> SocketIOClient {
        let client = SocketIOClient(url, auth: auth, configuration: self.configuration)
        try await client.connect(timeout: .seconds(30))
        if self == .upgrade { try await eventually("the upgrade") { client.transport == .websocket } }
        return client
    }
}
