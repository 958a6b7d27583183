import ArgumentParser
import Logging
import NIOCore
import ServiceLifecycle
import SocketIO

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
            """
    )

    @Option(help: "The host name or address to listen on.")
    var host: String = "127.0.0.1"

    @Option(help: "The port to listen on; 0 lets the system choose.")
    var port: Int = 3000

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

    @Flag(help: "Log what happens to connections.")
    var verbose = false

    func validate() throws {
        guard (0...65535).contains(self.port) else { throw ValidationError("--port must be from 0 to 65535.") }
        if let threads = self.threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads must be from 1 to 1024.")
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
        if let threads = self.threads { configuration.engine.eventLoopCount = threads }
        let page = ChatPage(client: client)
        configuration.engine.fallback = { request in page.answer(request) }

        let io = SocketIOServer(configuration: configuration, logger: logger)
        let chat = Chat(io: io, adminToken: token)
        chat.start()
        let service = ServeService(io: io, lines: self.lines(token: token, client: client))
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: service)],
                gracefulShutdownSignals: [.sigint, .sigterm],
                logger: logger
            )
        )
        do {
            try await group.run()
        } catch {
            throw CommandFailure("socketio: \(Self.explain(error, host: self.host, port: self.port))")
        }
    }

    private func lines(token: String, client: ClientLibrary) -> [String] {
        var lines: [String] = []
        if self.adminToken == nil { lines.append("Admin token: \(token)") }
        lines.append("JavaScript client: \(client.description)")
        lines.append("Press Control-C to stop.")
        return lines
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
        return "can't listen on \(host), port \(port): \(error)"
    }
}

/// Opens the port, says where, and serves until the group shuts down.
private struct ServeService: Service {
    let io: SocketIOServer
    let lines: [String]

    func run() async throws {
        let address: SocketAddress
        do {
            address = try await self.io.start()
        } catch {
            await self.io.close()
            throw error
        }
        let host = address.ipAddress.map { $0.contains(":") ? "[\($0)]" : $0 } ?? "localhost"
        print("Chat: http://\(host):\(address.port ?? 0)/")
        for line in self.lines { print(line) }
        flushStandardOutput()
        try? await gracefulShutdown()
        await self.io.close()
    }
}
