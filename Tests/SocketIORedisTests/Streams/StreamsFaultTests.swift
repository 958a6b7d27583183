import NIOCore
import RESP
import SocketIO
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIORedis

/// Redis goes away and comes back: nothing is lost, nothing comes twice, and the order is kept.
@Suite struct StreamsFaultTests {
    /// Waits for `count` events of each sender, and checks that each came once and in order.
    static func expectNumbers(
        _ count: Int, of senders: Int, at clients: [SIOClient]
    ) async throws {
        for (index, client) in clients.enumerated() {
            var next = Array(repeating: 0, count: senders)
            for _ in 0..<(count * senders) {
                let event = try await client.nextEvent(timeout: .seconds(60))
                let sender = try #require(event.arguments.int(0))
                let number = try #require(event.arguments.int(1))
                guard number == next[sender] else {
                    Issue.record("client \(index) got \(number) of sender \(sender) instead of \(next[sender])")
                    return
                }
                next[sender] += 1
            }
            #expect(next == Array(repeating: count, count: senders))
        }
    }

    /// Each server sends numbered broadcasts.
    static func sendNumbers(_ count: Int, from nodes: [TestNode]) async {
        await withTaskGroup(of: Void.self) { group in
            for (sender, node) in nodes.enumerated() {
                group.addTask {
                    for number in 0..<count {
                        node.io.emit("n", sender, number)
                        if number % 10 == 9 { await Task.yield() }
                    }
                }
            }
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func connectionsBreakByChance(_ seed: UInt64) async throws {
        let redis = FakeRedis()
        let flaky = (0..<3).map { FlakyRedis(redis.client("\($0)"), seed: seed * 10 + UInt64($0)) }
        let options = RedisStreamsAdapterOptions(readCount: 7)
        try await withNodes(flaky.map { RedisStreamsAdapter.factory($0, options: options) }) { nodes in
            var clients: [SIOClient] = []
            for node in nodes { clients.append(try await node.client()) }
            for client in flaky { client.set(writes: 40, reads: 20) }
            await Self.sendNumbers(400, from: nodes)
            try await Self.expectNumbers(400, of: 3, at: clients)
            #expect(flaky.allSatisfy { $0.losses.batches > 0 })
            #expect(nodes.allSatisfy { $0.errors.value.isEmpty })
        }
    }

    @Test func partOfABatchIsLost() async throws {
        let redis = FakeRedis()
        let flaky = FlakyRedis(redis.client("A"))
        let factories = [
            RedisStreamsAdapter.factory(flaky), RedisStreamsAdapter.factory(redis.client("B")),
        ]
        try await withNodes(factories) { nodes in
            let clients = [try await nodes[0].client(), try await nodes[1].client()]
            // The first is alone, the others wait for it and are mostly one batch, of which two are executed.
            flaky.loseNext(executed: 1)
            flaky.loseNext(executed: 2)
            flaky.loseNext(executed: 0)
            for number in 0..<6 { nodes[0].io.emit("n", 0, number) }
            try await Self.expectNumbers(6, of: 1, at: clients)
            #expect(flaky.losses.batches == 3)
            #expect((1...3).contains(flaky.losses.executed))
            try await eventually("all is written") { try nodes[0].streams().unwrittenCount == 0 }
            #expect(redis.state.withLock { $0.streams["socket.io"]?.entries.count } == 6)
        }
    }

    /// Of what waits while Redis is away nothing is lost, and the own clients don't wait.
    @Test func awayAndBack() async throws {
        let redis = FakeRedis()
        let away = redis.client("A")
        let factories = [RedisStreamsAdapter.factory(away), RedisStreamsAdapter.factory(redis.client("B"))]
        try await withNodes(factories) { nodes in
            let clients = [try await nodes[0].client(), try await nodes[1].client()]
            away.set(.away)
            for number in 0..<20 { nodes[0].io.emit("n", 0, number) }
            try await Self.expectNumbers(20, of: 1, at: [clients[0]])
            // What is joined here is in force at once.
            nodes[0].io.socketsJoin("room")
            nodes[0].io.local.to("room").emit("local")
            _ = try await clients[0].expectEvent("local")
            for number in 0..<20 { nodes[1].io.emit("n", 0, number) }
            try await Self.expectNumbers(20, of: 1, at: [clients[1]])
            #expect(clients[0].pendingEvents() == 0)
            away.set(.up)
            try await Self.expectNumbers(20, of: 1, at: clients)
            try await eventually("the others have joined too") {
                nodes[1].io.local.hasMembers("room")
            }
            #expect(nodes[0].errors.value.isEmpty)
        }
    }

    /// Redis is restarted without its data: what is written from then on is read from its beginning.
    @Test func emptyDataSet() async throws {
        let redis = FakeRedis()
        let clients = [redis.client("A"), redis.client("B")]
        // Ids are times: those of the new stream are none of the old one's.
        clients[0].start()
        _ = try await clients[0].send(RedisCommand("XADD", "socket.io", "1000-0", "nsp", "/none"))
        try await withNodes(clients.map { RedisStreamsAdapter.factory($0) }) { nodes in
            let listeners = [try await nodes[0].client(), try await nodes[1].client()]
            await StreamsFaultTests.sendNumbers(30, from: nodes)
            try await Self.expectNumbers(30, of: 2, at: listeners)
            for client in clients { client.set(.away) }
            _ = redis.takeLog()
            redis.endReaders()
            redis.state.withLock { $0.streams = [:] }
            // Both have noticed.
            try await redis.log.wait("both to look for the end of the stream") { log in
                Set(log.filter { $0.name == "XREVRANGE" }.map(\.client)) == ["A", "B"] ? true : nil
            }
            // The ids begin anew: smaller than those that were read.
            clients[1].set(.up)
            nodes[1].io.emit("n", 1, 0)
            try await Self.expectEvent(1, 0, at: listeners[1])
            try await eventually("it is written") {
                redis.state.withLock { $0.streams["socket.io"]?.entries.count } == 1
            }
            clients[0].set(.up)
            try await Self.expectEvent(1, 0, at: listeners[0])
            nodes[0].io.emit("n", 0, 0)
            try await Self.expectEvent(0, 0, at: listeners[0])
            try await Self.expectEvent(0, 0, at: listeners[1])
        }
    }

    private static func expectEvent(_ sender: Int, _ number: Int, at client: SIOClient) async throws {
        let arguments = try await client.expectEvent("n")
        #expect(arguments.int(0) == sender && arguments.int(1) == number)
    }

    /// More than has room is reported, and still delivered here.
    @Test func bound() async throws {
        let redis = FakeRedis()
        let away = redis.client("A")
        let options = RedisStreamsAdapterOptions(maxBufferedBytes: 10_000)
        try await withNodes([RedisStreamsAdapter.factory(away, options: options)]) { nodes in
            let client = try await nodes[0].client()
            away.set(.refusing)
            let text = String(repeating: "x", count: 1000)
            for number in 0..<20 { nodes[0].io.emit("n", 0, number, text) }
            try await Self.expectNumbers(20, of: 1, at: [client])
            let waiting = try nodes[0].streams().unwrittenCount
            #expect((1..<20).contains(waiting))
            #expect(nodes[0].errors.value.count == 20 - waiting)
            #expect(
                nodes[0].errors.value.allSatisfy { $0.contains("cluster_unavailable") && $0.contains("buffer_full") })
            away.set(.up)
            try await eventually("what had room is written") { try nodes[0].streams().unwrittenCount == 0 }
            #expect(redis.state.withLock { $0.streams["socket.io"]?.entries.count } == waiting)
        }
    }

    /// A message that the client never has room for is reported, and the others are written.
    @Test func largerThanTheClientKeeps() async throws {
        let redis = FakeRedis()
        let flaky = FlakyRedis(redis.client("A"))
        let factories = [RedisStreamsAdapter.factory(flaky), RedisStreamsAdapter.factory(redis.client("B"))]
        try await withNodes(factories) { nodes in
            let other = try await nodes[1].client()
            flaky.set(maxBytes: 5000)
            for number in 0..<10 { nodes[0].io.emit("n", 0, number, String(repeating: "x", count: 1000)) }
            nodes[0].io.emit("huge", String(repeating: "x", count: 5000))
            nodes[0].io.emit("end")
            try await Self.expectNumbers(10, of: 1, at: [other])
            _ = try await other.expectEvent("end")
            #expect(nodes[0].errors.value.count == 1)
            #expect(nodes[0].errors.value.allSatisfy { $0.contains("buffer_full") })
        }
    }

    @Test(arguments: ["MISCONF Redis is configured to save RDB snapshots", "OOM command not allowed", "LOADING Redis"])
    func isTriedAgain(_ message: String) { #expect(StreamWriter.isTemporary(message)) }

    @Test func isNotTriedAgain() { #expect(!StreamWriter.isTemporary("WRONGTYPE Operation against a key")) }

    /// What was emitted right before the end is written.
    @Test func closing() async throws {
        let redis = FakeRedis()
        let node = try await TestNode(RedisStreamsAdapter.factory(redis.client("A")))
        for number in 0..<1000 { node.io.emit("n", 0, number) }
        await node.close()
        #expect(redis.state.withLock { $0.streams["socket.io"]?.entries.count } == 1000)
        try await redis.settle()
        #expect(redis.subscribers(.channel).isEmpty)
        try await eventually("nobody reads") { redis.state.withLock { $0.readers.isEmpty } }
    }

    /// A namespace whose index is negative in the reference is read by Swift servers.
    @Test func negativeIndex() async throws {
        let redis = FakeRedis()
        let options = RedisStreamsAdapterOptions(streamCount: 3)
        let factories = [
            RedisStreamsAdapter.factory(redis.client("A"), options: options),
            RedisStreamsAdapter.factory(redis.client("B"), options: options),
        ]
        try await withNodes(factories) { nodes in
            let name = "/notifications"
            #expect(options.stream(of: name).contains("--"))
            for node in nodes { _ = node.server.of(name) }
            for node in nodes {
                try await eventually("both are counted") {
                    try await node.server.of(name).adapter.serverCount() == 2
                }
            }
            let client = try await nodes[1].client(name)
            nodes[0].server.of(name).emit("e", 1)
            let event = try await client.nextEvent(name)
            #expect(event.name == "e")
        }
    }

    /// Redis Cluster refuses to read streams of several nodes with one command.
    @Test func splitStreams() async throws {
        let redis = FakeRedis()
        let options = RedisStreamsAdapterOptions(streamCount: 4)
        let factories = (0..<2).map { index in
            RedisStreamsAdapter.factory(SlottedRedis(redis.client("\(index)")), options: options)
        }
        try await withNodes(factories) { nodes in
            let clients = [try await nodes[0].client(), try await nodes[1].client()]
            await Self.sendNumbers(50, from: nodes)
            try await Self.expectNumbers(50, of: 2, at: clients)
        }
    }
}

/// A client of a Redis Cluster where no two keys have the same slot.
private final class SlottedRedis: RedisClient {
    private let inner: FakeRedisClient

    init(_ inner: FakeRedisClient) { self.inner = inner }

    func start() { self.inner.start() }
    func shutdown() async { await self.inner.shutdown() }
    var state: RedisState { self.inner.state }
    func states() -> AsyncStream<RedisState> { self.inner.states() }
    func sendToAllNodes(_ command: RedisCommand) async throws -> [RedisValue] {
        try await self.inner.sendToAllNodes(command)
    }

    func send(
        _ commands: [RedisCommand],
        completion: (@Sendable (Result<[RedisValue], RedisError>) -> Void)?
    ) throws(RedisError) {
        try self.inner.send(commands, completion: completion)
    }

    func sendBlocking(_ command: RedisCommand) async throws -> RedisValue {
        // XREAD COUNT n BLOCK n STREAMS key id
        guard command.arguments.count == 8 else {
            throw RedisError(.redis, "CROSSSLOT Keys in request don't hash to the same slot")
        }
        return try await self.inner.sendBlocking(command)
    }

    func subscribe(
        to channels: [RedisChannel],
        onReady: (@Sendable () -> Void)?,
        onMessage: @escaping @Sendable (RedisMessage) -> Void
    ) -> any RedisSubscription {
        self.inner.subscribe(to: channels, onReady: onReady, onMessage: onMessage)
    }
}
