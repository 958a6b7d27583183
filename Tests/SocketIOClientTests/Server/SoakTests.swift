import Foundation
import SocketIO
import TestSupport
import Testing

@testable import SocketIOClient

/// Many clients over restarts of their server, at random moments: every event arrives, in order, and nothing is left.
///
/// `SIO_SOAK_CLIENTS` and `SIO_SOAK_RESTARTS` make it longer: `SIO_SOAK_CLIENTS=500 SIO_SOAK_RESTARTS=20 swift test --filter SoakTests`
/// prints the memory after each restart.
@Suite(.serialized) struct SoakTests {
    /// What the servers have had of a client.
    private struct Received: Sendable {
        var next = 0
        var repeated = 0
        var gaps = 0
    }

    private static func number(_ name: String) -> Int? { ProcessInfo.processInfo.environment[name].flatMap { Int($0) } }

    @Test func restartsAtRandom() async throws {
        let count = Self.number("SIO_SOAK_CLIENTS") ?? 30
        let restarts = Self.number("SIO_SOAK_RESTARTS") ?? 5
        let isLong = Self.number("SIO_SOAK_RESTARTS") != nil
        let received = Awaited(Array(repeating: Received(), count: count))
        func makeSoakServer() -> SocketIOServer {
            let io = makeServer { $0.engine.pingInterval = .seconds(5) }
            io.onConnection { socket in
                socket.on("n") { (client: Int, number: Int) in
                    received.update { received in
                        if number == received[client].next {
                            received[client].next += 1
                        } else if number < received[client].next {
                            received[client].repeated += 1
                        } else {
                            received[client].gaps += 1
                        }
                    }
                    return true
                }
            }
            return io
        }
        var io = makeSoakServer()
        let port = try await startAtAFreePort(io)
        var clients: [SocketIOClient] = []
        for number in 0..<count {
            var configuration = Way.allCases[number % 3].configuration
            configuration.retries = .max
            configuration.ackTimeout = .seconds(5)
            configuration.requestTimeout = .seconds(5)
            configuration.reconnection.delay = .milliseconds(20)
            configuration.reconnection.maxDelay = .milliseconds(500)
            clients.append(SocketIOClient("http://127.0.0.1:\(port)", configuration: configuration))
        }
        let isOver = Flag()
        let traffic = clients.indices.map { index in
            let client = clients[index]
            return Task {
                var sent = 0
                while !isOver.isSet {
                    for _ in 0..<3 {
                        client.emit("n", index, sent)
                        sent += 1
                    }
                    try? await Task.sleep(for: .milliseconds(Int.random(in: 20..<200) * max(1, count / 50)))
                }
                return sent
            }
        }
        var memory: [Int] = []
        for restart in 0..<restarts {
            // Restarts at any moment are the point, be it before a client is back.
            try await Task.sleep(for: .milliseconds(Int.random(in: 50..<(isLong ? 3000 : 400))))
            await io.close(timeout: restart % 2 == 0 ? .zero : .milliseconds(200))
            io = makeSoakServer()
            try await listen(io, port)
            memory.append(Self.residentBytes() >> 20)
            if isLong { print("soak: \(restart + 1) restarts, \(memory[restart]) MiB") }
        }
        isOver.set()
        var sent: [Int] = []
        for task in traffic { sent.append(await task.value) }
        let all = sent
        try await eventually("all has arrived", timeout: .seconds(isLong ? 600 : 60)) {
            received.update { received in zip(received, all).allSatisfy { $0.next == $1 } }
        }
        let total = received.update { $0 }
        #expect(total.allSatisfy { $0.gaps == 0 })
        if isLong {
            print(
                "soak: \(all.reduce(0, +)) events of \(count) clients, \(total.reduce(0) { $0 + $1.repeated }) repeated, \(memory) MiB"
            )
        }

        let remains = clients.map { Remains($0) }
        for client in clients {
            await client.disconnect()
            #expect(try await client.pendingCount == 0)
            #expect(client.core.handlers.count == 0)
        }
        clients = []
        try await eventually("nothing is left") { remains.allSatisfy(\.isEmpty) }
        try await eventually("the server is left") { io.connectionCount == 0 }
        await io.close(timeout: .seconds(1))
        if isLong { print("soak: \(Self.residentBytes() >> 20) MiB at the end") }
    }

    private final class Remains: @unchecked Sendable {
        weak var core: ClientNamespace?
        weak var manager: Manager?

        init(_ client: SocketIOClient) {
            self.core = client.core
            self.manager = client.core.manager
        }

        var isEmpty: Bool { self.core == nil && self.manager == nil }
    }

    private static func residentBytes() -> Int {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
