import NIOCore
import RESP
import TestSupport
import Testing

/// One server that does not behave, or a network.
struct FaultTests {
    private static func quick(_ configuration: inout RESPConfiguration) {
        configuration.backoff = .init(minimum: .milliseconds(5), maximum: .milliseconds(50))
        configuration.connectTimeout = .seconds(3)
        configuration.probeInterval = .milliseconds(50)
        // Where silence is to be noticed it is less: a busy machine is silent too.
        configuration.probeTimeout = .seconds(60)
    }

    /// Collects the states of a client.
    private func record(_ client: RESPClient) -> Awaited<[RedisState]> {
        let seen = Awaited<[RedisState]>([]) { "\($0)" }
        let states = client.states()
        Task { for await state in states { seen.update { $0.append(state) } } }
        return seen
    }

    private func wait(_ seen: Awaited<[RedisState]>, for wanted: [RedisState]) async throws {
        try await seen.wait("\(wanted)", timeout: .seconds(60)) { seen in
            // They may repeat: a server that starts may fail once more.
            var rest = wanted[...]
            for state in seen where state == rest.first { rest = rest.dropFirst() }
            return rest.isEmpty ? () : nil
        }
    }

    @Test(arguments: [RESPConfiguration.ProtocolVersion.two, .three])
    func killAndRestartUnderLoad(version: RESPConfiguration.ProtocolVersion) async throws {
        try await withRedis { server in
            try await withClient(
                server.url,
                configure: {
                    Self.quick(&$0)
                    $0.protocolVersion = version
                }
            ) { client in
                let seen = self.record(client)
                let listener = Listener(client, RedisChannel(.channel, "news"), RedisChannel(.pattern, "p*"))
                try await listener.waitUntilReady()
                try await client.waitForState(.connected)
                _ = try await client.send(.text("SET", "old", "1"))
                let isLoading = Awaited(true)
                let outcomes = Awaited<[String: Int]>([:]) { "\($0)" }
                let load = Task {
                    var sent = 0
                    while isLoading.value {
                        for _ in 0..<20 {
                            sent += 1
                            do {
                                try client.send([.text("INCR", "count")]) { result in
                                    switch result {
                                    case .success: outcomes.update { $0["ok", default: 0] += 1 }
                                    case .failure(let error):
                                        outcomes.update { $0[error.code.rawValue, default: 0] += 1 }
                                    }
                                }
                            } catch {
                                outcomes.update { $0["rejected", default: 0] += 1 }
                            }
                        }
                        try await Task.sleep(for: .milliseconds(1))
                    }
                    return sent
                }
                try await outcomes.wait("load") { $0["ok", default: 0] > 200 ? () : nil }
                try await server.kill()
                try await client.waitForState(.degraded)
                // These were never written: they wait for the next server.
                let reply = Awaited<[RedisValue]?>(nil)
                try client.send([.text("SET", "buffered", "1")]) { result in reply.update { $0 = try? result.get() } }
                try await server.restart()
                #expect(try await reply.wait("the buffered command") { $0 } == [.text("OK")])
                try await listener.waitUntilReady(2)
                try await client.waitForState(.recovered)
                isLoading.update { $0 = false }
                let sent = try await load.value
                try await outcomes.wait("an outcome for each command", timeout: .seconds(60)) {
                    $0.values.reduce(0, +) == sent ? () : nil
                }
                #expect(Set(outcomes.value.keys).isSubset(of: ["ok", "connection_lost", "rejected"]))
                try await self.wait(seen, for: [.connected, .degraded, .recovered])
                // The data are gone, the subscriptions are not.
                #expect(try await client.send(.text("GET", "old")) == .null)
                try await server.command("PUBLISH", "news", "again")
                try await listener.wait(for: "again")
                try await server.command("PUBLISH", "p1", "pattern")
                try await listener.wait(for: "pattern")
            }
        }
    }

    @Test func startsBeforeRedis() async throws {
        let server = try await RedisServer.start()
        try await server.kill()
        let log = LogLines()
        try await withClient(server.url, configure: Self.quick, logger: log.logger) { client in
            let listener = Listener(client, RedisChannel(.channel, "news"))
            let reply = Awaited<[RedisValue]?>(nil)
            try client.send([.text("PING")]) { result in reply.update { $0 = try? result.get() } }
            try await log.wait(for: "Connection refused")
            #expect(client.state == .connecting)
            try await server.restart()
            #expect(try await reply.wait("a reply") { $0 } == [.text("PONG")])
            try await listener.waitUntilReady()
            try await client.waitForState(.connected)
        }
        try await server.stop()
    }

