import Logging
import NIOCore
import NIOPosix
import NIOSSL
import RESP
import TestSupport
import Testing

/// One server that behaves.
struct ClientTests {
    @Test(arguments: [RESPConfiguration.ProtocolVersion.automatic, .two, .three])
    func commandsAndMessages(version: RESPConfiguration.ProtocolVersion) async throws {
        try await withRedis { server in
            try await withClient(server.url, configure: { $0.protocolVersion = version }) { client in
                #expect(try await client.send(.text("SET", "key", "value")) == .text("OK"))
                #expect(try await client.send(.text("GET", "key")) == .text("value"))
                #expect(client.state == .connected)
                let listener = Listener(client, RedisChannel(.channel, "news"), RedisChannel(.pattern, "new*"))
                try await listener.waitUntilReady()
                try client.publish("news", "hello")
                try await listener.heard.wait("both") { $0.messages.count == 2 ? () : nil }
                #expect(Set(listener.heard.value.messages.map(\.source.kind)) == [.channel, .pattern])
                #expect(listener.heard.value.messages.map(\.channel) == ["news", "news"])
                try await eventually("two connections") { try await server.clientCount() == 2 }
                // A first subscription is no disturbance.
                #expect(client.state == .connected)
            }
            try await eventually("no connection is left") { try await server.clientCount() == 0 }
        }
    }

