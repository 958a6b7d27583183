import Foundation
import NIOCore
import SocketIOCore
import Synchronization
import TestSupport
import Testing

@testable import SocketIORedis

/// What the reference and its emitters have sent has the effect that it had there, and is answered as it was there.
@Suite struct ClassicReceivingVectorTests {
    /// This server in the place of B.
    private struct Stage {
        let fixture: ClassicFixture
        let b1: Socket
        let b2: Socket
        let admin: Socket
        let deliveries: Deliveries
        let events: Awaited<[String]>
        /// Ids of sockets in the recording and here.
        var ids: [(String, String)] = []

        var io: SocketIOServer { self.fixture.server }

        /// Where a socket is, rooms of ids named as in the recording.
        func rooms(_ socket: Socket) -> Set<String> { Set(socket.rooms.map { self.recorded($0.name) }) }

        func recorded(_ id: String) -> String { self.ids.first { $0.1 == id }?.0 ?? id }
    }

    private func withStage(
        _ group: RedisVectors.Group, options: RedisAdapterOptions = RedisAdapterOptions(),
        _ body: (Stage) async throws -> Void
    ) async throws {
        var uids: [String: String] = [:]
        for (namespace, name) in [("/", "B"), ("/admin", "B /admin")] {
            uids[namespace] = group.fields["uids"]?[name]?.stringValue
        }
        try await ClassicFixture.run(options: options, uids: uids) { fixture in
            _ = fixture.server.of("/admin")
            let (one, b1) = try await fixture.join()
            let (two, b2) = try await fixture.join()
            let (_, admin) = try await fixture.join("/admin")
            fixture.answerQuestions(one, "\"from b1\"")
            fixture.answerQuestions(two, SIOClient.placeholder(0), binary: [[1, 2, 3]])
            b1.data[SocketDataKey<String>("name")] = "bob"
            b1.data[SocketDataKey<Int>("n")] = 1
            b1.join("r1")
            b2.join("42")
            let deliveries = Deliveries()
            for socket in [b1, b2, admin] { deliveries.watch(socket) }
            let events = Awaited<[String]>([])
            for namespace in [fixture.server.main, fixture.server.of("/admin")] {
                namespace.on("hello") { (first: SocketIOValue?, second: SocketIOValue?) in
                    let values = [first, second].compactMap { $0?.description }.joined(separator: ",")
                    events.update { $0.append("\(namespace.name) hello \(values)") }
                }
            }
            fixture.server.on("ask") { (first: SocketIOValue, second: SocketIOValue?) -> SocketIOValue in
                ["from": "B", "args": .array([first] + (second.map { [$0] } ?? []))]
            }
            fixture.server.on("ask-binary") { Data([7, 7]) }
            var stage = Stage(
                fixture: fixture, b1: b1, b2: b2, admin: admin, deliveries: deliveries, events: events)
            for (name, socket) in [("b1", b1), ("b2", b2), ("bAdmin", admin)] {
                if let id = group.fields["socketIds"]?[name]?.stringValue { stage.ids.append((id, socket.id)) }
            }
            try await body(stage)
        }
    }

    // MARK: Broadcasts

    /// Every recorded broadcast of servers and emitters is delivered to whom it names.
    @Test(arguments: [
        "redis-adapter", "redis-adapter custom key and parser", "redis-adapter with connection state recovery",
        "redis-emitter", "old emitter socket.io-emitter 3.2.0",
    ]) func broadcasts(_ name: String) async throws {
        let group = try RedisVectors.group(name)
        var options = RedisAdapterOptions()
        if name.contains("custom key") { options.key = "my-app" }
        var count = 0
        try await self.withStage(group, options: options) { stage in
            for entry in group.cases {
                for command in entry.commands where command.from != "B" && command.name == "PUBLISH" {
                    guard let payload = command.payload, command.channel.hasPrefix("\(options.key)#") else { continue }
                    let value = try payload.messageValue
                    let packet = try #require(value[1])
                    let ids = stage.ids
                    try await stage.fixture.receive(
                        String(buffer: ByteBuffer(string: command.channel).replacing(ids)), payload.replacing(ids))
                    self.expectDelivery(stage, packet, value[2] ?? .null, entry.name)
                    count += 1
                }
            }
            #expect(try stage.fixture.adapter().complaints.kinds.isEmpty)
        }
        #expect(count > 1)
    }

