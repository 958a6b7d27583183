import SocketIO
import SocketIOClient
import TestSupport
import Testing

/// Runs `body` with a server on a port of its own, then closes it and checks that no client is left.
func withServer<Result>(
    port: Int = 0,
    configure: (inout SocketIOConfiguration) -> Void = { _ in },
    setUp: (SocketIOServer) -> Void = { _ in },
    isolation: isolated (any Actor)? = #isolation,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (SocketIOServer, Int) async throws -> Result
) async throws -> Result {
    let io = makeServer(configure)
    setUp(io)
    let port = try #require(try await io.start(port: port).port)
    do {
        let result = try await body(io, port)
        try await eventually("all clients are gone") { io.connectionCount == 0 }
        await io.close(timeout: .seconds(1))
        return result
    } catch {
        await io.close(timeout: .zero)
        throw error
    }
}

/// A server that does not listen yet, with the events that most tests need.
func makeServer(_ configure: (inout SocketIOConfiguration) -> Void = { _ in }) -> SocketIOServer {
    var configuration = SocketIOConfiguration()
    configuration.engine.eventLoopCount = 2
    // Longer than a client may be held up before it comes for its last packets.
    configuration.engine.closeTimeout = .seconds(30)
    configuration.onError = { _, _ in }
    configure(&configuration)
    let io = SocketIOServer(configuration: configuration)
    io.onConnection { socket in
        socket.on("echo") { (arguments: Arguments, ack: AckReply) in
            if ack.isExpected {
                ack(arguments: arguments.values)
            } else {
                socket.emit("echo", arguments: arguments.values)
            }
        }
    }
    return io
}

/// How a client may talk to a server.
enum Way: String, CaseIterable, Sendable {
    case polling
    case websocket
    case upgrade

    var configuration: SocketIOClientConfiguration {
        var configuration = SocketIOClientConfiguration.quick
        configuration.forceNew = true
        switch self {
        case .polling: configuration.transports = [.polling]
        case .websocket: configuration.transports = [.websocket]
        case .upgrade: break
        }
        return configuration
    }
}

/// A client of a server of this machine that has joined its namespace.
func connect(
    _ port: Int,
    _ namespace: String = "",
    _ configuration: SocketIOClientConfiguration = Way.websocket.configuration
) async throws -> SocketIOClient {
    let client = SocketIOClient("http://127.0.0.1:\(port)\(namespace)", configuration: configuration)
    try await client.connect(timeout: .seconds(30))
    return client
}

/// Listens at a port that the system gives to nobody while the server is away.
func startAtAFreePort(_ io: SocketIOServer) async throws -> Int {
    let port = try FreePorts.next()
    _ = try await io.start(port: port)
    return port
}

/// Listens at a port that a server has just left.
func listen(_ io: SocketIOServer, _ port: Int) async throws {
    try await eventually("the port is free", timeout: .seconds(20)) {
        do {
            _ = try await io.start(port: port)
            return true
        } catch {
            return false
        }
    }
}
