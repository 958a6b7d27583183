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

    @Test func saving() async throws {
        let recorded = try self.group["a client loses its connection: persistSession"]
        let key = try #require(recorded.fields["keys"]?[0])
        let session = try #require(key["decoded"])
        let redis = FakeRedis()
        try await withNodes([RedisStreamsAdapter.factory(redis.client("A"))]) { nodes in
            _ = redis.takeLog()
            try await nodes[0].streams().saveSession(
                StoredSession(
                    sid: try #require(session["sid"]?.stringValue), pid: try #require(session["pid"]?.stringValue),
                    rooms: (session["rooms"]?.arrayValue ?? []).compactMap { Room($0) }),
                for: .seconds(60))
            let sent = redis.takeLog().filter { $0.name == "SET" }.map { Array($0.texts.dropFirst()) }
            #expect(sent == [recorded.commands[0].arguments])
        }
    }

    @Test func restoring() async throws {
        try await self.withRecording { adapter, client in
            let (pid, offset) = try self.arguments("restoreSession on the other server")
            let result = try self.group["restoreSession on the other server"].fields["result"]
            let restored = try #require(try await adapter.restoreSession(pid: pid, offset: offset))
            #expect(restored.session.sid == result?["sid"]?.stringValue && restored.session.pid == pid)
            #expect(restored.session.rooms == result?["rooms"]?.arrayValue?.compactMap { Room($0) })
            #expect(restored.session.data == [:])
            let recorded = try #require(try RedisVectors.value(result?["missedPackets"] ?? .null)?.arrayValue)
            // The reference replays volatile packets too.
            let expected = recorded.filter { $0[0] != "volatile is in the stream too" }
            #expect(expected.count == 3)
            let missed = try restored.missedPackets.map { missed in
                SocketIOValue.array(
                    [.string(missed.packet.event)] + (try missed.packet.arguments()) + [.string(missed.offset)])
            }
            #expect(missed == expected)
            // It is gone now.
            #expect(try await adapter.restoreSession(pid: pid, offset: offset) == nil)
        }
    }

    @Test func unknownOffset() async throws {
        try await self.withRecording { adapter, client in
            let (pid, offset) = try self.arguments("restoreSession on the other server")
            for invalid in ["", "abc", "1", "1-2-3", "+", "1-1 ", String(repeating: "1", count: 50) + "-1"] {
                #expect(try await adapter.restoreSession(pid: pid, offset: invalid) == nil)
            }
            #expect(try await adapter.restoreSession(pid: String(repeating: "x", count: 10_000), offset: offset) == nil)
            #expect(try await adapter.restoreSession(pid: "another", offset: offset) == nil)
            // The session is taken, as the reference does.
            #expect(try await adapter.restoreSession(pid: pid, offset: "1-1") == nil)
            #expect(try await adapter.restoreSession(pid: pid, offset: offset) == nil)
        }
    }

    @Test func garbageInTheStore() async throws {
        try await self.withRecording { adapter, client in
            let (pid, offset) = try self.arguments("restoreSession on the other server")
            for text in ["", "!", "gA==", "wA==", "3f////8=", "hKNzaWTA"] {
                _ = try await client.send(RedisCommand("SET", "sio:session:\(pid)", text))
                #expect(try await adapter.restoreSession(pid: pid, offset: offset) == nil)
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
            let restored = try #require(try await adapter.restoreSession(pid: pid, offset: offset))
            #expect(restored.missedPackets.map(\.packet.event) == ["missed", "missed", "missed", "missed"])
        }
    }
}
