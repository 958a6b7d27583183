import Logging
import RESP
import SocketIO
import SocketIOClient
import Synchronization
import TestSupport
import Testing

/// Clients whose connections are cut again and again while several tasks send them numbers: each must come once and in order.
struct RecoveryStress {
    /// A client behind a proxy that cuts its connections, with all that it has got.
    final class Peer: Sendable {
        let proxy: FaultyProxy
        let client: SocketIOClient
        /// The numbers that have come, by their senders.
        private let numbers = Mutex<[String: [Int]]>([:])
        private let returns = Mutex<[RecoveryFailure?]>([])

        init(_ port: Int, _ transports: [SocketIOClientConfiguration.Transport], handshakes: Int) async throws {
            self.proxy = try await FaultyProxy.start(toPort: port)
            var configuration = SocketIOClientConfiguration()
            configuration.reconnection.delay = .milliseconds(1)
            configuration.reconnection.maxDelay = .milliseconds(20)
            configuration.logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            configuration.transports = transports
            configuration.forceNew = true
            configuration.autoConnect = false
            self.client = SocketIOClient("http://127.0.0.1:\(self.proxy.port)", configuration: configuration)
            self.client.on("n") { [weak self] (sender: String, number: Int, _: String) in
                self?.numbers.withLock { $0[sender, default: []].append(number) }
            }
            self.client.onConnect { [weak self] in
                guard let self else { return }
                let failure = self.client.recovered ? nil : self.client.recoveryFailure ?? .init(rawValue: "anew")
                self.returns.withLock { $0.append(failure) }
            }
            try await self.client.connect(timeout: .seconds(30))
        }

        var received: [String: [Int]] { self.numbers.withLock { $0 } }
        var count: Int { self.numbers.withLock { $0.values.reduce(0) { $0 + $1.count } } }
        func count(of sender: String) -> Int { self.numbers.withLock { $0[sender]?.count ?? 0 } }
        /// How the connections behind the first one began: nil, or why the client could not go on.
        var ends: [RecoveryFailure?] { Array(self.returns.withLock { $0 }.dropFirst()) }

        func end() async {
            await self.client.disconnect()
            await self.proxy.stop()
        }
    }

    var peerCount = 3
    /// At least.
    var numbersPerSender = 300
    var leastReturns = 4
    var transports: [SocketIOClientConfiguration.Transport] = [.websocket]

