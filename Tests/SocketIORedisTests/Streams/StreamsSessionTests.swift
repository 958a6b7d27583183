import NIOCore
import RESP
import SocketIO
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIORedis

/// Sessions in the store, in the form of the reference.
@Suite struct StreamsSessionTests {
    private let group: RedisVectors.Group

    init() throws { self.group = try RedisVectors.group("with connection state recovery", of: "redis-streams") }

    /// Redis as it was recorded before a session was restored: all entries up to then, and the session.
    private func withRecording(
        _ body: (RedisStreamsAdapter, FakeRedisClient) async throws -> Void
    ) async throws {
        let redis = FakeRedis()
        let client = redis.client("A")
        client.start()
        for vector in self.group.cases {
            for entry in vector.fields["entries"]?.arrayValue ?? [] {
                var texts = [
                    "XADD", try #require(entry["stream"]?.stringValue), try #require(entry["id"]?.stringValue),
                ]
                for field in entry["fields"]?.arrayValue ?? [] {
                    texts += [field[0]?.stringValue ?? "", field[1]?.stringValue ?? ""]
                }
                _ = try await client.send(RedisCommand(arguments: texts.map { ByteBuffer(string: $0) }))
            }
        }
        let lost = try self.group["a client loses its connection: persistSession"]
        _ = try await client.send(
            RedisCommand(arguments: (["SET"] + lost.commands[0].arguments).map { ByteBuffer(string: $0) }))
        try await withNodes([RedisStreamsAdapter.factory(client)]) { nodes in
            _ = redis.takeLog()
            try await body(try nodes[0].streams(), client)
        }
    }

    private func arguments(_ name: String) throws -> (pid: String, offset: String) {
        let arguments = try #require(try self.group[name].fields["arguments"])
        return (try #require(arguments["pid"]?.stringValue), try #require(arguments["offset"]?.stringValue))
    }

    /// What a client gets that comes back with this offset.
    private func missed(_ adapter: RedisStreamsAdapter, _ session: LostSession, _ offset: String) async throws
        -> [SocketIOValue]
    {
        let position = try #require(adapter.position(of: offset))
        let missed = try await adapter.missed(by: session, after: position, isFirst: true, limit: .max)
        #expect(missed.upTo >= position)
        return try missed.packets.map { packet in
            let (name, arguments) = try decodeOwnEvent(EncodedPacket(frames: packet.frames, attachmentCount: 0))
            return .array([.string(name)] + arguments)
        }
    }

    @Test func saving() async throws {
        let recorded = try self.group["a client loses its connection: persistSession"]
        let key = try #require(recorded.fields["keys"]?[0])
        let session = try #require(key["decoded"])
        let redis = FakeRedis()
        try await withNodes([RedisStreamsAdapter.factory(redis.client("A"))]) { nodes in
            let command = try nodes[0].streams().savingCommand(
                StoredSession(
                    sid: try #require(session["sid"]?.stringValue), pid: try #require(session["pid"]?.stringValue),
                    rooms: (session["rooms"]?.arrayValue ?? []).compactMap { Room($0) }),
                for: .seconds(60))
            #expect(command.arguments.dropFirst().map { String(buffer: $0) } == recorded.commands[0].arguments)
        }
    }

    @Test func restoring() async throws {
        try await self.withRecording { adapter, client in
            let (pid, offset) = try self.arguments("restoreSession on the other server")
            let result = try self.group["restoreSession on the other server"].fields["result"]
            let session = try await adapter.takeSession(pid: pid)
            #expect(session.sid == result?["sid"]?.stringValue && session.pid == pid && !session.startIsKnown)
            #expect(Set(session.rooms) == Set(result?["rooms"]?.arrayValue?.compactMap { Room($0) } ?? []))
            #expect(session.data.isEmpty)
            let recorded = try #require(try RedisVectors.value(result?["missedPackets"] ?? .null)?.arrayValue)
            // The reference replays volatile packets too.
            let expected = recorded.filter { $0[0] != "volatile is in the stream too" }
            #expect(expected.count == 3)
            #expect(try await self.missed(adapter, session, offset) == expected)
            // It is gone now.
            await #expect(throws: RecoveryError.self) { try await adapter.takeSession(pid: pid) }
        }
    }

    /// What is ours in a session comes back as it was, and a server of the reference finds its own in it.
    @Test func historyIsKept() async throws {
        try await self.withRecording { adapter, client in
            func at(_ high: UInt64, _ low: UInt64) -> RecoveryPosition { RecoveryPosition(high: high, low: low) }
            var history = RoomHistory(start: at(5, 1))
            history.since = ["a": at(6, 0), "b": at(7, .max)]
            history.past = [.init(room: "c", from: at(5, 2), to: at(5, 3))]
            history.forgottenUpTo = at(5, 0)
            let session = LostSession(sid: "s", pid: "p", history: history, data: ["x": 1, "y": [true]])
            adapter.keepSession(session, for: .seconds(60))
            let stored = try #require(try await adapter.takeStoredSession(pid: "p"))
            #expect(stored.sid == "s" && Set(stored.rooms) == ["s", "a", "b"] && stored.history == history)
            #expect(stored.data == ["x": 1, "y": [true]])
            adapter.keepSession(session, for: .seconds(60))
            let taken = try await adapter.takeSession(pid: "p")
            #expect(taken.history == history && taken.startIsKnown && taken.namespaceIsKnown)
            // One of which that is not known stays so when it is given back.
            var foreign = session
            foreign.namespaceIsKnown = false
            adapter.keepSession(foreign, for: .seconds(60))
            #expect(try await !adapter.takeSession(pid: "p").namespaceIsKnown)
            // Of another namespace, though in the same place.
            let other = StoredSession(sid: "s", pid: "p", rooms: ["s"], namespace: "/other", history: history)
            _ = try await client.send(adapter.savingCommand(other, for: .seconds(60)))
            await #expect(throws: RecoveryError.self) { try await adapter.takeSession(pid: "p") }
        }
    }

    @Test func unknownOffset() async throws {
        try await self.withRecording { adapter, client in
            let (pid, offset) = try self.arguments("restoreSession on the other server")
            for invalid in ["", "abc", "1", "1-2-3", "+", "1-1 ", String(repeating: "1", count: 50) + "-1"] {
                #expect(adapter.position(of: invalid) == nil)
            }
            await #expect(throws: RecoveryError.self) { try await adapter.takeSession(pid: "another") }
            let session = try await adapter.takeSession(pid: pid)
            // Of before the stream, and of times to come.
            for offset in ["1-1", "18446744073709551615-18446744073709551615"] {
                await #expect(throws: RecoveryError.self) { try await self.missed(adapter, session, offset) }
            }
            #expect(try await self.missed(adapter, session, offset).count == 3)
            // More than is allowed.
            let position = try #require(adapter.position(of: offset))
            await #expect(throws: RecoveryError.self) {
                try await adapter.missed(by: session, after: position, isFirst: false, limit: 100)
            }
        }
    }

