import NIOCore
import RESP
import SocketIO
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIORedis

/// An emitter and three servers, with Redis in memory.
@Suite struct EmitterTests {
    struct Stage: Sendable {
        let redis: FakeRedis
        let links: [FakeRedisClient]
        let link: FakeRedisClient
        let checks: EmitterChecks

        var emitter: RedisEmitter { self.checks.emitter }
        var nodes: [TestNode] { self.checks.nodes }

        /// The channels that the emitter listens to.
        var channels: Set<RedisChannel> { self.link.activeChannels }
    }

    private func withCluster(
        _ kind: EmitterKind,
        servers: Int = 3,
        idleTime: Duration = .seconds(600),
        _ body: (Stage) async throws -> Void
    ) async throws {
        let redis = FakeRedis()
        let links = (0..<servers).map { redis.client("server \($0)") }
        let link = redis.client("emitter")
        let emitter = RedisEmitter(link, adapter: kind.adapter, idleTime: idleTime)
        try await withNodes(links.map { kind.factory($0) }) { nodes in
            try await body(
                Stage(redis: redis, links: links, link: link, checks: EmitterChecks(nodes: nodes, emitter: emitter)))
        }
        emitter.close()
        for link in links + [link] { await link.shutdown() }
    }

    @Test(arguments: EmitterKind.allCases) func events(_ kind: EmitterKind) async throws {
        try await self.withCluster(kind) { try await $0.checks.events() }
    }

    @Test(arguments: EmitterKind.allCases) func sockets(_ kind: EmitterKind) async throws {
        try await self.withCluster(kind) { try await $0.checks.sockets() }
    }

    @Test(arguments: EmitterKind.allCases) func fetch(_ kind: EmitterKind) async throws {
        try await self.withCluster(kind) { try await $0.checks.fetch() }
    }

    @Test(arguments: EmitterKind.allCases) func answers(_ kind: EmitterKind) async throws {
        try await self.withCluster(kind) { try await $0.checks.answers() }
    }

    // MARK: How many listen

    @Test(arguments: EmitterKind.allCases) func publishSaysHowManyListened(_ kind: EmitterKind) async throws {
        try await self.withCluster(kind) { stage in
            let count = try await stage.emitter.publish("e", 1)
            let nobody = try await stage.emitter.of("/nobody").publish("e", arguments: [1])
            switch kind {
            case .pubsub, .pubsubWithSpecificChannels, .sharded:
                #expect(count == 3)
                #expect(nobody == 0)
            case .streams, .streamsWithSharding:
                #expect(count == nil)
                #expect(nobody == nil)
            }
            if kind == .sharded {
                let one = try await EmitterListener(stage.nodes[1], rooms: "members")
                try await eventually("the room has a channel") {
                    try await stage.emitter.to("members").publish("e") == 1
                }
                #expect(try await one.client.nextEvent().name == "e")
            }
        }
    }

    // MARK: Who does not answer

    private func uid(_ kind: EmitterKind, _ node: TestNode) throws -> String {
        switch kind {
        case .pubsub, .pubsubWithSpecificChannels: try #require(node.io.adapter as? RedisAdapter).uid
        case .sharded: try node.sharded().uid
        case .streams, .streamsWithSharding: try node.streams().uid
        }
    }

