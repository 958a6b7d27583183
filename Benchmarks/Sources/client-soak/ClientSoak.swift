import ArgumentParser
import Foundation
import SocketIOClient
import Synchronization

@main
struct ClientSoak: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "client-soak",
        abstract: "Many clients over restarts of their server; the process has nothing but clients.",
        discussion: """
            Starts the server, kills and starts it again at random moments. Each client sends numbered events with \
            retries and expects each acknowledged, in order. Prints the memory after each restart. Status 1: something \
            was lost.

              client-soak --clients 500 --restarts 20 --port 3000 bench-server --port 3000
            """
    )

    @Option(help: "How many clients. Default 500.")
    var clients = 500

    @Option(help: "How often the server is killed. Default 20.")
    var restarts = 20

    @Option(help: "Most seconds between two restarts. Default 5.")
    var pause = 5.0

    @Option(help: "The port on loopback that the server listens on.")
    var port: Int

    @Argument(parsing: .captureForPassthrough, help: "The server's program and its arguments.")
    var server: [String]

    func run() async throws {
        var process = try self.startServer()
        defer { process.terminate() }
        // Who comes before it listens says so in the log.
        try await Task.sleep(for: .seconds(1))
        let progress = ProgressTable(self.clients)
        var clients: [SocketIOClient] = []
        for number in 0..<self.clients {
            var configuration = SocketIOClientConfiguration()
            configuration.transports = number % 3 == 0 ? [.websocket] : [.polling, .websocket]
            configuration.upgrade = number % 3 != 1
            configuration.retries = .max
            configuration.ackTimeout = .seconds(5)
            configuration.reconnection.delay = .milliseconds(50)
            configuration.reconnection.maxDelay = .seconds(1)
            configuration.forceNew = true
            clients.append(SocketIOClient("http://127.0.0.1:\(self.port)", configuration: configuration))
        }
        print("\(clients.count) clients, \(Self.residentKiB() >> 10) MiB")
        let sent = try await withThrowingTaskGroup(of: Int.self) { group in
            for (index, client) in clients.enumerated() {
                group.addTask {
                    var number = 0
                    while !progress.isOver {
                        // One at a time: what waits would be memory of this program, not of the client.
                        let answer = try? await client.emitWithAck("echo-ack", "\(number)", as: String.self)
                        progress.acknowledged(index, number, isRight: answer == "\(number)")
                        number += 1
                        try await Task.sleep(for: .milliseconds(Int.random(in: 50..<500)))
                    }
                    return number
                }
            }
            for restart in 1...max(1, self.restarts) {
                try await Task.sleep(for: .seconds(Double.random(in: 0.5...max(0.6, self.pause))))
                kill(process.processIdentifier, SIGKILL)
                process.waitUntilExit()
                process = try self.startServer()
                print("restart \(restart): \(Self.residentKiB() >> 10) MiB, \(progress.total) events")
            }
            progress.end()
            return try await group.reduce(0, +)
        }
        let (total, wrong) = (progress.total, progress.wrong)
        print("\(sent) events, \(total) acknowledged in order, \(wrong) wrong, \(Self.residentKiB() >> 10) MiB")
        for client in clients { await client.disconnect() }
        if total != sent || wrong > 0 { throw ExitCode.failure }
    }

    private func startServer() throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: self.server.first ?? "")
        process.arguments = Array(self.server.dropFirst())
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    private static func residentKiB() -> Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line?.split(separator: " ").compactMap { Int($0) }.first ?? 0
    }
}

/// Which number of each client is next.
final class ProgressTable: Sendable {
    private let state: Mutex<(next: [Int], wrong: Int, isOver: Bool)>

    init(_ clients: Int) { self.state = Mutex((Array(repeating: 0, count: clients), 0, false)) }

    func end() { self.state.withLock { $0.isOver = true } }
    var isOver: Bool { self.state.withLock { $0.isOver } }

    func acknowledged(_ client: Int, _ number: Int, isRight: Bool) {
        self.state.withLock { state in
            if isRight, state.next[client] == number { state.next[client] += 1 } else { state.wrong += 1 }
        }
    }

    var total: Int { self.state.withLock { $0.next.reduce(0, +) } }
    var wrong: Int { self.state.withLock { $0.wrong } }
}