    @Test func repliesOfAllKinds() async throws {
        try await withRedis { server in
            for version in [RESPConfiguration.ProtocolVersion.two, .three] {
                try await withClient(server.url, configure: { $0.protocolVersion = version }) { client in
                    let replies = try await client.send([
                        .text("DEL", "hash", "none"), .text("HSET", "hash", "a", "1"), .text("HGETALL", "hash"),
                        .text("GET", "none"), .text("NOSUCH"), .text("MGET", "none", "none"),
                    ])
                    #expect(replies.count == 6)
                    #expect(replies[1] == .integer(1))
                    #expect(replies[2].elements == [.text("a"), .text("1")])
                    #expect(replies[3] == .null)
                    guard case .error(let message) = replies[4] else {
                        Issue.record("no error")
                        return
                    }
                    #expect(message.hasPrefix("ERR unknown command"))
                    #expect(replies[5] == .array([.null, .null]))
                    await #expect {
                        try await client.send(.text("NOSUCH"))
                    } throws: { ($0 as? RedisError)?.code == .redis }
                    #expect(try await client.send([]) == [])
                    #expect(try await client.sendToAllNodes(.text("DBSIZE")) == [.integer(1)])
                    await #expect {
                        try await client.sendToAllNodes(.text("NOSUCH"))
                    } throws: { ($0 as? RedisError)?.code == .redis }
                }
            }
        }
    }

    @Test func tenThousandCommandsOfSeveralTasksKeepTheirOrder() async throws {
        try await withRedis { server in
            try await withClient(server.url) { client in
                let (tasks, each) = (8, 1250)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for task in 0..<tasks {
                        group.addTask {
                            let lengths = Awaited<[Int]>([]) { "\($0.count) replies" }
                            for index in 0..<each {
                                try client.send([.text("RPUSH", "list-\(task)", "\(index)")]) { result in
                                    lengths.update { $0.append((try? result.get())?.first?.int ?? -1) }
                                }
                            }
                            let got = try await lengths.wait("all replies", timeout: .seconds(30)) {
                                $0.count == each ? $0 : nil
                            }
                            #expect(got == Array(1...each))
                            let list = try await client.send(.text("LRANGE", "list-\(task)", "0", "-1"))
                            #expect(list.elements?.compactMap(\.int) == Array(0..<each))
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test func largeValues() async throws {
        try await withRedis { server in
            try await withClient(server.url) { client in
                let value = ByteBuffer(bytes: (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0) })
                let set = RedisCommand(arguments: [ByteBuffer(string: "SET"), ByteBuffer(string: "key"), value])
                _ = try await client.send(set)
                #expect(try await client.send(.text("GET", "key")).bytes == value)
            }
        }
    }

    @Test func database() async throws {
        try await withRedis { server in
            for version in [RESPConfiguration.ProtocolVersion.two, .three] {
                try await withClient(server.url + "/3", configure: { $0.protocolVersion = version }) { client in
                    _ = try await client.send(.text("SET", "key", "\(version)"))
                }
                let raw = try await server.connect()
                #expect(try await raw.command(["GET", "key"]) == .null)
                _ = try await raw.command(["SELECT", "3"])
                #expect(try await raw.command(["GET", "key"]) == .bulk("\(version)"))
            }
        }
    }

    @Test func serverThatKnowsOnlyVersion2() async throws {
        var options = RedisServer.Options()
        options.arguments = ["--rename-command", "HELLO", ""]
        try await withRedis(options) { server in
            try await withClient(server.url, configure: { $0.clientName = "tester" }) { client in
                #expect(try await client.send(.text("CLIENT", "GETNAME")) == .text("tester"))
                let listener = Listener(client, RedisChannel(.channel, "news"))
                try await listener.waitUntilReady()
                try client.publish("news", "hello")
                try await listener.wait(for: "hello")
            }
        }
    }

    // MARK: Connections

    @Test func encrypted() async throws {
        var options = RedisServer.Options()
        let certificates = try await TestCertificates.make()
        options.certificates = certificates
        try await withRedis(options) { server in
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .file(certificates.authority)
            for host in ["localhost", "127.0.0.1"] {
                try await withClient("rediss://\(host):\(server.tlsPort)", configure: { $0.tls = tls }) { client in
                    #expect(try await client.send(.text("PING")) == .text("PONG"))
                    let listener = Listener(client, RedisChannel(.channel, "news"))
                    try await listener.waitUntilReady()
                    try client.publish("news", "hello")
                    try await listener.wait(for: "hello")
                }
            }
            // An authority that nobody knows.
            let log = LogLines()
            try await withClient("rediss://localhost:\(server.tlsPort)", logger: log.logger) { client in
                try await log.wait(for: "CERTIFICATE_VERIFY_FAILED")
                #expect(client.state == .connecting)
            }
        }
    }

    @Test func unixSocket() async throws {
        var options = RedisServer.Options()
        options.hasUnixSocket = true
        try await withRedis(options) { server in
            try await withClient("unix://\(server.socketPath)?db=2") { client in
                let info = try await client.send(.text("CLIENT", "INFO")).text
                #expect(info?.contains("db=2") == true)
            }
        }
    }

    @Test(.enabled(if: FreePorts.isAvailable(host: "::1"), "this machine has no ::1")) func ipv6() async throws {
        var options = RedisServer.Options()
        options.host = "::1"
        try await withRedis(options) { server in
            try await withClient(server.url) { client in
                let reply = try await client.send(.text("PING"))
                #expect(reply == .text("PONG"))
            }
        }
    }

    @Test func sharedConnection() async throws {
        try await withRedis { server in
            for version in [RESPConfiguration.ProtocolVersion.two, .three] {
                try await withClient(
                    server.url,
                    configure: {
                        $0.sharesConnection = true
                        $0.protocolVersion = version
                    }
                ) { client in
                    let listener = Listener(client, RedisChannel(.channel, "news"))
                    try await listener.waitUntilReady()
                    // Commands and messages on one connection do not disturb each other.
                    for index in 0..<100 {
                        #expect(try await client.send(.text("PUBLISH", "news", "\(index)")) == .integer(1))
                    }
                    try await listener.wait(for: "99")
                    #expect(listener.heard.value.texts == (0..<100).map { "\($0)" })
                    // Those of the client before it may take a moment to go.
                    try await eventually("one connection, or two") {
                        try await server.clientCount() == (version == .three ? 1 : 2)
                    }
                    await #expect(throws: RedisError.self) { try await client.sendBlocking(.text("NOSUCH")) }
                    try await eventually("one more") {
                        try await server.clientCount() == (version == .three ? 2 : 3)
                    }
                }
            }
        }
    }

    // MARK: Commands that block

    @Test func blocking() async throws {
        try await withRedis { server in
            try await withClient(server.url) { client in
                async let popped = client.sendBlocking(.text("BLPOP", "list", "0"))
                try await eventually("BLPOP waits") {
                    try await server.command("CLIENT", "LIST").text?.contains("cmd=blpop") == true
                }
                // Others do not wait for it.
                _ = try await client.send(.text("RPUSH", "list", "a"))
                #expect(try await popped.elements == [.text("list"), .text("a")])
                let entry = try await client.send(.text("XADD", "stream", "*", "a", "b"))
                let read = try await client.sendBlocking(
                    RedisCommand("XREAD", "COUNT", "10", "BLOCK", "5000", "STREAMS", "stream", "0", keyIndex: 6))
                #expect("\(read)".contains("\(entry)"))
                await #expect {
                    try await client.sendBlocking(.text("BLPOP"))
                } throws: { ($0 as? RedisError)?.code == .redis }
                try await eventually("two connections") { try await server.clientCount() == 2 }
            }
        }
    }

    @Test func blockingCommandsGoOneAtATime() async throws {
        try await withRedis { server in
            try await withClient(server.url) { client in
                async let first = client.sendBlocking(.text("BLPOP", "first", "0"))
                try await eventually("BLPOP waits") {
                    try await server.command("CLIENT", "LIST").text?.contains("cmd=blpop") == true
                }
                async let second = client.sendBlocking(.text("BLPOP", "second", "0"))
                _ = try await client.send(.text("RPUSH", "second", "2"))
                _ = try await client.send(.text("RPUSH", "first", "1"))
                #expect(try await first.elements?.last == .text("1"))
                #expect(try await second.elements?.last == .text("2"))
            }
        }
    }

    @Test func cancellingABlockingCommand() async throws {
        try await withRedis { server in
            try await withClient(server.url) { client in
                let task = Task { try await client.sendBlocking(.text("BLPOP", "list", "0")) }
                try await eventually("BLPOP waits") {
                    try await server.command("CLIENT", "LIST").text?.contains("cmd=blpop") == true
                }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                try await eventually("Redis does not wait any longer") {
                    try await server.command("CLIENT", "LIST").text?.contains("cmd=blpop") == false
                }
                // What is pushed now is not lost to the one who has gone.
                _ = try await client.send(.text("RPUSH", "list", "a"))
                #expect(try await client.sendBlocking(.text("BLPOP", "list", "0")).elements?.last == .text("a"))
                let early = Task { try await client.sendBlocking(.text("BLPOP", "list", "0")) }
                early.cancel()
                await #expect(throws: CancellationError.self) { try await early.value }
            }
        }
    }

    // MARK: The end

    @Test func shutdown() async throws {
        try await withRedis { server in
            let client = try RESPClient(url: server.url, logger: .silent)
            client.start()
            let states = Task { await client.states().reduce(into: []) { $0.append($1) } }
            let listener = Listener(client, RedisChannel(.channel, "news"))
            try await listener.waitUntilReady()
            try await client.waitForState(.connected)
            let popped = Task { try await client.sendBlocking(.text("BLPOP", "list", "0")) }
            try await eventually("BLPOP waits") {
                try await server.command("CLIENT", "LIST").text?.contains("cmd=blpop") == true
            }
            server.pause()
            let results = Awaited<[RedisError.Code]>([])
            for _ in 0..<3 {
                try client.send([.text("PING")]) { result in
                    if case .failure(let error) = result { results.update { $0.append(error.code) } }
                }
            }
            try await withTimeout { await client.shutdown() }
            #expect(results.value == [.closed, .closed, .closed])
            await #expect { try await popped.value } throws: { ($0 as? RedisError)?.code == .closed }
            #expect(client.state == .closed)
            let seen = try await withTimeout { await states.value }
            #expect(seen.last == .closed)
            #expect(seen.contains(.connected))
            #expect { try client.send([.text("PING")], completion: nil) } throws: {
                ($0 as? RedisError)?.code == .closed
            }
            await #expect { try await client.sendBlocking(.text("PING")) } throws: {
                ($0 as? RedisError)?.code == .closed
            }
            await #expect { try await client.sendToAllNodes(.text("PING")) } throws: {
                ($0 as? RedisError)?.code == .closed
            }
            #expect(try await withTimeout { await client.states().reduce(into: []) { $0.append($1) } } == [.closed])
            listener.cancel()
            // Again, and starting afterwards, does nothing.
            await client.shutdown()
            client.start()
            server.resume()
            try await eventually("no connection is left") { try await server.clientCount() == 0 }
        }
    }

    @Test func shutdownWithoutAServer() async throws {
        let client = try RESPClient(url: "redis://127.0.0.1:\(try FreePorts.next())", logger: .silent)
        let result = Awaited<RedisError.Code?>(nil)
        client.start()
        try client.send([.text("PING")]) { if case .failure(let error) = $0 { result.update { $0 = error.code } } }
        let all = Task { try await client.sendToAllNodes(.text("PING")) }
        let blocking = Task { try await client.sendBlocking(.text("PING")) }
        try await withTimeout { await client.shutdown() }
        #expect(result.value == .closed)
        await #expect(throws: RedisError.self) { try await all.value }
        await #expect(throws: RedisError.self) { try await blocking.value }
        // One that was never started.
        let idle = try RESPClient(url: "redis://127.0.0.1", logger: .silent)
        try await withTimeout { await idle.shutdown() }
    }

    @Test func aClientThatIsReleasedClosesItsConnections() async throws {
        try await withRedis { server in
            var client: RESPClient? = try RESPClient(url: server.url, logger: .silent)
            client?.start()
            let subscription = client?.subscribe(to: [RedisChannel(.channel, "a")], onReady: nil) { _ in }
            try await eventually("two connections") { try await server.clientCount() == 2 }
            client = nil
            try await eventually("no connection is left") { try await server.clientCount() == 0 }
            subscription?.cancel()
        }
    }

    @Test func asAService() async throws {
        try await withRedis { server in
            let client = try RESPClient(url: server.url, logger: .silent)
            let task = Task { try await client.run() }
            #expect(try await client.send(.text("PING")) == .text("PONG"))
            task.cancel()
            try await withTimeout { try await task.value }
            #expect(client.state == .closed)
        }
    }

    @Test func loopsThatHaveEnded() async throws {
        try await withRedis { server in
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            let client = try RESPClient(url: server.url, logger: .silent, group: group)
            client.start()
            #expect(try await client.send(.text("PING")) == .text("PONG"))
            let listener = Listener(client, RedisChannel(.channel, "a"))
            await client.shutdown()
            try await group.shutdownGracefully()
            listener.cancel()
            await client.shutdown()
            for await state in client.states() { #expect(state == .closed) }
        }
    }
}
