import Foundation
import TestSupport
import Testing

/// `socketio serve`, as a user starts it.
@Suite(.serialized)
struct ServeCommandTests {
    @Test
    func chatPageInBrowsers() async throws {
        let tools = try InteropTools.find()
        let (server, port) = try await Self.serve("--admin-token", "t0ken", "--client-dir", tools.clientDirectory)
        try await tools.run("SIO_PYTHON", "browser/chat.py", "\(port)", "t0ken", "--serves-client")
        try await Self.stop(server)
    }

    @Test
    func chatPageWithTheClientFromTheCDN() async throws {
        let tools = try InteropTools.find()
        let (server, port) = try await Self.serve("--admin-token", "t0ken")
        try await tools.run("SIO_PYTHON", "browser/chat.py", "\(port)", "t0ken")
        try await Self.stop(server)
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func signalsDisconnectTheClientsAndEndWithZero(signal: Int32) async throws {
        let (server, port) = try await Self.serve()
        let client = try await SIOClient.open(EIOOptions(port: port, transport: .websocket))
        try await client.connect()
        server.signal(signal)
        let closed = try await client.session.waitForClose()
        #expect(closed.reason == "transport close")
        #expect(try await server.waitForExit() == .exited(0))
    }

    @Test
    func aPortInUseIsOneLineAndStatusOne() async throws {
        let (server, port) = try await Self.serve()
        let second = try ServerProcess(try Self.executable, ["serve", "--port", "\(port)"])
        _ = try await second.waitForLine(containing: "in use")
        #expect(try await second.waitForExit() == .exited(1))
        let lines = second.lines.filter { $0.stream == .error }.map(\.text)
        #expect(lines == ["Error: socketio: port \(port) of 127.0.0.1 is in use by another program"])
        try await Self.stop(server)
    }

    @Test
    func metricsAndHealthOnAPortOfTheirOwn() async throws {
        let (server, port) = try await Self.serve("--metrics-port", "0")
        let line = try await server.waitForLine(containing: "Metrics: http://")
        let metricsPort = try #require(Int(line.split(separator: ":").last?.prefix { $0.isNumber } ?? ""))
        let client = try await SIOClient.open(EIOOptions(port: port, transport: .websocket))
        try await client.connect()
        let http = HTTPClient1(port: metricsPort)
        try await eventually("a session among the metrics") {
            let text = try await http.request("GET", "/metrics").text
            return try PrometheusParser.parse(text).value("socketio_sessions", ["transport": "websocket"]) == 1
        }
        #expect(try await http.request("GET", "/health").status == 200)
        // Those of clients are not for those who watch.
        #expect(try await HTTPClient1(port: port).request("GET", "/metrics").status == 404)
        await client.close()
        try await Self.stop(server)
    }

    @Test(arguments: [true, false])
    func clientsOfSocketIO2(isAllowed: Bool) async throws {
        let (server, port) = isAllowed ? try await Self.serve("--allow-eio3") : try await Self.serve()
        let reply = try await HTTPClient1(port: port).request("GET", "/socket.io/?EIO=3&transport=polling")
        #expect(reply.status == (isAllowed ? 200 : 400), "\(reply)")
        try await Self.stop(server)
    }

    private static let badOptions: [([String], Int32)] = [
        (["--port", "70000"], 64), (["--port", "x"], 64), (["--threads", "0"], 64), (["--metrics-port", "-1"], 64),
        (["--nonsense"], 64),
        (["--admin-token", ""], 64), (["--client-dir", "/nowhere/at/all"], 1), (["--client-dir", "/"], 1),
    ]

    @Test(arguments: Self.badOptions)
    func badOptionsEndWithAStatus(arguments: [String], status: Int32) async throws {
        let process = try ServerProcess(try Self.executable, ["serve"] + arguments)
        _ = try await process.waitForLine(containing: "Error: ")
        #expect(try await process.waitForExit() == .exited(status))
        #expect(process.lines.contains { $0.stream == .error && $0.text.hasPrefix("Error: ") })
    }

    // MARK: Starting

    static func serve(_ arguments: String...) async throws -> (ServerProcess, Int) {
        let process = try ServerProcess(try Self.executable, ["serve", "--port", "0"] + arguments)
        let line = try await process.waitForLine(containing: "Chat: http://", timeout: .seconds(30))
        let digits = line.split(separator: ":").last?.prefix { $0.isNumber } ?? ""
        return (process, try #require(Int(digits)))
    }

    static func stop(_ server: ServerProcess) async throws {
        server.signal(SIGTERM)
        #expect(try await server.waitForExit(timeout: .seconds(20)) == .exited(0))
    }

    /// The command stands beside the test bundle.
    static var executable: String {
        get throws {
            var directory = URL(fileURLWithPath: CommandLine.arguments.first ?? "")
            for _ in 0..<8 {
                directory.deleteLastPathComponent()
                let candidate = directory.appendingPathComponent("socketio").path
                if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
            }
            throw PeerError("the executable socketio was not built")
        }
    }
}
