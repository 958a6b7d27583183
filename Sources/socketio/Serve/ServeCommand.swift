import ArgumentParser
import Logging
import Metrics
import NIOCore
import ServiceLifecycle
import SocketIORedis

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Runs a Socket.IO server with a chat on it.",
        discussion: """
            The page at / is the chat: rooms, names, typing indicators, and an /admin namespace behind a token. \
            SIGINT or SIGTERM disconnects the clients and ends it.

            With --redis, the chat is that of all processes with the same Redis:
              socketio serve --redis redis://127.0.0.1 --port 3000
              socketio serve --redis redis://127.0.0.1 --port 3001
            """
    )

    @Option(help: "The host name or address to listen on.")
    var host: String = "127.0.0.1"

    @Option(help: "The port to listen on; 0 lets the system choose.")
    var port: Int = 3000

    @Option(
        help: """
            How packets are written: default, or msgpack for clients with socket.io-msgpack-parser. The page at / has the \
            default one only; socketio connect --parser msgpack has the other.
            """)
    var parser: ParserOption = .default

    @Option(help: "The number of event loops. Default: the number of cores.")
    var threads: Int?

    @Option(help: "The token of the /admin namespace. Default: a random one, which is printed.")
    var adminToken: String?

    @Option(
        help: """
            A directory with the JavaScript client (socket.io.min.js). Default: node_modules/socket.io-client/dist where \
            it exists, else the page takes the client from its official CDN.
            """)
    var clientDir: String?

    @Option(
        help: """
            Joins this server and others with the same Redis: redis://[user[:password]@]host[:port][/database], rediss:// \
            with TLS, or unix:///path.
            """)
    var redis: String?

    @OptionGroup(title: "Cluster, with --redis")
    var cluster: AdapterOptions

    @Option(
        help: """
            A port for those who watch over the server, on the same host: /metrics for Prometheus, /health and /health/live \
            for probes. Default: none.
            """)
    var metricsPort: Int?

    @Flag(name: .customLong("allow-eio3"), help: "Serve clients of Socket.IO 2 too.")
    var allowEIO3 = false

    @Flag(help: "Log what happens to connections.")
    var verbose = false

    func validate() throws {
        guard (0...65535).contains(self.port) else { throw ValidationError("--port must be from 0 to 65535.") }
        if let port = self.metricsPort, !(0...65535).contains(port) {
            throw ValidationError("--metrics-port must be from 0 to 65535.")
        }
        if let threads = self.threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads must be from 1 to 1024.")
        }
        if self.redis == nil, !self.cluster.areDefault {
            throw ValidationError("--adapter and its options need --redis.")
        }
        if self.adminToken?.isEmpty == true { throw ValidationError("--admin-token must not be empty.") }
    }

    func run() async throws {
        var logger = Logger(label: "socketio") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = self.verbose ? .debug : .warning
        let client = try ClientLibrary(directory: self.clientDir)
        let token = self.adminToken ?? RandomToken.make()

        var configuration = SocketIOConfiguration(host: self.host, port: self.port)
        configuration.clientDirectory = client.directory
        configuration.engine.allowEIO3 = self.allowEIO3
        configuration.parser = self.parser.choice
        if let threads = self.threads { configuration.engine.eventLoopCount = threads }
        let page = ChatPage(client: client)
        configuration.engine.fallback = { request in page.answer(request) }

        let registry = PrometheusRegistry()
        if self.metricsPort != nil {
            MetricsSystem.bootstrap(registry)
            configuration.metrics = MetricsConfiguration()
        }

        var redis: RESPClient?
        if let url = self.redis {
            // A server serves its own clients without Redis, and joins the others when it is there.
            let client = try RedisConnection.client(
                url, readsStreams: self.cluster.adapter == .streams, logger: logger)
            configuration.adapter = self.cluster.factory(client)
            redis = client
        }
        let io = SocketIOServer(configuration: configuration, logger: logger)
        let chat = Chat(io: io, adminToken: token, isClustered: redis != nil)
        chat.start()
        let monitoring = try self.metricsPort.map { (try MonitoringServer(io, registry), $0) }
        let service = ServeService(
            io: io, chat: chat, monitoring: monitoring, lines: self.lines(token: token, client: client))
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: service)],
                gracefulShutdownSignals: [.sigint, .sigterm],
                logger: logger
            )
        )
        do {
            try await group.run()
            await redis?.shutdown()
        } catch {
            await redis?.shutdown()
            throw CommandFailure("socketio: \(Self.explain(error, host: self.host, port: self.port))")
        }
    }

    private func lines(token: String, client: ClientLibrary) -> [String] {
        var lines: [String] = []
        if self.adminToken == nil { lines.append("Admin token: \(token)") }
        if self.parser != .default { lines.append("Parser: \(self.parser.rawValue)") }
        if self.redis != nil { lines.append("Cluster: \(self.cluster.adapter.rawValue)") }
        lines.append("JavaScript client: \(client.description)")
        lines.append("Press Control-C to stop.")
        return lines
    }

    /// Says of the port that could not be listened on, and not of another, why not.
    static func explaining<Result>(
        _ host: String, _ port: Int, _ body: () async throws -> Result
    ) async throws -> Result {
        do { return try await body() } catch {
            throw CommandFailure(Self.explain(error, host: host, port: port))
        }
    }

    static func explain(_ error: any Error, host: String, port: Int) -> String {
        if let error = error as? IOError {
            switch error.errnoCode {
            case EADDRINUSE: return "port \(port) of \(host) is in use by another program"
            case EACCES: return "no permission to listen on port \(port) of \(host)"
            case EADDRNOTAVAIL: return "\(host) is no address of this machine"
            default: return "\(error)"
            }
        }
        if let error = error as? SocketIOError { return error.message }
        if let error = error as? CommandFailure { return error.description }
        return "can't listen on \(host), port \(port): \(error)"
    }
}

/// Opens the port, says where, and serves until the group shuts down.
private struct ServeService: Service {
    let io: SocketIOServer
    let chat: Chat
    let monitoring: (MonitoringServer, port: Int)?
    let lines: [String]

    func run() async throws {
        do {
            let address = try await self.io.start()
            print("Chat: \(Self.url(address))/")
            if let (monitoring, port) = self.monitoring {
                let host = self.io.configuration.host
                let address = try await ServeCommand.explaining(host, port) {
                    try await monitoring.start(host: host, port: port)
                }
                print("Metrics: \(Self.url(address))/metrics")
            }
        } catch {
            await self.end()
            throw error
        }
        for line in self.lines { print(line) }
        flushStandardOutput()
        try? await gracefulShutdown()
        await self.end()
    }

    /// Those who watch can until the last.
    private func end() async {
        self.chat.end()
        await self.io.close()
        await self.monitoring?.0.close()
    }

    private static func url(_ address: SocketAddress) -> String {
        let host = address.ipAddress.map { $0.contains(":") ? "[\($0)]" : $0 } ?? "localhost"
        return "http://\(host):\(address.port ?? 0)"
    }
}
