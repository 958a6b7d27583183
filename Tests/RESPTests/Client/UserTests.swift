import NIOCore
import RESP
import TestSupport
import Testing

/// Passwords, users, and what they may do.
struct UserTests {
    @Test(arguments: [RESPConfiguration.ProtocolVersion.two, .three])
    func password(version: RESPConfiguration.ProtocolVersion) async throws {
        var options = RedisServer.Options()
        options.password = "s3cr:t"
        try await withRedis(options) { server in
            try await withClient(
                "redis://:s3cr%3At@127.0.0.1:\(server.port)", configure: { $0.protocolVersion = version }
            ) { client in
                #expect(try await client.send(.text("PING")) == .text("PONG"))
                let listener = Listener(client, RedisChannel(.channel, "news"))
                try await listener.waitUntilReady()
            }
        }
    }

    @Test(arguments: [RESPConfiguration.ProtocolVersion.two, .three])
    func user(version: RESPConfiguration.ProtocolVersion) async throws {
        var options = RedisServer.Options()
        options.acl = ["user default off", "user alice on >secret ~* &* +@all"]
        try await withRedis(options) { server in
            try await withClient(
                "redis://alice:secret@127.0.0.1:\(server.port)", configure: { $0.protocolVersion = version }
            ) { client in
                let name = try await client.send(.text("ACL", "WHOAMI"))
                #expect(name == .text("alice"))
            }
        }
    }

    @Test func aWrongPasswordIsTriedAgainAndLoggedOnce() async throws {
        var options = RedisServer.Options()
        options.password = "right"
        try await withRedis(options) { server in
            let proxy = try await FaultyProxy.start(toPort: server.port)
            let log = LogLines()
            try await withClient(
                "redis://:wrong@127.0.0.1:\(proxy.port)",
                configure: { $0.backoff = .init(minimum: .milliseconds(1), maximum: .milliseconds(5)) },
                logger: log.logger
            ) { client in
                let reply = Awaited<Result<[RedisValue], RedisError>?>(nil)
                try client.send([.text("PING")]) { result in reply.update { $0 = result } }
                try await eventually("some attempts") { proxy.acceptedCount > 5 }
                #expect(client.state == .connecting)
                #expect(reply.value == nil)
                #expect(log.count(of: "WRONGPASS") == 1)
                #expect(log.lines.value.allSatisfy { !$0.contains("wrong@") })
                try await server.command("CONFIG", "SET", "requirepass", "wrong")
                let result = try await reply.wait("a reply") { $0 }
                #expect(try result.get() == [.text("PONG")])
                try await client.waitForState(.connected)
            }
            await proxy.stop()
        }
    }

    /// Users of Redis 7 may use no channels unless they are named.
    @Test func whoMayNotProbeHearsAllTheSame() async throws {
        var options = RedisServer.Options()
        options.acl = ["user default on nopass ~* &* +@all", "user bob on >secret ~* resetchannels &news +@all"]
        try await withRedis(options) { server in
            let log = LogLines()
            try await withClient(
                "redis://bob:secret@127.0.0.1:\(server.port)",
                configure: {
                    $0.probeInterval = .milliseconds(20)
                    // Within it the refusal must come.
                    $0.probeTimeout = .seconds(5)
                    $0.backoff = .init(minimum: .milliseconds(1), maximum: .milliseconds(20))
                }, logger: log.logger
            ) { client in
                let listener = Listener(client, RedisChannel(.channel, "news"))
                try await listener.waitUntilReady()
                try await log.wait(for: "probe")
                for index in 0..<20 {
                    _ = try await client.send(.text("PUBLISH", "news", "\(index)"))
                    try await listener.wait(for: "\(index)")
                }
                #expect(client.state == .connected)
                #expect(log.count(of: "probe") == 1)
                // What is refused is asked for until it is allowed.
                let other = Listener(client, RedisChannel(.channel, "other"))
                try await log.wait(for: "refused a subscription")
                #expect(other.heard.value.ready == 0)
                try await server.command("ACL", "SETUSER", "bob", "&other")
                try await other.waitUntilReady()
                try client.publish("forbidden", "x")
                try client.publish("forbidden", "x")
                try await log.wait(for: "refused a command")
                _ = try await client.send(.text("PING"))
                #expect(log.count(of: "refused a command") == 1)
            }
        }
    }

    /// Without probes, a connection for subscriptions that is dead but open is noticed by its silence.
    @Test(arguments: [RESPConfiguration.ProtocolVersion.two, .three])
    func silenceIsNoticedWithoutProbes(version: RESPConfiguration.ProtocolVersion) async throws {
        var options = RedisServer.Options()
        options.acl = ["user default on nopass ~* &* +@all", "user bob on >secret ~* resetchannels &news +@all"]
        try await withRedis(options) { server in
            let proxy = try await FaultyProxy.start(toPort: server.port)
            try await withClient(
                "redis://bob:secret@127.0.0.1:\(proxy.port)",
                configure: {
                    $0.protocolVersion = version
                    $0.probeInterval = .milliseconds(20)
                    $0.commandTimeout = .milliseconds(500)
                    $0.backoff = .init(minimum: .milliseconds(1), maximum: .milliseconds(20))
                }
            ) { client in
                let listener = Listener(client, RedisChannel(.channel, "news"))
                try await listener.waitUntilReady()
                let connection = try await proxy.connection(thatSent: "SUBSCRIBE")
                // The answers to pings are no harm.
                try await eventually("pings") {
                    let stats = try await server.command("INFO", "commandstats").text ?? ""
                    return stats.contains("cmdstat_ping:calls=") && client.state.isUsable
                }
                connection.stop(.toClient)
                try await listener.waitUntilReady(2)
                try await eventually("the subscription hears") {
                    try await server.command("PUBLISH", "news", "again")
                    return listener.heard.value.texts.contains("again")
                }
            }
            await proxy.stop()
        }
    }
}
