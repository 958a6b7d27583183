import Foundation
import NIOCore
import RESP
import SocketIO
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIORedis

/// What an emitter sends is what the official ones have sent, byte for byte.
@Suite struct EmitterVectorTests {
    typealias Operation = @Sendable (RedisEmitter) -> Void

    private struct Empty: Encodable {
        var u: Int?
    }

    /// By the call in JavaScript, as the recording has it.
    private static let operations: [String: Operation] = [
        "emitter.emit(\"e\", 1, \"two\", <Buffer 03>)": { $0.emit("e", 1, "two", ByteBuffer(bytes: [3])) },
        "emitter.emit(\"e\", 1, \"two\")": { $0.emit("e", 1, "two") },
        "emitter.emit(\"e\", <Buffer 01>)": { $0.emit("e", ByteBuffer(bytes: [1])) },
        "emitter.to(\"r1\").emit(\"e\")": { $0.to("r1").emit("e") },
        "emitter.in(\"r1\").to([\"r2\"]).emit(\"e\")": { $0.in("r1").to(["r2"]).emit("e") },
        "emitter.to(\"r1\").except([\"r2\", \"r3\"]).emit(\"e\")": { $0.to("r1").except(["r2", "r3"]).emit("e") },
        "emitter.to(\"r1\").in([\"r2\"]).except(\"r3\").emit(\"e\")": {
            $0.to("r1").in(["r2"]).except("r3").emit("e")
        },
        "emitter.volatile.emit(\"e\")": { $0.volatile.emit("e") },
        "emitter.compress(false).emit(\"e\")": { $0.compress(false).emit("e") },
        "emitter.volatile.compress(false).emit(\"e\")": { $0.volatile.compress(false).emit("e") },
        "emitter.of(\"/admin\").to(\"r1\").emit(\"e\")": { $0.of("/admin").to("r1").emit("e") },
        "emitter.of(\"/admin\").emit(\"e\")": { $0.of("/admin").emit("e") },
        "emitter.of(\"admin\").emit(\"e\")": { $0.of("admin").emit("e") },
        "emitter.emit(\"connect\")": { $0.emit("connect") },
        "emitter.socketsJoin(\"r1\")": { $0.socketsJoin("r1") },
        "emitter.in(\"r1\").except(\"r2\").socketsJoin([\"r3\", \"r4\"])": {
            $0.in("r1").except("r2").socketsJoin(["r3", "r4"])
        },
        "emitter.in(\"r1\").socketsJoin([\"j1\", \"j2\"])": { $0.in("r1").socketsJoin("j1", "j2") },
        "emitter.in(\"r1\").socketsLeave([\"r3\"])": { $0.in("r1").socketsLeave(["r3"]) },
        "emitter.socketsLeave(\"j1\")": { $0.socketsLeave("j1") },
        "emitter.disconnectSockets()": { $0.disconnectSockets() },
        "emitter.in(\"r1\").disconnectSockets(true)": { $0.in("r1").disconnectSockets(close: true) },
        "emitter.in(\"nobody\").disconnectSockets(true)": { $0.in("nobody").disconnectSockets(close: true) },
        "emitter.serverSideEmit(\"hello\", 1, { a: null })": {
            $0.serverSideEmit("hello", 1, ["a": nil] as SocketIOValue)
        },
        "emitter.serverSideEmit(\"hello\", 1)": { $0.serverSideEmit("hello", 1) },
        "new Emitter(client, { key: \"my-app\" }).emit(\"e\")": { $0.emit("e") },
        "new Emitter(client, { streamName: \"my-stream\", maxLen: 5 }).emit(\"e\")": { $0.emit("e") },
    ]

    /// What is not ours: callbacks where questions are asked in another way, an own encoding, and a value whose kinds have no
    /// like in what goes over our wires: dates are text there, and there are no keys without values.
    private static let notOurs: Set<String> = [
        "emitter.serverSideEmit(\"hello\", cb)",
        "new Emitter(client, { parser: { encode: JSON.stringify } }).emit('e', 1)",
        "emitter.emit(\"e\", null, undefined, true, 0.5, new Date(1700000000123), { u: undefined })",
    ]

