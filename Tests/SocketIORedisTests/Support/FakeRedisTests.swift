import NIOCore
import RESP
import Synchronization
import TestSupport
import Testing

/// The fake behaves as Redis does, where the adapters rely on it.
@Suite struct FakeRedisTests {
    private func texts(_ value: RedisValue) -> [String] { value.elements?.map { $0.text ?? "\($0.int ?? -1)" } ?? [] }

    @Test func publishAndSubscribe() async throws {
        let redis = FakeRedis()
        let one = redis.client("one")
        let two = redis.client("two")
        one.start()
        two.start()
        let heard = Awaited<[String]>([])
        let subscription = two.subscribe(
            to: [RedisChannel(.pattern, "a#*"), RedisChannel(.channel, "b"), RedisChannel(.shard, "a#s")],
            onReady: { heard.update { $0.append("ready") } }
        ) { message in
            heard.update { $0.append("\(message.source.name) \(message.channel) \(String(buffer: message.payload))") }
        }
        try await heard.wait("readiness") { $0 == ["ready"] ? true : nil }
        #expect(try await one.send(RedisCommand("PUBLISH", "a#x", "1")).int == 1)
        #expect(try await one.send(RedisCommand("PUBLISH", "b", "2")).int == 1)
        #expect(try await one.send(RedisCommand("PUBLISH", "a", "3")).int == 0)
        #expect(try await one.send(RedisCommand("SPUBLISH", "a#s", "4")).int == 1)
        try await redis.settle()
        #expect(heard.value == ["ready", "a#* a#x 1", "b b 2", "a#s a#s 4"])
        #expect(self.texts(try await one.send(RedisCommand("PUBSUB", "NUMSUB", "b", "c"))) == ["b", "1", "c", "0"])
        #expect(self.texts(try await one.send(RedisCommand("PUBSUB", "SHARDNUMSUB", "a#s"))) == ["a#s", "1"])
        #expect(self.texts(try await one.send(RedisCommand("PUBSUB", "CHANNELS", "?"))) == ["b"])
        #expect(self.texts(try await one.send(RedisCommand("PUBSUB", "SHARDCHANNELS", "a*"))) == ["a#s"])

        two.set(.held)
        _ = try await one.send(RedisCommand("PUBLISH", "b", "5"))
        try await redis.settle()
        #expect(two.heldCount == 1 && heard.value.last == "a#s a#s 4")
        two.set(.normal)
        try await redis.settle()
        #expect(heard.value.last == "b b 5")

        two.set(.away)
        #expect(two.state == .degraded)
        #expect(try await one.send(RedisCommand("PUBLISH", "b", "lost")).int == 0)
        async let kept = two.send(RedisCommand("PUBSUB", "NUMSUB", "b"))
        try await eventually("the command is kept") { two.keptCount == 1 }
        two.set(.up)
        #expect(self.texts(try await kept) == ["b", "1"])
        try await redis.settle()
        #expect(two.state == .recovered && heard.value.last == "ready")
        two.set(.refusing)
        await #expect(throws: RedisError.self) { try await two.send(RedisCommand("PING")) }
        two.set(.up)

        subscription.cancel()
        #expect(try await one.send(RedisCommand("PUBLISH", "b", "6")).int == 0)
        let log = redis.takeLog().filter { $0.client == "two" && $0.name.hasSuffix("SUBSCRIBE") }.map(\.texts)
        #expect(
            log == [
                ["PSUBSCRIBE", "a#*"], ["SUBSCRIBE", "b"], ["SSUBSCRIBE", "a#s"],
                ["PUNSUBSCRIBE", "a#*"], ["UNSUBSCRIBE", "b"], ["SUNSUBSCRIBE", "a#s"],
            ])
    }

    @Test(arguments: [
        ("a*", "abc", true), ("a?c", "abc", true), ("a[a-c]c", "abc", true), ("a[^b]c", "abc", false),
        ("a\\*c", "abc", false), ("a\\*c", "a*c", true), ("*#/#*", "k#/#r#", true), ("", "", true), ("*", "", true),
        ("a\\[b\\]", "a[b]", true), ("abc", "ab", false),
    ]) func globs(_ pattern: String, _ text: String, _ matches: Bool) {
        #expect(Glob.matches(pattern, text) == matches)
    }

    @Test func streamsAndStrings() async throws {
        let redis = FakeRedis()
        let client = redis.client()
        client.start()
        let first = try await client.send(RedisCommand("XADD", "s", "MAXLEN", "~", "2", "*", "k", "1")).text
        let second = try await client.send(RedisCommand("XADD", "s", "*", "k", "2")).text
        #expect(try await client.send(RedisCommand("XLEN", "s")).int == 2)
        let from = "(\(first ?? "")"
        let rest = try await client.send(RedisCommand("XRANGE", "s", from, "+")).elements
        #expect(rest?.first?.elements?.first?.text == second)
        let last = try await client.send(RedisCommand("XREVRANGE", "s", "+", "-", "COUNT", "1")).elements
        #expect(last?.count == 1 && last?.first?.elements?.first?.text == second)
        async let blocked = client.sendBlocking(RedisCommand("XREAD", "BLOCK", "0", "STREAMS", "s", "$"))
        try await eventually("a reader waits") { redis.state.withLock { $0.readers.count == 1 } }
        let third = try await client.send(RedisCommand("XADD", "s", "MAXLEN", "2", "*", "k", "3")).text
        let reply = try await blocked.elements
        #expect(reply?.first?.text == "s" && reply?[1].elements?.first?.elements?.first?.text == third)
        #expect(try await client.send(RedisCommand("XLEN", "s")).int == 2)
        #expect(
            try await client.sendBlocking(RedisCommand("XREAD", "BLOCK", "1", "STREAMS", "s", "$")) == .null)

        let replies = try await client.send([
            RedisCommand("SET", "k", "v", "PX", "100000"), RedisCommand("MULTI"), RedisCommand("GET", "k"),
            RedisCommand("DEL", "k"), RedisCommand("EXEC"), RedisCommand("GET", "k"),
        ])
        #expect(replies[4] == .array([.string(ByteBuffer(string: "v")), .integer(1)]))
        #expect(replies[5] == .null)
    }
}
