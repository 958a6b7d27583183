import Foundation
import Logging
import NIOCore
import RESP
import SocketIOCore
import SocketIOTesting
import TestSupport
import Testing

@testable import SocketIORedis

/// The classic adapter on a real Redis, with a client for each server.
@Suite(.serialized) struct ClassicRedisTests {
    @Test(arguments: AdapterSuite.Check.allCases) func threeServers(_ check: AdapterSuite.Check) async throws {
        try await withRedis { redis in
            let clients = try (0..<3).map { _ in try Self.client(redis.url, isPatient: true) }
            let suite = AdapterSuite(servers: 3, patience: defaultTimeout) { _ in
                clients.map { RedisAdapter.factory($0) }
            }
            try await suite.run(check)
            for client in clients { await client.shutdown() }
        }
    }

    /// - Parameter isPatient: It does not notice for long that a connection is silent.
    private static func client(_ url: String, isPatient: Bool = false) throws -> RESPClient {
        var configuration = RESPConfiguration()
        configuration.backoff = .init(minimum: .milliseconds(10), maximum: .milliseconds(100))
        configuration.probeInterval = isPatient ? .seconds(600) : .milliseconds(200)
        configuration.probeTimeout = isPatient ? .seconds(600) : .seconds(2)
        configuration.commandTimeout = isPatient ? .seconds(600) : .seconds(3)
        return try RESPClient(
            url: url, configuration: configuration,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// A server with a client of its own, and one client that has joined.
    private final class Node: Sendable {
        let redis: RESPClient
        let server: SocketIOServer
        let client: SIOClient
        let id: String

        init(_ url: String, isPatient: Bool) async throws {
            let redis = try ClassicRedisTests.client(url, isPatient: isPatient)
            self.redis = redis
            var configuration = SocketIOConfiguration()
            configuration.engine.eventLoopCount = 1
            configuration.adapter = RedisAdapter.factory(redis)
            configuration.onError = { _, _ in }
            self.server = SocketIOServer(
                configuration: configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let port = try #require(try await self.server.start(port: 0).port)
            self.client = try await SIOClient.open(EIOOptions(port: port, transport: .websocket))
            self.id = try await self.client.connect()
        }

        func end() async {
            await self.client.close()
            await self.server.close(timeout: .milliseconds(500))
            await self.redis.shutdown()
        }

        /// The numbers of the events "tick" that have come.
        func ticks() async throws -> [Int] {
            var ticks: [Int] = []
            while self.client.pendingEvents() > 0 {
                let event = try await self.client.nextEvent()
                if event.name == "tick", let number = event.arguments.int(0) { ticks.append(number) }
            }
            return ticks
        }
    }

    private func withNodes(
        _ count: Int, _ redis: RedisServer, url: (Int) -> String? = { _ in nil },
        _ body: ([Node]) async throws -> Void
    ) async throws {
        var nodes: [Node] = []
        for index in 0..<count {
            nodes.append(try await Node(url(index) ?? redis.url, isPatient: url(index) != nil))
        }
        do {
            for node in nodes {
                try await eventually("all are counted") { (try? await node.server.main.adapter.serverCount()) == count }
            }
            try await body(nodes)
        } catch {
            for node in nodes { await node.end() }
            throw error
        }
        for node in nodes { await node.end() }
    }

    /// What Redis refuses is told to the error hook, each time, and the own sockets have got it.
    @Test func redisRefusesToPublish() async throws {
        try await withRedis { redis in
            let client = try Self.client(redis.url, isPatient: true)
            let errors = Awaited<[String]>([])
            var configuration = SocketIOConfiguration()
            configuration.engine.eventLoopCount = 1
            configuration.adapter = RedisAdapter.factory(client)
            configuration.onError = { error, _ in errors.update { $0.append("\(error)") } }
            let server = SocketIOServer(
                configuration: configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let port = try #require(try await server.start(port: 0).port)
            let socket = try await SIOClient.open(EIOOptions(port: port, transport: .websocket))
            _ = try await socket.connect()
            try await eventually("a connection to Redis") { client.state.isUsable }
            _ = try await redis.command("ACL", "SETUSER", "default", "-publish")
            for event in ["one", "two"] {
                server.emit(event)
                _ = try await socket.expectEvent(event)
            }
            let seen = try await errors.wait("two reports") { $0.count == 2 ? $0 : nil }
            #expect(seen.allSatisfy { $0.hasPrefix("cluster_unavailable: ") && $0.contains("NOPERM") })
            await socket.close()
            await server.close(timeout: .milliseconds(500))
            await client.shutdown()
        }
    }

    /// What is done to Redis.
    enum Fault: String, CaseIterable, Sendable {
        case kill, pause, restart
    }

    /// Under load, the own sockets get everything in order all the time, those of the other server nothing twice, and what is
    /// sent after the recovery reaches all.
    @Test(arguments: Fault.allCases) func localDeliveryNeverStops(_ fault: Fault) async throws {
        try await withRedis { redis in
            try await self.withNodes(2, redis) { nodes in
                let sent = Awaited(0)
                let load = Task {
                    while !Task.isCancelled {
                        let number = sent.update { number -> Int in
                            number += 1
                            return number
                        }
                        nodes[0].server.emit("tick", number)
                        try await Task.sleep(for: .milliseconds(1))
                    }
                }
                func expectProgress(_ what: String) async throws {
                    let wanted = sent.value + 50
                    try await eventually("local delivery \(what)") { nodes[0].client.eventCount() >= wanted }
                }
                try await expectProgress("before")
                switch fault {
                case .kill: try await redis.kill()
                case .pause: redis.pause()
                case .restart: try await redis.restart()
                }
                if fault != .restart {
                    try await eventually("the client notices") { !nodes[0].redis.state.isUsable }
                }
                try await expectProgress("meanwhile")
                if fault != .restart {
                    let found = try await nodes[0].server.timeout(.milliseconds(300)).fetchSockets()
                    #expect(found.map(\.id) == [nodes[0].id] && found.missingServerCount == 1)
                }
                switch fault {
                case .kill: try await redis.restart()
                case .pause: redis.resume()
                case .restart: break
                }
                let before = nodes[1].client.eventCount()
                try await eventually("the other server hears again", timeout: .seconds(30)) {
                    nodes[1].client.eventCount() >= before + 50
                }
                load.cancel()
                _ = try? await load.value
                for node in nodes {
                    try await eventually("both are counted", timeout: .seconds(30)) {
                        (try? await node.server.main.adapter.serverCount()) == 2
                    }
                }
                try await eventually("all are found", timeout: .seconds(30)) {
                    Set(try await nodes[0].server.fetchSockets().map(\.id)) == Set(nodes.map(\.id))
                }
                var last = sent.value
                var (local, remote): ([Int], [Int]) = ([], [])
                // Redis may be taken for lost once more, on a machine that is slow: another one is sent then.
                try await eventually("the last event at both", timeout: .seconds(60)) {
                    last += 1
                    nodes[0].server.emit("tick", last)
                    for _ in 0..<100 {
                        local += try await nodes[0].ticks()
                        remote += try await nodes[1].ticks()
                        if local.last == last, remote.last == last { return true }
                        try await Task.sleep(for: .milliseconds(20))
                    }
                    return false
                }
                #expect(local == Array(1...last))
                #expect(remote == remote.sorted() && Set(remote).count == remote.count)
            }
        }
    }

    /// A subscriber of the request channel that says nothing, and a server whose connection has gone silent, are named; the
    /// answers of the others come.
    @Test func partialAnswers() async throws {
        try await withRedis { redis in
            let proxy = try await FaultyProxy.start(toPort: redis.port)
            try await self.withNodes(3, redis, url: { $0 == 2 ? "redis://127.0.0.1:\(proxy.port)" : nil }) { nodes in
                let silent = try await redis.connect()
                for name in ["request", "response"] {
                    _ = try await silent.command(["SUBSCRIBE", "socket.io-\(name)#/#"])
                }
                _ = try await silent.command(["SUBSCRIBE", "socket.io-response#/#Silent#"])
                // Redis takes the third server for there, which hears nothing any more.
                for connection in proxy.connections { connection.stop(.toClient) }
                let adapter = try #require(nodes[2].server.main.adapter as? RedisAdapter)
                nodes[1].server.on("add") { (number: Int) in number + 1 }
                let server = nodes[0].server
                try await withGrowingLimit("the answers of the others") { limit -> Bool? in
                    async let asked: ClusterAnswer<Int> = server.timeout(limit).serverSideEmitWithAck("add", 1)
                    let found = try await server.timeout(limit).fetchSockets()
                    let sums = try await asked
                    guard found.count == 2, sums.count == 1,
                        found.missingServers.count == 2, sums.missingServers.count == 2
                    else { return nil }
                    #expect(Set(found.map(\.id)) == [nodes[0].id, nodes[1].id])
                    #expect(found.missingServerCount == 2 && Set(found.missingServers) == [adapter.uid, "Silent"])
                    #expect(sums.elements == [2])
                    #expect(Set(sums.missingServers) == [adapter.uid, "Silent"])
                    return true
                }
                await silent.close()
                await proxy.stop()
            }
        }
    }
}