    @Test(arguments: EmitterKind.allCases) func whoDoesNotAnswerIsNamed(_ kind: EmitterKind) async throws {
        try await self.withCluster(kind) { stage in
            var tasks: [Task<Void, Never>] = []
            defer { for task in tasks { task.cancel() } }
            for node in stage.nodes { tasks.append(try await EmitterListener(node).answer("\"yes\"")) }
            for node in stage.nodes { node.io.on("ask") { "server" } }
            let silent = try self.uid(kind, stage.nodes[1])
            stage.links[1].set(.lost)
            try await withGrowingLimit("the answers of the others") { limit -> Bool? in
                // All at once: each takes as long as it may.
                let target = stage.emitter.timeout(limit)
                async let askedSockets = target.fetchSockets()
                async let askedCount = target.count()
                let askedAcknowledgements = Task { try await target.emitWithAck("question", as: String.self) }
                async let askedServers: ClusterAnswer<String> = target.serverSideEmitWithAck("ask")
                let (sockets, count, answers) = try await (askedSockets, askedCount, askedServers)
                let error = await #expect(throws: BroadcastAckError.self) {
                    _ = try await askedAcknowledgements.value
                }
                guard sockets.count == 2, count.sockets == 2, answers.count == 2, error?.answers.count == 2,
                    [sockets.missingServers, count.missingServers, answers.missingServers, error?.missingServers]
                        .allSatisfy({ $0?.count == 1 })
                else { return nil }
                #expect(sockets.missingServerCount == 1)
                #expect(sockets.missingServers == [silent])
                #expect(
                    count
                        == RedisEmitterCount(servers: 3, sockets: 2, missingServerCount: 1, missingServers: [silent]))
                #expect(error?.answers == ["yes", "yes"])
                #expect(error?.missingServers == [silent])
                #expect(answers.elements == ["server", "server"])
                #expect(answers.missingServers == [silent])
                return true
            }
            // It hears again: all answer.
            stage.links[1].set(.normal)
            #expect(try await stage.emitter.fetchSockets().isComplete)
        }
    }

    // MARK: Servers don't notice

    /// While it asks and listens, servers count and name only themselves.
    @Test(arguments: EmitterKind.allCases) func isNotTakenForAServer(_ kind: EmitterKind) async throws {
        try await self.withCluster(kind) { stage in
            #expect(try await stage.emitter.fetchSockets().isComplete)
            #expect(!stage.channels.isEmpty)
            #expect(try await stage.nodes[0].io.adapter.serverCount() == 3)
            stage.links[1].set(.lost)
            let sockets = try await withGrowingLimit("the answers of the others") { limit in
                let sockets = try await stage.nodes[0].io.timeout(limit).fetchSockets()
                return sockets.missingServers.count == 1 ? sockets : nil
            }
            #expect(sockets.missingServerCount == 1)
            #expect(sockets.missingServers == [try self.uid(kind, stage.nodes[1])])
        }
    }

    // MARK: Listening

    @Test(arguments: EmitterKind.allCases) func listensOnlyWhileItAsks(_ kind: EmitterKind) async throws {
        try await self.withCluster(kind, idleTime: .milliseconds(20)) { stage in
            stage.emitter.emit("e")
            try await stage.emitter.flush()
            #expect(stage.channels.isEmpty)
            #expect(try await stage.emitter.serverCount() == 3)
            #expect(stage.channels.isEmpty)
            for _ in 0..<3 {
                let found = try await stage.emitter.fetchSockets()
                #expect(found.isComplete)
                try await eventually("it listens no more") { stage.link.subscriptionCount == 0 }
            }
        }
    }

    /// The subscription is made once, before the first question goes out.
    @Test(arguments: EmitterKind.allCases) func listensBeforeItAsks(_ kind: EmitterKind) async throws {
        try await self.withCluster(kind) { stage in
            _ = stage.redis.takeLog()
            for _ in 0..<3 {
                let found = try await stage.emitter.fetchSockets()
                #expect(found.isComplete)
            }
            let sent = stage.redis.takeLog().filter { $0.client == "emitter" }.map(\.name)
            let subscriptions = sent.filter { $0.hasSuffix("SUBSCRIBE") }
            #expect(subscriptions.count == 1)
            #expect(sent.first == subscriptions.first)
            #expect(sent.filter { $0.hasSuffix("PUBLISH") }.count == 3)
        }
    }

    @Test func manyAskAtATime() async throws {
        try await self.withCluster(.sharded) { stage in
            _ = try await EmitterListener(stage.nodes[2])
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<50 { group.addTask { try await stage.emitter.fetchSockets().count } }
                for try await count in group { #expect(count == 1) }
            }
            #expect(stage.link.subscriptionCount == 1)
        }
    }

    @Test func endsWithTheEmitter() async throws {
        let redis = FakeRedis()
        let link = redis.client("emitter")
        let server = redis.client("server")
        try await withNodes([RedisAdapter.factory(server)]) { _ in
            var emitter: RedisEmitter? = RedisEmitter(link)
            #expect(try await emitter?.of("/").count().servers == 1)
            #expect(try await emitter?.of("/chat").count().servers == 0)
            #expect(link.subscriptionCount == 2)
            emitter = nil
            try await eventually("all subscriptions are gone") { link.subscriptionCount == 0 }
        }
        await link.shutdown()
        await server.shutdown()
    }

    @Test func closingEndsQuestions() async throws {
        try await self.withCluster(.sharded) { stage in
            for link in stage.links { link.set(.lost) }
            let emitter = stage.emitter
            let question = Task { try await emitter.timeout(.seconds(60)).fetchSockets() }
            let broadcast = Task { try await emitter.timeout(.seconds(60)).emitWithAck("question", as: Int.self) }
            try await eventually("both are asked") {
                stage.redis.log.value.filter { $0.client == "emitter" && $0.name == "SPUBLISH" }.count == 2
            }
            emitter.close()
            #expect(try await question.value.missingServerCount == 3)
            let error = await #expect(throws: BroadcastAckError.self) { try await broadcast.value }
            #expect(error?.answers == [])
            #expect(stage.link.subscriptionCount == 0)
            let refusal = await #expect(throws: SocketIOError.self) { try await emitter.fetchSockets() }
            #expect(refusal?.code == .clusterUnavailable)
            // Events can still be sent.
            #expect(try await emitter.publish("e") == 3)
        }
    }

    @Test func cancellationEndsAQuestion() async throws {
        try await self.withCluster(.pubsub) { stage in
            for link in stage.links { link.set(.lost) }
            let emitter = stage.emitter
            let question = Task { try await emitter.timeout(.seconds(60)).fetchSockets() }
            try await eventually("it is asked") {
                stage.redis.log.value.contains { $0.client == "emitter" && $0.name == "PUBLISH" }
            }
            question.cancel()
            await #expect(throws: CancellationError.self) { try await question.value }
        }
    }

    // MARK: Without Redis

    @Test(arguments: EmitterKind.allCases) func withoutRedisQuestionsFail(_ kind: EmitterKind) async throws {
        let redis = FakeRedis()
        let link = redis.client("emitter")
        link.set(.away)
        let emitter = RedisEmitter(link, adapter: kind.adapter)
        let target = emitter.timeout(.milliseconds(50))
        for question in [
            { _ = try await target.fetchSockets() }, { _ = try await target.count() },
            { _ = try await target.serverCount() }, { try await target.publish("e") },
            { _ = try await target.emitWithAck("e", as: Int.self) },
            { _ = try await target.serverSideEmitWithAck("e", as: Int.self) },
        ] as [@Sendable () async throws -> Void] {
            let error = await #expect(throws: SocketIOError.self) { try await question() }
            #expect(error?.code == .clusterUnavailable)
        }
        await link.shutdown()
    }

    @Test func whatCannotBeSentIsTold() async throws {
        let redis = FakeRedis()
        let link = redis.client("emitter")
        let errors = Awaited<[String]>([])
        let emitter = RedisEmitter(link, onError: { error in errors.update { $0.append("\(error)") } })
        link.set(.refusing)
        emitter.emit("e")
        emitter.socketsJoin("room")
        emitter.emit("disconnect")
        #expect(errors.value.count == 3)
        #expect(errors.value.prefix(2).allSatisfy { $0.hasPrefix("cluster_unavailable") })
        #expect(errors.value.last?.hasPrefix("reserved_event") == true)
        await #expect(throws: SocketIOError.self) { try await emitter.publish("connect") }
        await link.shutdown()
        emitter.emit("e")
        #expect(errors.value.count == 4)
        try await emitter.flush()
    }

    /// What is sent while Redis is away waits, and flush waits for it.
    @Test func flushWaitsForRedis() async throws {
        try await self.withCluster(.streams) { stage in
            let listener = try await EmitterListener(stage.nodes[0])
            stage.link.set(.away)
            for number in 0..<5 { stage.emitter.emit("\(number)") }
            stage.emitter.emit("end")
            let emitter = stage.emitter
            let isDone = Awaited(false)
            let flush = Task {
                try await emitter.flush()
                isDone.update { $0 = true }
            }
            let cancelled = Task { try await emitter.flush() }
            cancelled.cancel()
            await #expect(throws: CancellationError.self) { try await cancelled.value }
            #expect(!isDone.value)
            stage.link.set(.up)
            try await flush.value
            #expect(try await listener.events(upTo: "end") == ["0", "1", "2", "3", "4"])
        }
    }

    // MARK: Strangers

    /// What others publish to the channels of answers is ignored.
    @Test(arguments: EmitterKind.allCases) func survivesStrangers(_ kind: EmitterKind) async throws {
        try await self.withCluster(kind) { stage in
            let listener = try await EmitterListener(stage.nodes[0])
            #expect(try await stage.emitter.fetchSockets().count == 1)
            var random = SystemRandomNumberGenerator()
            let texts = [
                "", "{", "{}", "[]", "null", "{\"requestId\":1}", "{\"requestId\":\"x\",\"sockets\":3}",
                "{\"type\":8,\"data\":{\"requestId\":\"x\",\"sockets\":[{}]},\"uid\":\"y\",\"nsp\":\"/\"}",
                "{\"type\":\"me\",\"to\":\"x\"}", String(repeating: "[", count: 1000),
            ]
            for channel in stage.channels {
                for text in texts { stage.redis.publish(channel.name, text) }
                for length in 0..<200 {
                    let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
                    stage.redis.publish(channel.name, ByteBuffer(bytes: bytes))
                }
            }
            let found = try await stage.emitter.fetchSockets()
            #expect(found.map(\.id) == [listener.id])
            #expect(found.isComplete)
        }
    }

    // MARK: Namespaces

    @Test func namespacesThatNobodyUsesAreForgotten() async throws {
        let redis = FakeRedis()
        let emitter = RedisEmitter(redis.client("emitter"))
        let kept = emitter.of("/kept")
        for number in 0..<2000 { emitter.of("/\(number)").emit("e") }
        try await emitter.flush()
        #expect(emitter.namespaceCount <= 1024)
        #expect(emitter.of("kept").namespace === kept.namespace)
        #expect(emitter.of("").namespace === emitter.of("/").namespace)
        #expect(redis.takeLog().count == 2000)
    }
}