    @Test func aServerThatIsStoppedForAWhile() async throws {
        try await withRedis { server in
            try await withClient(
                server.url,
                configure: {
                    Self.quick(&$0)
                    $0.connectTimeout = .milliseconds(500)
                    $0.commandTimeout = .milliseconds(500)
                    $0.probeTimeout = .milliseconds(500)
                }
            ) { client in
                let seen = self.record(client)
                let listener = Listener(client, RedisChannel(.channel, "news"))
                try await listener.waitUntilReady()
                // Or once more, when this machine was too slow for it.
                try await client.waitForState(.connected, .recovered)
                server.pause()
                await #expect {
                    try await client.send(.text("PING"))
                } throws: { ($0 as? RedisError)?.code == .timeout }
                try await client.waitForState(.degraded)
                server.resume()
                try await client.waitForState(.recovered)
                try await self.wait(seen, for: [.connected, .degraded, .recovered])
                try await eventually("an answer in time") {
                    (try? await client.send(.text("PING"))) == .text("PONG")
                }
                // Whether its connection was renewed or not, it hears.
                try await eventually("the subscription hears") {
                    try await server.command("PUBLISH", "news", "again")
                    return listener.heard.value.texts.contains("again")
                }
            }
        }
    }

    /// What a connection has sent that was given up may still be under way. It must not be executed after what the next
    /// connection sends.
    @Test(arguments: [RESPConfiguration.ProtocolVersion.two, .three])
    func aConnectionThatWasGivenUpSaysNothingMore(version: RESPConfiguration.ProtocolVersion) async throws {
        try await withRedis { server in
            let proxy = try await FaultyProxy.start(toPort: server.port)
            try await withClient(
                "redis://127.0.0.1:\(proxy.port)",
                configure: {
                    Self.quick(&$0)
                    $0.protocolVersion = version
                    // The next connection must be there before it.
                    $0.commandTimeout = .seconds(3)
                }
            ) { client in
                try await client.waitForState(.connected)
                let connection = try #require(proxy.connections.first)
                connection.hold()
                await #expect {
                    try await client.send(.text("RPUSH", "list", "late"))
                } throws: { ($0 as? RedisError)?.code == .timeout }
                #expect(try await client.send(.text("RPUSH", "list", "next")) == .integer(1))
                connection.release()
                try await eventually("Redis ends the first connection") { connection.isClosed }
                #expect(try await client.send(.text("LRANGE", "list", "0", "-1")).elements == [.text("next")])
            }
            await proxy.stop()
        }
    }

    @Test func aReplyThatIsCutInTheMiddle() async throws {
        try await withRedis { server in
            let proxy = try await FaultyProxy.start(toPort: server.port)
            try await withClient(
                "redis://127.0.0.1:\(proxy.port)",
                configure: {
                    Self.quick(&$0)
                    // The bytes that are counted are those of the reply.
                    $0.probeInterval = .seconds(60)
                }
            ) { client in
                let value = String(repeating: "x", count: 100_000)
                _ = try await client.send(.text("SET", "key", value))
                for count in [1, 5, 1000, 65_537] {
                    try await proxy.connection(thatSent: "HELLO").cut(afterBytesToClient: count)
                    await #expect {
                        try await client.send(.text("GET", "key"))
                    } throws: { ($0 as? RedisError)?.code == .connectionLost }
                    #expect(try await client.send(.text("GET", "key")).text == value)
                }
            }
            await proxy.stop()
        }
    }

    @Test(arguments: [RESPConfiguration.ProtocolVersion.two, .three], [false, true])
    func aDeafSubscriptionIsNoticedAndRenewed(
        version: RESPConfiguration.ProtocolVersion, isSilent: Bool
    ) async throws {
        try await withRedis { server in
            let proxy = try await FaultyProxy.start(toPort: server.port)
            try await withClient(
                "redis://127.0.0.1:\(proxy.port)",
                configure: {
                    Self.quick(&$0)
                    $0.protocolVersion = version
                    $0.commandTimeout = .seconds(60)
                    $0.probeTimeout = .seconds(1)
                }
            ) { client in
                let seen = self.record(client)
                let listener = Listener(client, RedisChannel(.channel, "news"))
                try await listener.waitUntilReady()
                // Or once more, when this machine was too slow for a probe.
                try await client.waitForState(.connected, .recovered)
                let connection = try await proxy.connection(thatSent: "SUBSCRIBE")
                // Its probe is confirmed.
                _ = try await proxy.connection(thatSent: "PUBLISH")
                if isSilent {
                    connection.stop(.toClient)
                } else {
                    // Subscriptions are confirmed and other messages come, which proves nothing.
                    connection.filter { direction, text in direction == .toServer || !text.contains("probe") }
                }
                try await self.wait(seen, for: [.connected, .degraded, .recovered])
                try await eventually("the deaf connection is closed") { connection.isClosed }
                try await listener.waitUntilReady(2)
                try await eventually("the subscription hears") {
                    try await server.command("PUBLISH", "news", "again")
                    return listener.heard.value.texts.contains("again")
                }
            }
            await proxy.stop()
        }
    }

    @Test func aSubscriptionThatHearsIsLeftAlone() async throws {
        try await withRedis { server in
            let proxy = try await FaultyProxy.start(toPort: server.port)
            try await withClient(
                "redis://127.0.0.1:\(proxy.port)",
                configure: {
                    $0.probeInterval = .milliseconds(5)
                    // Longer than a busy machine may be silent, and shorter than the test.
                    $0.probeTimeout = .seconds(4)
                }
            ) { client in
                let plain = Listener(client, RedisChannel(.channel, "news"))
                let shard = Listener(client, RedisChannel(.shard, "news"))
                try await plain.waitUntilReady()
                try await shard.waitUntilReady()
                let begin = ContinuousClock.now
                try await eventually("many probes, for longer than one may take", timeout: .seconds(60)) {
                    let stats = try await server.command("INFO", "commandstats").text ?? ""
                    return ContinuousClock.now - begin > .seconds(5) && Self.calls(of: "publish", in: stats) > 300
                        && Self.calls(of: "spublish", in: stats) > 100
                }
                #expect(proxy.acceptedCount == 2)
                #expect(client.state == .connected)
                #expect(plain.heard.value.ready == 1)
            }
            await proxy.stop()
        }
    }

    private static func calls(of command: String, in stats: String) -> Int {
        let prefix = "cmdstat_\(command):calls="
        guard let line = stats.split(whereSeparator: \.isNewline).first(where: { $0.hasPrefix(prefix) }) else {
            return 0
        }
        return Int(line.dropFirst(prefix.count).prefix { $0.isNumber }) ?? 0
    }

    @Test func whatWaitsIsBounded() async throws {
        let port = try FreePorts.next()
        try await withClient("redis://127.0.0.1:\(port)", configure: { $0.maxBufferedBytes = 1000 }) { client in
            let command = RedisCommand.text("SET", "key", String(repeating: "x", count: 100))
            var accepted = 0
            while accepted < 100 {
                do throws(RedisError) {
                    try client.send([command], completion: nil)
                } catch {
                    #expect(error.code == .bufferFull)
                    break
                }
                accepted += 1
            }
            #expect(accepted == 7)
        }
    }

    @Test func whatIsAnsweredMakesRoom() async throws {
        try await withRedis { server in
            try await withClient(server.url, configure: { $0.maxBufferedBytes = 1000 }) { client in
                let value = String(repeating: "x", count: 800)
                for _ in 0..<50 {
                    // One fits, two don't.
                    try await eventually("there is room") {
                        (try? client.send([.text("APPEND", "key", value)], completion: nil)) != nil
                    }
                }
                try await eventually("all of it has arrived") {
                    try await server.command("STRLEN", "key") == .integer(50 * 800)
                }
            }
        }
    }

    /// What speaks no RESP is left, and tried again.
    @Test func aServerThatSpeaksSomethingElse() async throws {
        try await withRedis { server in
            let proxy = try await FaultyProxy.start(toPort: server.port)
            let log = LogLines()
            try await withClient("redis://127.0.0.1:\(proxy.port)", configure: Self.quick, logger: log.logger) {
                client in
                try await client.waitForState(.connected)
                let connection = try await proxy.connection(thatSent: "HELLO")
                connection.injectToClient("HTTP/1.1 400 Bad Request\r\n\r\n")
                try await log.wait(for: "protocol_violation")
                try await client.waitForState(.recovered)
                #expect(try await client.send(.text("PING")) == .text("PONG"))
            }
            await proxy.stop()
        }
    }
}
