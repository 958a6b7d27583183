import NIOCore
import RESP
import SocketIOCore
import TestSupport
import Testing

@testable import MessagePack
@testable import SocketIORedis

/// Redis that is away, refuses or is late, servers that say nothing, and strangers that say anything.
@Suite struct ClassicFaultTests {
    /// Two servers that know of each other.
    private func withTwo(
        options: RedisAdapterOptions = RedisAdapterOptions(),
        _ body: (FakeRedis, ClassicFixture, ClassicFixture) async throws -> Void
    ) async throws {
        let redis = FakeRedis()
        try await ClassicFixture.run(on: redis, options: options) { one in
            try await ClassicFixture.run(on: redis, options: options) { two in
                #expect(try await one.adapter().serverCount() == 2)
                try await body(redis, one, two)
            }
        }
    }

    private func expectNothingKept(_ fixture: ClassicFixture) async throws {
        let adapter = try fixture.adapter()
        try await eventually("no question waits") { adapter.queries.count == 0 && adapter.acknowledgements.count == 0 }
    }

    // MARK: Redis

    @Test func away() async throws {
        try await self.withTwo { redis, one, two in
            let (here, socket) = try await one.join()
            let (there, _) = try await two.join()
            one.link.set(.away)
            one.server.emit("kept")
            _ = try await here.expectEvent("kept")
            one.server.socketsJoin("room")
            #expect(socket.rooms.contains("room"))
            two.server.emit("lost")
            _ = try await there.expectEvent("lost")
            let found = try await one.server.timeout(.milliseconds(200)).fetchSockets()
            #expect(found.map(\.id) == [socket.id] && found.missingServerCount == 1)
            let rooms = try await one.adapter().allRooms(timeout: .milliseconds(50))
            #expect(Set(rooms) == ["room", Room(socket.id)] && rooms.missingServerCount == 1)
            let answers: ClusterAnswer<Int> = try await one.server.timeout(.milliseconds(50)).serverSideEmitWithAck("x")
            #expect(answers.isEmpty && answers.missingServerCount == 1)
            await #expect(throws: BroadcastAckError.self) {
                let _: [Int] = try await one.server.timeout(.milliseconds(100)).emitWithAck("q")
            }
            one.link.set(.up)
            _ = try await there.expectEvent("kept")
            two.server.emit("again")
            #expect(try await here.nextEvent().name == "q")
            _ = try await here.expectEvent("again")
            #expect(try await one.server.fetchSockets().count == 2)
            #expect(one.errors.value.isEmpty)
            try await self.expectNothingKept(one)
        }
    }

    /// Who never knew of another server is complete without Redis.
    @Test func aloneWithoutRedis() async throws {
        let redis = FakeRedis()
        try await ClassicFixture.run(on: redis) { fixture in
            fixture.link.set(.away)
            let (client, socket) = try await fixture.join()
            fixture.answerQuestions(client, "1")
            let found = try await fixture.server.timeout(.milliseconds(50)).fetchSockets()
            #expect(found.map(\.id) == [socket.id] && found.isComplete)
            // Half of it goes by before Redis is not waited for any more.
            let answers = try await withGrowingLimit("an answer") { limit -> [Int]? in
                do {
                    return try await fixture.server.timeout(limit).emitWithAck("question")
                } catch is BroadcastAckError {
                    return nil
                }
            }
            #expect(answers == [1])
        }
    }

    @Test func refused() async throws {
        try await self.withTwo { redis, one, two in
            let (here, socket) = try await one.join()
            one.link.set(.refusing)
            one.server.emit("all")
            _ = try await here.expectEvent("all")
            one.server.serverSideEmit("event")
            one.server.socketsJoin("room")
            #expect(socket.rooms.contains("room"))
            try await one.errors.wait("three reports") { $0.count == 3 ? true : nil }
            #expect(one.errors.value.allSatisfy { $0.hasPrefix("cluster_unavailable: ") && $0.contains("buffer_full") })
            let found = try await one.server.fetchSockets()
            #expect(found.map(\.id) == [socket.id] && found.missingServerCount == 1)
            await #expect(throws: SocketIOError.self) { try await one.adapter().serverCount() }
            one.link.set(.up)
            #expect(try await one.server.fetchSockets().isComplete)
        }
    }

    // MARK: Answers

    /// What comes after the time is up is for nobody.
    @Test func lateAnswers() async throws {
        try await self.withTwo { redis, one, two in
            let (client, _) = try await two.join()
            two.answerQuestions(client, "1")
            one.link.set(.held)
            let found = try await one.server.timeout(.milliseconds(100)).fetchSockets()
            #expect(found.isEmpty && found.missingServerCount == 1)
            do {
                let _: [Int] = try await one.server.timeout(.seconds(3)).emitWithAck("question")
                Issue.record("all have answered")
            } catch let error as BroadcastAckError {
                #expect(error.answers.isEmpty && error.missing.isEmpty)
                #expect(error.missingServers == [try two.adapter().uid])
            }
            one.link.set(.normal)
            try await redis.settle()
            try await self.expectNothingKept(one)
            #expect(try await one.server.fetchSockets().count == 1)
            #expect(try one.adapter().complaints.kinds.isEmpty)
        }
    }

    /// What is delivered twice is done and answered once.
    @Test func repeatedRequests() async throws {
        try await self.withTwo { redis, one, two in
            let (client, _) = try await two.join()
            two.link.set(.twice)
            two.server.on("add") { (number: Int) in number + 1 }
            #expect(try await one.server.fetchSockets().count == 1)
            let sums: ClusterAnswer<Int> = try await one.server.serverSideEmitWithAck("add", 1)
            #expect(sums.elements == [2])
            async let answers: [Int] = one.server.timeout(.seconds(30)).emitWithAck("question")
            try client.acknowledge(try await client.nextEvent(), "1")
            #expect(try await answers == [1])
            #expect(client.pendingEvents() == 0)
        }
    }

    /// A server that is counted and says nothing does not keep the others' answers back, and is named.
    @Test func whoIsMissingIsNamed() async throws {
        try await self.withTwo { redis, one, two in
            let silent = redis.client("silent")
            silent.start()
            let subscription = silent.subscribe(
                to: ["socket.io-request#/#", "socket.io-response#/#", "socket.io-response#/#Silent#"].map {
                    RedisChannel(.channel, $0)
                }, onReady: nil
            ) { _ in }
            let (_, here) = try await one.join()
            let (client, there) = try await two.join()
            two.answerQuestions(client, "1")
            two.server.on("add") { (number: Int) in number + 1 }
            #expect(try await one.adapter().serverCount() == 3)
            let (server, adapter) = (one.server, try one.adapter())
            try await withGrowingLimit("the answers of the others") { time -> Bool? in
                // All at once: each takes all the time that it has.
                async let askedSockets = server.timeout(time).fetchSockets()
                async let askedServers: ClusterAnswer<Int> = server.timeout(time).serverSideEmitWithAck("add", 1)
                async let askedRooms = adapter.allRooms(timeout: time)
                let error = await #expect(throws: BroadcastAckError.self) {
                    try await server.except(Room(here.id)).timeout(time).emitWithAck("question", as: Int.self)
                }
                let (found, sums, rooms) = try await (askedSockets, askedServers, askedRooms)
                // The others may need more time, and so may Redis to name who is missing.
                guard error?.answers.count == 1, found.count == 2, sums.count == 1, rooms.count == 2,
                    [found.missingServers, sums.missingServers, rooms.missingServers, error?.missingServers]
                        .allSatisfy({ $0?.count == 1 })
                else { return nil }
                #expect(error?.answers == [1] && error?.missing.isEmpty == true && error?.missingElsewhere == 0)
                #expect(error?.missingServers == ["Silent"])
                #expect(Set(found.map(\.id)) == [here.id, there.id])
                #expect(found.missingServerCount == 1)
                #expect(found.missingServers == ["Silent"])
                #expect(sums.elements == [2])
                #expect(sums.missingServers == ["Silent"])
                #expect(Set(rooms) == [Room(here.id), Room(there.id)])
                #expect(rooms.missingServers == ["Silent"])
                return true
            }
            subscription.cancel()
            #expect(try await one.server.fetchSockets().isComplete)
            try await self.expectNothingKept(one)
        }
    }

    @Test func cancelledAndClosed() async throws {
        var options = RedisAdapterOptions()
        options.requestsTimeout = .seconds(600)
        try await self.withTwo(options: options) { redis, one, two in
            two.link.set(.held)
            let adapter = try one.adapter()
            let task = Task { try await adapter.fetchSockets(BroadcastTarget()) }
            try await eventually("it is asked") { adapter.queries.count == 1 }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(adapter.queries.count == 0)
            let other = Task { try await adapter.fetchSockets(BroadcastTarget()) }
            try await eventually("it is asked") { adapter.queries.count == 1 }
            await adapter.close()
            #expect(try await other.value.missingServerCount == 1)
            #expect(adapter.queries.count == 0)
        }
    }

    // MARK: Strangers

    private static let hostile: [String] = [
        "", "{", "[", "{}", "[]", "null", "1", "\"x\"", "{\"type\":5}", "{\"type\":5,\"requestId\":\"a\"}",
        "{\"type\":5,\"requestId\":\"a\",\"opts\":null}", "{\"type\":5,\"requestId\":\"a\",\"opts\":{\"rooms\":{}}}",
        "{\"type\":5,\"requestId\":7,\"opts\":{\"rooms\":[]}}", "{\"type\":2,\"opts\":{\"rooms\":[]},\"rooms\":7}",
        "{\"type\":2,\"opts\":{\"rooms\":[null]},\"rooms\":[\"r\"]}", "{\"type\":4,\"opts\":{\"rooms\":[[]]}}",
        "{\"type\":4,\"opts\":{\"rooms\":[\"x\"],\"except\":1}}", "{\"type\":6}", "{\"type\":6,\"data\":[]}",
        "{\"type\":6,\"data\":[{}]}", "{\"type\":7}", "{\"type\":7,\"opts\":{\"rooms\":[]},\"packet\":{}}",
        "{\"type\":7,\"opts\":{\"rooms\":[]},\"packet\":{\"type\":2,\"data\":[\"e\"],\"nsp\":\"/\"}}",
        "{\"type\":1e300}", "{\"type\":-1}", "{\"type\":99,\"requestId\":\"x\"}",
        "{\"type\":8,\"requestId\":\"x\",\"clientCount\":-5}", "{\"type\":8,\"requestId\":\"x\"}",
        "{\"requestid\":\"x\",\"type\":3}", "{\"requestId\":\"\(String(repeating: "x", count: 100_000))\",\"type\":1}",
        String(repeating: "[", count: 100_000), String(repeating: "{\"a\":", count: 50_000),
        "[\"x\",{\"type\":2,\"data\":[\"disconnect\"],\"nsp\":\"/\"},{\"rooms\":[]}]",
        "[\"x\",{\"type\":3,\"data\":[\"e\"],\"nsp\":\"/\"},{\"rooms\":[]}]", "[\"x\",{\"type\":2},{}]", "[1,2,3]",
        "{\"type\":\"me\",\"uid\":\"x\",\"requestId\":\"y\"}", "{\"type\":\"who\"}",
    ]

    private static let channels = [
        "socket.io#/#", "socket.io#/#r#", "socket.io-request#/#", "socket.io-response#/#",
        "swift-socketio#socket.io#/#",
    ]

    /// Nothing that is published ends the subscription, and little of it reaches the log.
    @Test func malformedMessages() async throws {
        try await ClassicFixture.run { fixture in
            let (client, socket) = try await fixture.join()
            socket.join("r")
            var payloads = Self.hostile.map { ByteBuffer(string: $0) }
            for head in [[0xDD, 0xFF, 0xFF, 0xFF, 0xFF], [0xDF, 0xFF, 0xFF, 0xFF, 0xFF], [0xC1], [0x93, 0xC0]] {
                payloads.append(ByteBuffer(bytes: head.map { UInt8($0) }))
            }
            payloads.append(ByteBuffer(bytes: [UInt8](repeating: 0x91, count: 100_000)))
            for payload in payloads {
                for channel in Self.channels + [try fixture.adapter().channels.ownResponse] {
                    fixture.redis.publish(channel, payload)
                }
            }
            try await fixture.redis.settle()
            // Bare wellformed requests for everybody are obeyed: that is what they are for.
            #expect(fixture.server.main.socket(id: socket.id) != nil && socket.rooms == ["r", Room(socket.id)])
            #expect(client.eventCount() == 0)
            try await self.expectGoodBroadcast(fixture, client)
            #expect(try fixture.adapter().complaints.kinds.count <= 5)
            try await self.expectNothingKept(fixture)
        }
    }

    private func expectGoodBroadcast(_ fixture: ClassicFixture, _ client: SIOClient) async throws {
        var writer = MessagePackWriter(.notepack3)
        try writer.write([
            "x", ["type": 2, "data": ["the end"], "nsp": "/"], ["rooms": [], "except": [], "flags": [:]],
        ])
        try await fixture.receive("socket.io#/#", writer.buffer)
        while try await client.nextEvent().name != "the end" {}
    }

    /// Messages of the recordings with bytes changed, cut off or put in.
    @Test(arguments: 0..<4) func mutatedMessages(_ seed: UInt64) async throws {
        var random = Mutations(state: seed)
        var payloads: [(String, ByteBuffer)] = []
        for group in try RedisVectors.groups() where !group.name.hasPrefix("sharded") {
            for command in group.cases.flatMap(\.commands) {
                guard let payload = command.payload, payload.readableBytes < 2000 else { continue }
                payloads.append((command.channel, payload))
            }
        }
        try await ClassicFixture.run { fixture in
            _ = try await fixture.join()
            for number in 0..<3000 {
                if number % 50 == 0 { await Task.yield() }
                let (channel, payload) = payloads[Int(random.next() % UInt64(payloads.count))]
                let mutated = random.mutate(payload)
                // Those for rooms are more often for everybody.
                let isRoom = channel.hasPrefix("socket.io#/#") && random.next() % 2 == 0
                fixture.redis.publish(isRoom ? "socket.io#/#" : channel, mutated)
                if random.next() % 16 == 0 { fixture.redis.publish(Self.channels[4], mutated) }
            }
            try await fixture.redis.settle()
            // Some of them have disconnected the first client.
            let (client, _) = try await fixture.join()
            try await self.expectGoodBroadcast(fixture, client)
            #expect(try fixture.adapter().complaints.kinds.count <= 5)
            #expect(try fixture.adapter().queries.count == 0)
        }
    }
}

/// Changes bytes, by a fixed sequence of numbers.
private struct Mutations {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func mutate(_ payload: ByteBuffer) -> ByteBuffer {
        var bytes = Array(payload.readableBytesView)
        for _ in 0...(self.next() % 3) {
            let index = bytes.isEmpty ? 0 : Int(self.next() % UInt64(bytes.count))
            switch self.next() % 6 {
            case 0 where !bytes.isEmpty: bytes[index] = UInt8(truncatingIfNeeded: self.next())
            case 1 where !bytes.isEmpty: bytes[index] ^= 1 << UInt8(self.next() % 8)
            case 2: bytes.removeLast(bytes.count - index)
            case 3: bytes.insert(UInt8(truncatingIfNeeded: self.next()), at: index)
            case 4 where !bytes.isEmpty: bytes.remove(at: index)
            default:
                let end = min(bytes.count, index + Int(self.next() % 16))
                bytes.insert(contentsOf: bytes[index..<end], at: index)
            }
        }
        return ByteBuffer(bytes: bytes)
    }
}