    private func expectDelivery(_ stage: Stage, _ packet: SocketIOValue, _ options: SocketIOValue, _ name: String) {
        let rooms = options["rooms"]?.arrayValue?.map { $0.stringValue ?? $0.description } ?? []
        let except = options["except"]?.arrayValue?.map { $0.stringValue ?? $0.description } ?? []
        let data = packet["data"]?.arrayValue ?? []
        for socket in [stage.b1, stage.b2, stage.admin] {
            let isHere = socket.namespace.name == packet["nsp"]?.stringValue
            let own = stage.rooms(socket)
            let isNamed = (rooms.isEmpty || !own.isDisjoint(with: rooms)) && own.isDisjoint(with: except)
            let got = stage.deliveries.take(socket)
            guard isHere, isNamed else {
                #expect(got.isEmpty, "\(name)")
                continue
            }
            #expect(got.map(\.event) == [data.first?.stringValue], "\(name)")
            // What JSON has no number for is null there.
            let expected = data.dropFirst().map { $0 == .double(.nan) || $0.doubleValue?.isNaN == true ? .null : $0 }
            #expect(got.first?.arguments == expected, "\(name)")
        }
    }

    /// The values themselves, as the recording describes them and not as this package reads them.
    @Test(arguments: ["binary", "binary nested", "values with binary", "unicode", "emit to all"])
    func arguments(_ name: String) async throws {
        let group = try RedisVectors.group("redis-adapter")
        let command = try #require(try group[name].commands.first)
        let wanted = try #require(try command.decoded[1]?["data"]?.arrayValue)
        try await self.withStage(group) { stage in
            try await stage.fixture.receive(command.channel, try #require(command.payload))
            let got = try #require(stage.deliveries.take(stage.b1).first)
            // JavaScript prints the number that it has made of 1e21 with fewer digits than it has.
            let printed: (SocketIOValue) -> SocketIOValue = {
                $0 == .int(3_875_820_019_684_212_736) ? .int(3_875_820_019_684_212_700) : $0
            }
            #expect([.string(got.event)] + got.arguments.map(printed) == wanted)
        }
    }

    // MARK: Requests

    /// Every recorded request of A is answered as B has answered it.
    @Test(arguments: ["redis-adapter", "redis-adapter specific response channel"])
    func answers(_ name: String) async throws {
        let group = try RedisVectors.group(name)
        var options = RedisAdapterOptions()
        options.publishesOnSpecificResponseChannel = name != "redis-adapter"
        let hasTwo = group.fields["socketIds"]?["b2"] != nil
        try await self.withStage(group, options: options) { stage in
            if !hasTwo {
                stage.b2.disconnect()
                try await eventually("b2 is gone") { stage.io.main.socket(id: stage.b2.id) == nil }
                stage.b1.leave("r1")
                stage.b1.data[SocketDataKey<String>("name")] = nil
                stage.b1.data[SocketDataKey<Int>("n")] = nil
            }
            for entry in group.cases where entry.commands.contains(where: { $0.from == "B" && $0.name == "PUBLISH" }) {
                // The sockets of the recording had been put into another room by then.
                if entry.name == "allRooms", hasTwo { stage.b1.join("y") }
                let expected = entry.commands.filter { $0.from == "B" }
                for request in entry.commands where request.from == "A" && request.name == "PUBLISH" {
                    guard request.channel.contains("-request#"), let payload = request.payload else { continue }
                    try await stage.fixture.receive(request.channel, payload.replacing(stage.ids).patient)
                }
                let count = expected.count
                try await eventually("\(count) answers to \(entry.name)") {
                    stage.fixture.redis.log.value.count { $0.client == "A" && $0.name == "PUBLISH" } >= count
                }
                let sent = stage.fixture.sent().filter { $0.name == "PUBLISH" }
                try self.compare(sent, expected, stage, entry.name)
            }
        }
    }

    private func compare(
        _ sent: [FakeRedis.Sent], _ expected: [RedisVectors.Command], _ stage: Stage, _ name: String
    ) throws {
        #expect(sent.map { $0.texts[1] } == expected.map(\.channel), "\(name)")
        var rest = try expected.map { try #require($0.payload).replacing(stage.ids) }
        for answer in sent.map({ $0.arguments[2] }) {
            // Acknowledgements come in no order; all else is in the order of the recording.
            if let index = rest.firstIndex(of: answer) {
                rest.remove(at: index)
                continue
            }
            let recorded = try #require(rest.first, "\(name)").messageValue
            let value = try answer.messageValue
            rest.removeFirst()
            #expect(value.objectValue?.keys == recorded.objectValue?.keys, "\(name)")
            guard let sockets = value["sockets"]?.arrayValue, let wanted = recorded["sockets"]?.arrayValue else {
                #expect(value.sorted == recorded.sorted, "\(name)")
                continue
            }
            #expect(Set(sockets.map { $0["id"] }) == Set(wanted.map { $0["id"] }), "\(name)")
            for socket in sockets {
                let other = try #require(wanted.first { $0["id"] == socket["id"] })
                #expect(socket.objectValue?.keys == other.objectValue?.keys, "\(name)")
                #expect(socket["rooms"] == other["rooms"] && socket["data"] == other["data"], "\(name)")
                let handshake = try #require(socket["handshake"]?.objectValue)
                #expect(handshake.keys == other["handshake"]?.objectValue?.keys, "\(name)")
                #expect(handshake["auth"] == [:] && handshake["query"]?["EIO"] == "4", "\(name)")
            }
        }
        #expect(rest.isEmpty, "\(name)")
    }

    @Test func eventsBetweenServers() async throws {
        let group = try RedisVectors.group("redis-adapter")
        let emitter = try RedisVectors.group("redis-emitter")
        try await self.withStage(group) { stage in
            for (group, name) in [
                (group, "serverSideEmit"), (group, "serverSideEmit binary"), (group, "serverSideEmit in a namespace"),
                (emitter, "serverSideEmit"),
            ] {
                for command in try group[name].commands {
                    try await stage.fixture.receive(command.channel, try #require(command.payload))
                }
            }
            #expect(
                stage.events.value == [
                    "/ hello 1,{\"a\":null}", "/ hello {\"type\":\"Buffer\",\"data\":[1]}", "/admin hello ",
                    "/ hello 1,{\"a\":null}",
                ])
            #expect(stage.fixture.sent().allSatisfy { $0.name != "PUBLISH" })
        }
    }

    @Test(arguments: ["redis-adapter", "redis-emitter"]) func joinLeaveAndDisconnect(_ name: String) async throws {
        let group = try RedisVectors.group(name)
        func play(_ entry: String, _ stage: Stage) async throws {
            for command in try group[entry].commands where command.from != "B" {
                guard command.name == "PUBLISH", let payload = command.payload else { continue }
                try await stage.fixture.receive(command.channel, payload.replacing(stage.ids))
            }
        }
        try await self.withStage(group) { stage in
            let (joined, left) = name == "redis-adapter" ? (["j2", "j3"], "j3") : (["r3", "r4"], "r3")
            try await play("socketsJoin", stage)
            let first = Room(name == "redis-adapter" ? "j1" : "r1")
            #expect(stage.b1.rooms.contains(first) && stage.b2.rooms.contains(first))
            stage.b2.leave("r1")
            try await play("socketsJoin filtered", stage)
            for room in joined {
                #expect(stage.b1.rooms.contains(Room(room)) && !stage.b2.rooms.contains(Room(room)))
            }
            if name == "redis-adapter" {
                try await play("socketsLeave", stage)
                #expect(!stage.b1.rooms.contains("j2") && !stage.b2.rooms.contains("j1"))
                try await play("socketsLeave filtered", stage)
                try await play("RemoteSocket join, leave", stage)
                #expect(stage.b1.rooms.contains("y") && !stage.b1.rooms.contains("x"))
                try await play("disconnectSockets of a room", stage)
                try await eventually("b2 is gone") { stage.io.main.socket(id: stage.b2.id) == nil }
                #expect(stage.io.main.socket(id: stage.b1.id) != nil)
                try await play("disconnectSockets with close", stage)
            } else {
                try await play("socketsLeave", stage)
                try await play("disconnectSockets close", stage)
                try await eventually("b1 is gone") { stage.io.main.socket(id: stage.b1.id) == nil }
                #expect(stage.io.main.socket(id: stage.b2.id) != nil)
                try await play("disconnectSockets", stage)
                try await eventually("b2 is gone") { stage.io.main.socket(id: stage.b2.id) == nil }
            }
            #expect(!stage.b1.rooms.contains(Room(left)))
            try await eventually("b1 is gone") { stage.io.main.socket(id: stage.b1.id) == nil }
            #expect(stage.io.of("/admin").socket(id: stage.admin.id) != nil)
        }
    }
}
