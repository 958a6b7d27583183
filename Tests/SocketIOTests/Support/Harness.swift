import Logging
import SocketIO
import TestSupport
import Testing

/// Runs `body` with a server on a port of its own, then closes it and checks that it keeps nothing.
func withServer<Result>(
    loops: Int = 2,
    logger: Logger? = nil,
    configure: (inout SocketIOConfiguration) -> Void = { _ in },
    isolation: isolated (any Actor)? = #isolation,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (SocketIOServer, Int) async throws -> Result
) async throws -> Result {
    var configuration = SocketIOConfiguration()
    configuration.engine.eventLoopCount = loops
    // Longer than a client may be held up before it comes for its last packets.
    configuration.engine.closeTimeout = .seconds(30)
    // What goes wrong is for those tests to see that ask for it.
    configuration.onError = { _, _ in }
    configure(&configuration)
    let io =
        logger.map { SocketIOServer(configuration: configuration, logger: $0) }
        ?? SocketIOServer(configuration: configuration)
    io.onConnection { socket in
        socket.on("sync") { true }
    }
    let port = try #require(try await io.start(port: 0).port)
    do {
        let result = try await body(io, port)
        await io.close(timeout: .seconds(1))
        expectEmpty(io, sourceLocation: sourceLocation)
        return result
    } catch {
        await io.close(timeout: .zero)
        throw error
    }
}

/// Checks that a server has no connection, socket or room in any table.
func expectEmpty(_ io: SocketIOServer, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(io.connectionCount == 0, sourceLocation: sourceLocation)
    #expect((io.engine?.sessionCount ?? 0) == 0, sourceLocation: sourceLocation)
    for (name, namespace) in io.namespaces {
        #expect(namespace.local.socketCount == 0, "sockets of \(name)", sourceLocation: sourceLocation)
        #expect(namespace.local.roomCount == 0, "rooms of \(name)", sourceLocation: sourceLocation)
        #expect(namespace.sockets.isEmpty, sourceLocation: sourceLocation)
    }
}

/// A client without a namespace.
func open(_ port: Int, _ transport: EIOOptions.Transport = .websocket, query: String = "") async throws -> SIOClient {
    var options = EIOOptions(port: port, transport: transport)
    options.query = query
    return try await SIOClient.open(options)
}

/// A client that has joined a namespace.
func join(
    _ port: Int,
    _ namespace: String = "/",
    _ transport: EIOOptions.Transport = .websocket,
    auth: String? = nil
) async throws -> SIOClient {
    let client = try await open(port, transport)
    try await client.connect(namespace, auth: auth)
    return client
}

/// Joins `/` where the server soon closes those who are slow: it tries again until it was quick enough.
func joinInTime(_ options: EIOOptions) async throws -> SIOClient {
    let joined = Awaited<SIOClient?>(nil)
    try await eventually("a client joins in time", timeout: .seconds(30)) {
        guard let client = try? await SIOClient.open(options), (try? await client.connect()) != nil else {
            return false
        }
        joined.update { $0 = client }
        return true
    }
    return try #require(joined.value)
}

extension SIOClient {
    /// Waits until the server has handled what was sent in `/`, and what it has sent there has arrived.
    func sync() async throws {
        _ = try await self.emitWithAck("sync")
    }

    /// The names of the events of `/` that have come by the time the server has answered; takes them.
    func eventsSoFar() async throws -> [String] {
        try await self.sync()
        var names: [String] = []
        while self.pendingEvents() > 0 { names.append(try await self.nextEvent().name) }
        return names
    }

    /// The id of its socket in a namespace.
    func id(_ namespace: String = "/") throws -> String {
        guard let id = self.sid(namespace) else { throw PeerError("\(namespace) is not joined") }
        return id
    }
}

/// The two ways to talk to a server.
let bothTransports: [EIOOptions.Transport] = [.polling, .websocket]

/// Waits for the one socket of a namespace.
func onlySocket(_ namespace: Namespace) async throws -> Socket {
    try await eventually("the socket of \(namespace.name)") { namespace.sockets.count == 1 }
    return try #require(namespace.sockets.values.first)
}
