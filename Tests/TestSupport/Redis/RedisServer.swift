import Foundation

/// A `redis-server` of its own on a free port of the loopback interface, without persistence.
///
/// It is killed, by its id, and its directory is removed when the last reference goes, if `stop()` was not called.
package final class RedisServer: Sendable {
    /// What a server is started with.
    package struct Options: Sendable {
        /// `requirepass`.
        package var password: String?
        /// Lines of an ACL file, such as `user alice on >secret ~* &* +@all`.
        package var acl: [String] = []
        /// Listens with TLS too, on `tlsPort`; clients need no certificate.
        package var certificates: TestCertificates?
        /// Listens on a socket in the file system too.
        package var hasUnixSocket = false
        /// Is a node for a cluster. Its bus is 10,000 above its port.
        package var isClusterNode = false
        /// The address that is listened on.
        package var host = "127.0.0.1"
        /// More arguments for the command line.
        package var arguments: [String] = []

        package init() {}
    }

    private struct State: Sendable {
        var process: ServerProcess
        var isPaused = false
    }

    package let options: Options
    package let port: Int
    /// 0 without TLS.
    package let tlsPort: Int
    /// For configuration, logs and the socket; removed at the end.
    package let directory: String
    private let state: Locked<State>

    package var socketPath: String { directory + "/redis.sock" }

    /// The URL without TLS, with the password if there is one.
    package var url: String {
        let host = options.host.contains(":") ? "[\(options.host)]" : options.host
        return "redis://" + (options.password.map { ":\($0)@" } ?? "") + "\(host):\(port)"
    }

    package var pid: Int32 { state.withLock { $0.process.pid } }

    private init(options: Options, port: Int, tlsPort: Int, directory: String, process: ServerProcess) {
        self.options = options
        self.port = port
        self.tlsPort = tlsPort
        self.directory = directory
        state = Locked(State(process: process))
    }

    deinit {
        state.withLock { $0.process }.signal(SIGKILL)
        try? FileManager.default.removeItem(atPath: directory)
    }

    // MARK: Starting

    /// Starts a server and waits until it answers.
    package static func start(_ options: Options = Options()) async throws -> RedisServer {
        var failure: any Error = PeerError("no free port")
        // Another process may take a port between the search and the start.
        for _ in 0..<5 {
            let port = try FreePorts.next(host: options.host, withBus: options.isClusterNode)
            let tlsPort = options.certificates == nil ? 0 : try FreePorts.next(host: options.host)
            // Short: the path of a socket may have about 100 bytes.
            let directory = NSTemporaryDirectory() + "redis-" + UUID().uuidString.prefix(8)
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
            do {
                let process = try spawn(options, port: port, tlsPort: tlsPort, directory: directory)
                let server = RedisServer(
                    options: options, port: port, tlsPort: tlsPort, directory: directory, process: process)
                try await server.waitUntilReady()
                return server
            } catch {
                failure = error
            }
        }
        throw failure
    }

    private static func spawn(
        _ options: Options, port: Int, tlsPort: Int, directory: String
    ) throws -> ServerProcess {
        var arguments = [
            "--port", "\(port)", "--bind", options.host, "--dir", directory, "--save", "", "--appendonly", "no",
            "--daemonize", "no", "--protected-mode", "no", "--loglevel", "notice",
        ]
        if let password = options.password { arguments += ["--requirepass", password] }
        if !options.acl.isEmpty {
            let path = directory + "/users.acl"
            try options.acl.map { $0 + "\n" }.joined().write(toFile: path, atomically: true, encoding: .utf8)
            arguments += ["--aclfile", path]
        }
        if let certificates = options.certificates {
            arguments += [
                "--tls-port", "\(tlsPort)", "--tls-cert-file", certificates.certificate, "--tls-key-file",
                certificates.key, "--tls-ca-cert-file", certificates.authority, "--tls-auth-clients", "no",
            ]
        }
        if options.hasUnixSocket { arguments += ["--unixsocket", directory + "/redis.sock"] }
        if options.isClusterNode {
            arguments += ["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf"]
        }
        let program = ProcessInfo.processInfo.environment["SIO_REDIS_SERVER"] ?? "redis-server"
        return try ServerProcess("/usr/bin/env", [program] + arguments + options.arguments)
    }

    private func waitUntilReady() async throws {
        try await eventually("redis-server to answer on port \(port)", timeout: .seconds(60)) {
            let process = state.withLock { $0.process }
            if let status = process.status {
                throw PeerError("redis-server ended with \(status): \(process.lines.suffix(5).map(\.text))")
            }
            guard let connection = try? await connect() else { return false }
            // It may want a password: that is an answer too.
            guard let reply = try? await connection.command(["PING"]) else { return false }
            // Not someone else who listens there.
            return reply == .simple("PONG") || reply.errorText?.hasPrefix("NOAUTH") == true
        }
    }

    // MARK: Speaking

    /// A connection that shares no code with the client under test, without a password.
    package func connect() async throws -> RawRedis {
        RawRedis(try await RawConnection.connect(host: options.host, port: port))
    }

    /// Sends one command over a connection of its own, after the password if there is one.
    ///
    /// - Throws: `PeerError` when the reply is an error.
    @discardableResult
    package func command(_ arguments: String...) async throws -> RawRedisReply {
        let connection = try await connect()
        if let password = options.password { _ = try await connection.command(["AUTH", password]) }
        let reply = try await connection.command(arguments)
        if let error = reply.errorText { throw PeerError("\(arguments.joined(separator: " ")): \(error)") }
        return reply
    }

    package func flushAll() async throws { try await command("FLUSHALL") }

    /// How many clients are connected, the one that asks not counted. Those that closed lately may be among them.
    package func clientCount() async throws -> Int {
        let list = try await command("CLIENT", "LIST").text ?? ""
        return list.split(separator: "\n").count - 1
    }

    // MARK: Ending

    /// Ends the server in order and removes its directory.
    package func stop() async throws {
        resume()
        let process = state.withLock { $0.process }
        try await process.stop()
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Ends it with SIGKILL.
    package func kill() async throws {
        let process = state.withLock { $0.process }
        process.signal(SIGKILL)
        try await process.waitForExit()
    }

    /// Lets it do nothing (SIGSTOP); the kernel goes on accepting connections.
    package func pause() {
        state.withLock { $0.isPaused = true }
        state.withLock { $0.process }.signal(SIGSTOP)
    }

    package func resume() {
        let process = state.withLock { state -> ServerProcess? in
            defer { state.isPaused = false }
            return state.isPaused ? state.process : nil
        }
        process?.signal(SIGCONT)
    }

    /// Ends it if it runs, and starts it on the same port with no data.
    package func restart() async throws {
        let process = state.withLock { $0.process }
        if process.status == nil {
            process.signal(SIGKILL)
            try await process.waitForExit()
        }
        let next = try Self.spawn(options, port: port, tlsPort: tlsPort, directory: directory)
        state.withLock { $0 = State(process: next) }
        try await waitUntilReady()
    }
}

/// Runs a body with a server, which is stopped afterwards.
package func withRedis(
    _ options: RedisServer.Options = .init(), isolation: isolated (any Actor)? = #isolation,
    _ body: (RedisServer) async throws -> Void
) async throws {
    let server = try await RedisServer.start(options)
    do {
        try await body(server)
    } catch {
        try? await server.stop()
        throw error
    }
    try await server.stop()
}