    /// Anybody can make up ids: looking for one costs little, and many at a time cost less.
    @Test func idsThatAreMadeUp() async throws {
        let redis = FakeRedis()
        let client = redis.client("A")
        client.start()
        try await withNodes([
            RedisStreamsAdapter.factory(client, options: .init(maxSessionSearches: 1))
        ]) { nodes in
            let adapter = try nodes[0].streams()
            func commands(_ pid: String) async throws -> (names: [String], failure: RecoveryFailure?) {
                _ = redis.takeLog()
                let error = await #expect(throws: RecoveryError.self) { try await adapter.takeSession(pid: pid) }
                let sent = redis.takeLog().filter { sent in
                    if sent.name == "PUBLISH" { return sent.texts.contains { $0.contains("#returns#") } }
                    return ["MULTI", "GET", "DEL", "EXEC", "EXISTS"].contains(sent.name)
                }
                return (sent.map(\.name), error?.failure)
            }
            let look = ["MULTI", "GET", "DEL", "EXEC"]
            let alone = try await commands("AAAAAAAAAAAAAAAAAAAA")
            #expect(alone.names == look + ["PUBLISH"] + Array(repeating: "EXISTS", count: 6))
            #expect(alone.failure == .unknownSession)
            // Another one is being looked for.
            #expect(adapter.hub.beginSearch(limit: 1))
            let further = try await commands("BBBBBBBBBBBBBBBBBBBB")
            #expect(further.names == look && further.failure == .limited)
            // One that is there is found all the same.
            let session = LostSession(sid: "s", pid: "p", history: RoomHistory(start: RecoveryPosition()), data: [:])
            adapter.keepSession(session, for: .seconds(60))
            #expect(try await adapter.takeSession(pid: "p").sid == "s")
            adapter.hub.endSearch()
            // One that is written meanwhile, too. (This task may be kept waiting for longer than it is looked for.)
            var isFound = false
            for _ in 0..<5 where !isFound {
                _ = redis.takeLog()
                async let taken = try? adapter.takeSession(pid: "p")
                try await eventually("it is looked for") { redis.log.value.contains { $0.name == "PUBLISH" } }
                adapter.keepSession(session, for: .seconds(60))
                isFound = await taken?.sid == "s"
                if !isFound { _ = try await adapter.takeStoredSession(pid: "p") }
            }
            #expect(isFound)
            #expect(adapter.hub.state.withLock { $0.searches } == 0)
        }
    }

    @Test func garbageInTheStore() async throws {
        try await self.withRecording { adapter, client in
            let (pid, _) = try self.arguments("restoreSession on the other server")
            for text in ["", "!", "gA==", "wA==", "3f////8=", "hKNzaWTA"] {
                _ = try await client.send(RedisCommand("SET", "sio:session:\(pid)", text))
                #expect(try await adapter.takeStoredSession(pid: pid) == nil)
            }
        }
    }

    /// An entry with the id of an acknowledgement was meant for one moment; malformed ones are nobody's.
    @Test func whatIsNotMissed() async throws {
        try await self.withRecording { adapter, client in
            let (pid, offset) = try self.arguments("restoreSession on the other server")
            let data = [
                #"{"packet":{"type":2,"data":["with id"],"id":3},"opts":{"rooms":[],"except":[],"flags":{}}}"#,
                #"{"packet":{"type":2,"data":["no opts"]}}"#, "{", #"{"packet":{"type":2,"data":[]},"opts":{}}"#,
                #"{"packet":{"type":2,"data":["nobody"]},"opts":{"rooms":[null]}}"#,
                #"{"packet":{"type":2,"data":["missed"]},"opts":{"rooms":["r1"]}}"#,
            ]
            for text in data {
                _ = try await client.send(
                    RedisCommand("XADD", "socket.io", "*", "uid", "x", "nsp", "/", "type", "3", "data", text))
            }
            let session = try await adapter.takeSession(pid: pid)
            let missed = try await self.missed(adapter, session, offset)
            #expect(missed.map { $0[0] } == ["missed", "missed", "missed", "missed"])
        }
    }
}