    /// - Parameters:
    ///   - servers: Those that send. Each has a task for all, one for a room and, for each client, one for it alone.
    ///   - cut: Called again and again until all is sent; cuts connections.
    func run(
        _ servers: [SocketIOServer],
        port: Int,
        cut: @escaping @Sendable (Peer, Int) async throws -> Void = { peer, _ in peer.proxy.closeAll() }
    ) async throws {
        for server in servers { server.onConnection { socket in if !socket.recovered { socket.join("room") } } }
        var peers: [Peer] = []
        for index in 0..<self.peerCount {
            peers.append(try await Peer(port, self.transports, handshakes: index))
        }
        let all = peers
        let isSent = Awaited(false)
        /// How many numbers each sender has sent.
        let sent = Awaited<[String: Int]>([:])
        let ids = all.map { $0.client.id ?? "" }
        let (count, leastReturns) = (self.numbersPerSender, self.leastReturns)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await withTaskGroup(of: Void.self) { senders in
                    for (index, server) in servers.enumerated() {
                        func send(
                            _ name: String, to peers: [Peer] = all,
                            _ body: @escaping @Sendable (String, Int) -> Void
                        ) {
                            senders.addTask {
                                let sender = "\(name) of \(index)"
                                var number = 0
                                // The load lasts as long as there are too few cuts.
                                while number < count
                                    || number < 50 * count && all.contains(where: { $0.ends.count < leastReturns })
                                {
                                    body(sender, number)
                                    number += 1
                                    // No faster than clients take it: else they lag more behind than is kept.
                                    while number % 5 == 0 {
                                        try? await Task.sleep(for: .milliseconds(5))
                                        let slowest = peers.map { $0.count(of: sender) }.min() ?? 0
                                        if number - slowest < 200 || Task.isCancelled { break }
                                    }
                                }
                                let total = number
                                sent.update { $0[sender] = total }
                            }
                        }
                        send("all") { server.emit("n", $0, $1) }
                        send("room") { server.to("room").emit("n", $0, $1) }
                        for (peer, id) in ids.enumerated() {
                            let socket = server.main.socket(id: id)
                            send("one \(peer)", to: [all[peer]]) { sender, number in
                                if let socket {
                                    socket.emit("n", sender, number)
                                } else {
                                    server.to(Room(id)).emit("n", sender, number)
                                }
                            }
                        }
                    }
                }
                isSent.update { $0 = true }
            }
            for peer in all {
                group.addTask {
                    var round = 0
                    while !isSent.value {
                        let goal = peer.count + Int.random(in: 1...120)
                        try await eventually("more comes", timeout: .seconds(30)) {
                            peer.count >= goal || isSent.value
                        }
                        try await cut(peer, round)
                        round += 1
                    }
                }
            }
            try await group.waitForAll()
        }
        for (index, peer) in all.enumerated() {
            let expected = sent.value.filter { !$0.key.hasPrefix("one") || $0.key.hasPrefix("one \(index) ") }
            let total = expected.values.reduce(0, +)
            do {
                try await eventually("all numbers come", timeout: .seconds(30)) { peer.count >= total }
            } catch {
                Issue.record("\(peer.count) of \(total) numbers have come, and now it is \(peer.client.state)")
            }
            let received = peer.received
            #expect(Set(received.keys) == Set(expected.keys))
            for (sender, numbers) in received {
                // Not compared inside: the lists would be printed.
                let isRight = numbers == Array(0..<(expected[sender] ?? 0))
                #expect(isRight, "\(sender): \(Self.difference(numbers, expected[sender] ?? 0))")
            }
            #expect(peer.ends.allSatisfy { $0 == nil }, "\(peer.ends.compactMap { $0 })")
            #expect(peer.ends.count >= leastReturns)
        }
        for peer in all { await peer.end() }
    }

    private static func difference(_ numbers: [Int], _ count: Int) -> String {
        var seen: [Int: Int] = [:]
        for number in numbers { seen[number, default: 0] += 1 }
        let missing = (0..<count).filter { seen[$0] == nil }
        let twice = seen.filter { $0.value > 1 }.keys.sorted()
        return "missing \(missing.prefix(10)), twice \(twice.prefix(10)), sorted \(numbers == numbers.sorted())"
    }
}

/// A server at which clients may come back.
func recoveringServer(
    _ recovery: ConnectionStateRecovery = .init(),
    adapter: AdapterFactory? = nil,
    configure: (inout SocketIOConfiguration) -> Void = { _ in }
) -> SocketIOServer {
    var configuration = SocketIOConfiguration()
    configuration.engine.eventLoopCount = 2
    configuration.engine.closeTimeout = .seconds(1)
    configuration.connectionStateRecovery = recovery
    configuration.onError = { _, _ in }
    if let adapter { configuration.adapter = adapter }
    configure(&configuration)
    return SocketIOServer(configuration: configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
}

/// Waits until a server knows of all servers. A question that was not answered in time is asked again: the machine may be busy.
func allAreCounted(_ server: SocketIOServer, _ count: Int) async throws {
    try await eventually("all servers are counted") {
        (try? await server.main.adapter.serverCount()) == count
    }
}

/// Runs a test with servers of a cluster that have a Redis client each, and their ports.
func withRecoveringServers(
    _ count: Int,
    _ url: String,
    recovery: ConnectionStateRecovery = .init(),
    isolation: isolated (any Actor)? = #isolation,
    _ factory: (any RedisClient) -> AdapterFactory,
    _ body: ([SocketIOServer], [Int]) async throws -> Void
) async throws {
    let clients = try (0..<count).map { _ in try realClient(url) }
    let servers = clients.map { recoveringServer(recovery, adapter: factory($0)) }
    let result: Result<Void, any Error>
    do {
        var ports: [Int] = []
        for server in servers { ports.append(try #require(try await server.start(port: 0).port)) }
        for server in servers {
            try await allAreCounted(server, count)
        }
        result = .success(try await body(servers, ports))
    } catch {
        result = .failure(error)
    }
    for server in servers { await server.close(timeout: .milliseconds(500)) }
    for client in clients { await client.shutdown() }
    try result.get()
}
