import NIOCore
import RESP
import SocketIO
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIORedis

/// Everything that was recorded of the reference's sharded adapter: what ours sends, and what it does with what the reference
/// has sent.
@Suite struct ShardedVectorTests {
    static let modes: [(name: String, mode: ShardedRedisAdapterOptions.SubscriptionMode)] = [
        ("sharded-adapter static", .static), ("sharded-adapter dynamic", .dynamic),
        ("sharded-adapter dynamic-private", .dynamicPrivate),
    ]

    /// Cases whose values or API do not exist in Swift.
    private static let notOurs: Set<String> = [
        // A room's name is text.
        "emit to a numeric room",
        // Dates are text in values.
        "values with binary",
        // With questions before them; `questions` plays these, and `remoteSockets` the rest.
        "RemoteSocket emit", "RemoteSocket emit with acknowledgement", "RemoteSocket join, leave",
    ]

    private func withPlayer(
        _ index: Int,
        _ body: (VectorPlayer, FakeRedisClient) async throws -> Void
    ) async throws {
        let (name, mode) = Self.modes[index]
        let redis = FakeRedis()
        let options = ShardedRedisAdapterOptions(subscriptionMode: mode)
        try await withNodes([ShardedRedisAdapter.factory(redis.client("A"), options: options)]) { nodes in
            let other = redis.client("other")
            other.start()
            let player = VectorPlayer(
                group: try RedisVectors.group(name), redis: redis, node: nodes[0],
                uids: ["/": try nodes[0].sharded().uid, "/admin": try nodes[0].sharded("/admin").uid])
            try await redis.settle()
            try await body(player, other)
        }
    }

    @Test(arguments: modes.indices) func sends(_ index: Int) async throws {
        try await self.withPlayer(index) { player, other in
            let operations = VectorOperations.sends.merging(VectorOperations.shardedSends) { $1 }
            let questions = VectorOperations.questions.merging(VectorOperations.shardedQuestions) { $1 }
            for vector in player.group.cases {
                if let operation = operations[vector.name] {
                    try await player.check(vector, operation)
                } else if questions[vector.name] == nil, !Self.notOurs.contains(vector.name) {
                    #expect(player.recorded(vector).isEmpty, "\(vector.name) is not played")
                }
            }
        }
    }

    @Test(arguments: modes.indices) func questions(_ index: Int) async throws {
        try await self.withPlayer(index) { player, other in
            // Somebody who is counted and says nothing.
            let silent = ["/", "/admin"].map {
                other.subscribe(to: [RedisChannel(.shard, "socket.io#\($0)#")], onReady: nil, onMessage: { _ in })
            }
            try await player.redis.settle()
            let questions = VectorOperations.questions.merging(VectorOperations.shardedQuestions) { $1 }
            for vector in player.group.cases {
                guard let operation = questions[vector.name] else { continue }
                var task: Task<Void, any Error>?
                try await player.check(vector) { server, ids in task = Task { try await operation(server, ids) } }
                task?.cancel()
                _ = try? await task?.value
            }
            withExtendedLifetime(silent) {}
        }
    }

    /// The channels of rooms.
    @Test(arguments: modes.indices) func subscriptions(_ index: Int) async throws {
        try await self.withPlayer(index) { player, _ in
            let (_, mode) = Self.modes[index]
            let node = player.node
            let own = ["socket.io#/#", "socket.io#/#\(try node.sharded().uid)#"]
            let admin = ["socket.io#/admin#", "socket.io#/admin#\(try node.sharded("/admin").uid)#"]
            let redis = player.redis
            func expect(_ rooms: String...) async throws {
                try await redis.settle()
                let names = Set(own + admin + rooms.map { "socket.io#/#\($0)#" })
                #expect(Set(redis.subscribers(.shard).filter { $0.value == 1 }.keys) == names)
            }
            try await expect()
            let client = try await node.client(rooms: "r1", "r2", "12345678901234567890")
            let id = try #require(client.sid())
            switch mode {
            case .static: try await expect()
            case .dynamic: try await expect("r1", "r2")
            case .dynamicPrivate: try await expect("r1", "r2", "12345678901234567890", id)
            }
            node.io.socketsLeave("r1")
            node.io.local.socketsJoin("r3")
            switch mode {
            case .static: try await expect()
            case .dynamic: try await expect("r2", "r3")
            case .dynamicPrivate: try await expect("r2", "r3", "12345678901234567890", id)
            }
            try client.disconnect()
            try await eventually("the socket is gone") { node.io.local.socketCount == 0 }
            try await expect()
            await node.io.adapter.close()
            try await redis.settle()
            #expect(redis.subscribers(.shard).count == 2)
        }
    }

