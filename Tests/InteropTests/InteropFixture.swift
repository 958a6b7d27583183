import Foundation
import NIOCore
import SocketIO
import TestSupport

/// The server of `Clients/CONTRACT.md`.
struct InteropFixture {
    let io: SocketIOServer
    let port: Int

    static func start(
        eventLoops: Int, allowEIO3: Bool = false, parser: ParserChoice = .json
    ) async throws -> InteropFixture {
        var configuration = SocketIOConfiguration(port: 0)
        configuration.parser = parser
        configuration.engine.eventLoopCount = eventLoops
        configuration.engine.allowEIO3 = allowEIO3
        // Some clients go away without a word between two polls: their sessions end with the heartbeat.
        configuration.engine.pingInterval = .seconds(3)
        configuration.engine.pingTimeout = .seconds(15)
        let io = SocketIOServer(configuration: configuration)
        struct Credentials: Decodable { var token: String }
        io.of("/auth").use { socket in
            let token = try? socket.handshake.auth(as: Credentials.self).token
            guard token == "secret" else { throw ConnectError("not authorized", data: ["code": 401]) }
        }
        for name in ["/", "/custom", "/auth"] {
            let namespace = io.of(name)
            namespace.onConnection { socket in Self.serve(socket, in: namespace) }
        }
        let address = try await io.start()
        guard let port = address.port else { throw PeerError("the server has no port") }
        return InteropFixture(io: io, port: port)
    }

    private static func serve(_ socket: Socket, in namespace: Namespace) {
        socket.on("echo") { (arguments: Arguments) in socket.emit("echo", arguments: arguments.values) }
        socket.on("echo-ack") { (arguments: Arguments, reply: AckReply) in reply(arguments: arguments.values) }
        socket.on("ask") { (value: SocketIOValue) async throws -> Void in
            let answer: SocketIOValue = try await socket.emitWithAck("question", value, timeout: .seconds(30))
            socket.emit("answer", answer)
        }
        socket.on("join") { (room: String) in
            socket.join(Room(room))
            return "ok"
        }
        socket.on("leave") { (room: String) in
            socket.leave(Room(room))
            return "ok"
        }
        socket.on("room-say") { (room: String, text: String, except: String?) in
            namespace.in(Room(room)).except(except.map { [Room($0)] } ?? []).emit("said", text)
        }
        socket.on("room-data") { (room: String, value: SocketIOValue) in
            namespace.in(Room(room)).emit("data", value)
        }
        socket.on("to-room") { (room: String, text: String) in socket.to(Room(room)).emit("said", text) }
        socket.on("whoami") { socket.id }
        socket.on("kick") { (close: Bool) in socket.disconnect(close: close) }
        socket.on("binary-info") { (data: ByteBuffer) in
            Ack(data.readableBytes, data.getInteger(at: data.readerIndex, as: UInt8.self).map { Int($0) })
        }
    }
}

/// The programs and libraries that `scripts/install-test-dependencies` has installed.
struct InteropTools {
    let environment: [String: String]

    /// Throws with the script's own words when something is missing.
    static func find() throws -> InteropTools {
        let script = Self.root.appendingPathComponent("scripts/install-test-dependencies").path
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["bash", script, "--check", "--print-env"]
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let complaint = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw PeerError("run scripts/test: \(complaint)") }
        var environment = ["PYTHONDONTWRITEBYTECODE": "1"]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { environment[String(parts[0])] = String(parts[1]) }
        }
        return InteropTools(environment: environment)
    }

    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static let clients = Self.root.appendingPathComponent("Tests/InteropTests/Clients").path

    var clientDirectory: String { self.environment["SIO_JS_CLIENT_DIR"] ?? "" }

    /// Runs a client program; throws with its last words if it does not end with 0.
    func run(_ interpreter: String, _ arguments: String...) async throws {
        guard let program = self.environment[interpreter] else { throw PeerError("\(interpreter) is not known") }
        let process = try ServerProcess(
            program, [Self.clients + "/" + arguments[0]] + arguments.dropFirst(), environment: self.environment)
        let status = try await process.waitForExit(timeout: .seconds(120))
        guard case .exited(0) = status else {
            let lines = process.lines.suffix(12).map(\.text).joined(separator: "\n")
            throw PeerError("\(arguments.joined(separator: " ")): \(status)\n\(lines)")
        }
    }
}