    private func play(_ vector: RedisVectors.Case, _ adapter: RedisEmitter.Adapter) async throws {
        let call = try #require(vector.fields["js"]?.stringValue)
        if Self.notOurs.contains(call) { return }
        let operation = try #require(Self.operations[call], "\(call) is not known")
        let redis = FakeRedis()
        let errors = Awaited<[String]>([])
        let emitter = RedisEmitter(
            redis.client("emitter"), adapter: adapter, onError: { error in errors.update { $0.append("\(error)") } })
        operation(emitter)
        try await emitter.flush()
        let sent = redis.takeLog()
        try #require(sent.count == vector.commands.count, "\(call): \(sent)")
        // What was refused, was refused.
        #expect(errors.value.isEmpty == (vector.fields["result"]?["exception"] == nil), "\(call): \(errors.value)")
        for (sent, wanted) in zip(sent, vector.commands) {
            #expect(sent.name == wanted.name)
            if let payload = wanted.payload {
                #expect(sent.texts[1] == wanted.channel, "\(call)")
                #expect(sent.arguments[2].hex == payload.hex, "\(call)")
            } else {
                // The reference's streams emitter leaves out the slash, so that nobody hears it.
                let arguments = wanted.arguments.map { $0 == "admin" ? "/admin" : $0 }
                    .map { $0.replacing("\"nsp\":\"admin\"", with: "\"nsp\":\"/admin\"") }
                #expect(sent.texts.dropFirst().elementsEqual(arguments), "\(call): \(sent)")
            }
        }
    }

    @Test func classic() async throws {
        let group = try RedisVectors.group("redis-emitter")
        #expect(group.cases.count > 15)
        for vector in group.cases {
            var options = RedisAdapterOptions()
            if vector.fields["js"]?.stringValue?.contains("my-app") == true { options.key = "my-app" }
            try await self.play(vector, .pubsub(options))
        }
    }

    @Test func streams() async throws {
        let group = try RedisVectors.group("redis-streams-emitter", of: "redis-streams")
        let cases = group.cases.filter { $0.fields["js"] != nil }
        #expect(cases.count > 9)
        for vector in cases {
            let isCustom = vector.fields["js"]?.stringValue?.contains("my-stream") == true
            try await self.play(vector, .streams(isCustom ? .init(streamName: "my-stream", maxLength: 5) : .init()))
        }
    }

    /// The official emitter writes to a stream that no server reads then.
    @Test func writesToTheStreamThatTheNamespaceHas() async throws {
        let redis = FakeRedis()
        let options = RedisStreamsAdapterOptions(streamCount: 3)
        let emitter = RedisEmitter(redis.client("emitter"), adapter: .streams(options))
        for name in ["/", "/admin", "/chat", "/notifications"] { emitter.of(name).emit("e") }
        try await emitter.flush()
        #expect(
            redis.takeLog().map { $0.texts[1] }
                == ["/", "/admin", "/chat", "/notifications"].map { options.stream(of: $0) })
    }

    /// There is no official emitter for it: what is published is what a server publishes, but for the id.
    @Test func shardedIsWhatAServerPublishes() async throws {
        let redis = FakeRedis()
        let emitter = RedisEmitter(redis.client("emitter"), adapter: .sharded())
        emitter.emit("e", 1)
        emitter.to("room").volatile.emit("e")
        emitter.to("room", "room").emit("e")
        emitter.to("12345678901234567890").emit("e")
        emitter.to("a", "b").emit("e")
        emitter.emit("e", ByteBuffer(bytes: [1]))
        emitter.in("room").socketsJoin("other")
        emitter.serverSideEmit("hello")
        try await emitter.flush()
        let sent = redis.takeLog()
        #expect(sent.allSatisfy { $0.name == "SPUBLISH" })
        #expect(
            sent.map { $0.texts[1] }
                == [
                    "socket.io#/#", "socket.io#/#room#", "socket.io#/#room#", "socket.io#/#", "socket.io#/#",
                    "socket.io#/#", "socket.io#/#", "socket.io#/#",
                ])
        #expect(
            sent[0].texts[2]
                == """
                {"type":3,"data":{"packet":{"type":2,"data":["e",1]},"opts":{"rooms":[],"except":[],"flags":{}}},\
                "uid":"emitter","nsp":"/"}
                """)
        #expect(sent[5].arguments[2].getInteger(at: 0, as: UInt8.self) == 0x84)
        #expect(
            sent[6].texts[2]
                == """
                {"type":4,"data":{"opts":{"rooms":["room"],"except":[],"flags":{}},"rooms":["other"]},"uid":"emitter",\
                "nsp":"/"}
                """)
    }

    @Test func staticModeHasNoChannelsOfRooms() async throws {
        let redis = FakeRedis()
        let emitter = RedisEmitter(
            redis.client("emitter"),
            adapter: .sharded(.init(channelPrefix: "my", subscriptionMode: .static)))
        emitter.of("chat").to("room").emit("e")
        try await emitter.flush()
        #expect(redis.takeLog().map { $0.texts[1] } == ["my#/chat#"])
    }
}