    // MARK: What the reference has sent

    @Test(arguments: modes.indices) func broadcasts(_ index: Int) async throws {
        try await self.withPlayer(index) { player, other in
            let inRoom = try await player.node.client(rooms: "r1")
            let outside = try await player.node.client()
            let rooms: [Set<String>] = [["r1", try #require(inRoom.sid())], [try #require(outside.sid())]]
            try await player.redis.settle()
            for vector in player.group.cases {
                var expected: [[SocketIOValue]] = [[], []]
                for command in vector.commands where command.from == "A" && command.name == "SPUBLISH" {
                    guard let meaning = try VectorPlayer.meaning(command, in: vector), meaning.type == 3,
                        meaning.data["requestId"] == nil, meaning.namespace == "/"
                    else { continue }
                    try player.play(command, from: other)
                    for client in 0..<2 where reaches(meaning.data["opts"], rooms[client]) {
                        expected[client].append(VectorPlayer.rounded(try #require(meaning.data["packet"]?["data"])))
                    }
                }
                try await player.redis.settle()
                player.node.io.local.emit("end of the case")
                #expect(try await inRoom.events(upTo: "end of the case") == expected[0], "\(vector.name)")
                #expect(try await outside.events(upTo: "end of the case") == expected[1], "\(vector.name)")
            }
        }
    }

    @Test(arguments: modes.indices) func changes(_ index: Int) async throws {
        try await self.withPlayer(index) { player, other in
            let heard = Awaited<[SocketIOValue]>([])
            player.node.io.on("hello") { (arguments: Arguments) in
                heard.update { $0.append(.array(arguments.values)) }
            }
            let member = try await player.node.client(rooms: "r1")
            let bystander = try await player.node.client()
            let io = player.node.io
            func rooms(_ client: SIOClient) -> Set<Room> {
                client.sid().flatMap { io.socket(id: $0)?.rooms.subtracting([Room($0), "r1"]) } ?? []
            }
            func play(_ name: String) async throws {
                for command in try player.group[name].commands where command.from == "A" && command.name == "SPUBLISH" {
                    try player.play(command, from: other)
                }
                try await player.redis.settle()
            }
            try await play("socketsJoin")
            #expect(rooms(member) == ["j1"] && rooms(bystander) == ["j1"])
            try await play("socketsJoin filtered")
            #expect(rooms(member) == ["j1", "j2", "j3"] && rooms(bystander) == ["j1"])
            try await play("socketsLeave")
            #expect(rooms(member) == ["j3"] && rooms(bystander) == [])
            try await play("socketsLeave filtered")
            #expect(rooms(member) == [])
            try await play("serverSideEmit")
            try await play("serverSideEmit binary")
            try await play("serverSideEmit in a namespace")
            #expect(heard.value == [[1, ["a": nil]], [.binary(ByteBuffer(bytes: [1]))]])
            io.local.to("r1").socketsJoin("42")
            try await play("disconnectSockets of a room")
            try await member.waitForDisconnect()
            #expect(bystander.sid() != nil)
            try await play("disconnectSockets with close")
            try await bystander.waitForDisconnect()
        }
    }

    /// The answers to the reference's questions are those that the reference gives.
    @Test(arguments: modes.indices) func answers(_ index: Int) async throws {
        try await self.withPlayer(index) { player, other in
            try await player.checkAnswers(from: other)
        }
    }
}

extension VectorPlayer {
    /// Asks what A has asked B, and compares the answers with those of B. Two clients answer as the recording's did.
    func checkAnswers(from other: FakeRedisClient) async throws {
        for name in ["ask", "ask-binary"] {
            self.node.io.on(name) { (arguments: Arguments) -> SocketIOValue in
                if name == "ask-binary" { return .binary(ByteBuffer(bytes: [7, 7])) }
                return ["from": "B", "args": .array(arguments.values)]
            }
        }
        let clients = [try await self.node.client(rooms: "r1"), try await self.node.client()]
        _ = try await self.node.client("/admin")
        try await self.redis.settle()
        let questions = [
            "broadcast with acknowledgement", "broadcast with acknowledgement to one room",
            "broadcast with acknowledgement (PUBLISH, not in the stream)",
            "broadcast with acknowledgement, no client concerned", "broadcast with acknowledgement, timeout",
            "broadcast with acknowledgement in a namespace", "fetchSockets", "serverSideEmit with acknowledgement",
            "serverSideEmit with acknowledgement, binary answer",
        ]
        for vector in self.group.cases where questions.contains(vector.name) {
            let command = try #require(vector.commands.first { $0.from == "A" && $0.payload != nil })
            let meaning = try #require(try Self.meaning(command, in: vector))
            let recorded = vector.commands.filter { $0.from == "B" && $0.payload != nil }
            _ = self.redis.takeLog()
            try self.play(command, from: other, isPatient: true)
            let options = meaning.data["opts"]
            if meaning.data["packet"]?["data"]?[0] == "question" {
                for (index, client) in clients.enumerated() {
                    guard reaches(options, index == 0 ? ["r1"] : []) else { continue }
                    let event = try await client.nextEvent()
                    if index == 0 {
                        try client.acknowledge(event, "\"from b1\"")
                    } else {
                        try client.acknowledge(event, SIOClient.placeholder(0), binary: [[1, 2, 3]])
                    }
                }
            }
            let expected = recorded.count
            let log = self.redis.log
            let sent = try await log.wait("\(expected) answers to \(vector.name)") { log -> [FakeRedis.Sent]? in
                let sent = log.filter { $0.client == "A" && $0.name.hasSuffix("PUBLISH") }
                return sent.count >= expected ? sent : nil
            }
            #expect(sent.map(\.name) == recorded.map(\.name))
            #expect(sent.map { $0.texts[1] } == recorded.map(\.channel), "\(vector.name)")
            if vector.name == "fetchSockets" {
                try self.compareSockets(try #require(sent.first?.arguments.last), try #require(recorded.first))
                continue
            }
            let uid = try self.group.uid(meaning.namespace == "/" ? "B" : "B \(meaning.namespace)")
            let own = try #require(self.uids[meaning.namespace])
            // The answers of the clients have no order.
            #expect(
                Set(sent.compactMap { $0.arguments.last?.replacing(own, with: uid).hex })
                    == Set(recorded.compactMap { $0.payload?.hex }), "\(vector.name)")
            for client in clients where client.pendingEvents() > 0 { _ = try await client.nextEvent() }
        }
    }

    /// The same form; times, addresses and headers are others.
    private func compareSockets(_ payload: ByteBuffer, _ recorded: RedisVectors.Command) throws {
        func body(_ payload: ByteBuffer) throws -> [SocketDescription] {
            let message = try #require(try ClusterMessage(payload))
            guard case .fetchSocketsResponse(let sockets, _) = try ClusterBody(message.type, message.data) else {
                throw PeerError("no answer with sockets")
            }
            return sockets
        }
        func keys(_ value: SocketIOValue?) -> [String] { value?.objectValue?.keys ?? [] }
        let theirs = try body(try #require(recorded.payload))
        let decoded = try recorded.decoded["data"]?["sockets"]?[0]
        #expect(theirs.count == 2 && theirs.first?.id == decoded?["id"]?.stringValue)
        #expect(theirs.first?.data["name"] == "bob" && theirs.first?.rooms.contains("r1") ?? false)
        #expect(theirs.first?.handshake.query["EIO"] == "4" && theirs.first?.handshake.headers.isEmpty == false)
        let ours = try #require(try ClusterMessage(payload)?.data?.value?["sockets"]?[0])
        #expect(keys(ours) == keys(decoded))
        #expect(Set(keys(ours["handshake"])) == Set(keys(decoded?["handshake"])))
        #expect(try body(payload).count == 2)
    }
}
