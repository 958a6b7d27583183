import NIOCore
import SocketIO
import SocketIOCore
import Testing

/// The operations of the recorded cases, in Swift. Ids are those of the recording.
enum VectorOperations {
    typealias Operation = @Sendable (_ server: SocketIOServer, _ ids: SocketIOValue) async throws -> Void

    private static func bytes(_ bytes: UInt8...) -> SocketIOValue { .binary(ByteBuffer(bytes: bytes)) }

    private static func id(_ name: String, _ ids: SocketIOValue) throws -> Room {
        Room(try #require(ids[name]?.stringValue))
    }

    /// What a case of broadcasts or changes does, by its name in the files.
    static let sends: [String: Operation] = [
        "emit": { server, _ in server.of("/").emit("e", 1) },
        "emit in /admin": { server, _ in server.of("/admin").emit("e") },
        "emit to all": { server, _ in
            server.of("/").emit("e", 1, "two", ["three": [3]] as SocketIOValue)
        },
        "emit without arguments": { server, _ in server.of("/").emit("e") },
        "emit in a namespace": { server, _ in server.of("/admin").emit("e") },
        "emit to one room": { server, _ in server.of("/").to("r1").emit("e") },
        "emit to two rooms": { server, _ in server.of("/").to("r1").to("r2").emit("e") },
        "emit to an array of three rooms": { server, _ in server.of("/").to("r1", "r2", "r3").emit("e") },
        "emit twice the same room": { server, _ in server.of("/").to("r1").to("r1").emit("e") },
        "emit to a room without members": { server, _ in server.of("/").to("nobody").emit("e") },
        "emit to a socket id on the other server": { server, ids in
            server.of("/").to(try Self.id("b1", ids)).emit("e")
        },
        "emit to a room with # and unicode": { server, _ in server.of("/").to("a#b€").emit("e") },
        "emit to an empty room name": { server, _ in server.of("/").to("").emit("e") },
        "emit to rooms except": { server, _ in server.of("/").to("r1", "r2").except("r3").emit("e") },
        "except one room": { server, _ in server.of("/").except("r1").emit("e") },
        "to a room except another": { server, _ in server.of("/").to("r1").except("r2", "r3").emit("e") },
        "socket.broadcast": { server, ids in server.of("/").except(try Self.id("a1", ids)).emit("e") },
        "socket.to(room)": { server, ids in server.of("/").to("r1").except(try Self.id("a1", ids)).emit("e") },
        "volatile": { server, _ in server.of("/").volatile.emit("e") },
        "compress(false)": { server, _ in server.of("/").compress(false).emit("e") },
        "compress(true) volatile to room": { server, _ in
            server.of("/").to("r1").compress(true).volatile.emit("e")
        },
        "timeout without acknowledgement": { server, _ in server.of("/").timeout(.milliseconds(1000)).emit("e") },
        "binary": { server, _ in server.of("/").emit("e", Self.bytes(1, 2, 3)) },
        "binary with onlyPlaintext": { server, _ in server.of("/").emit("e", Self.bytes(1)) },
        "binary nested": { server, _ in
            server.of("/").to("r1").emit("e", ["a": [Self.bytes(1), ["b": Self.bytes()]]] as SocketIOValue, "x")
        },
        "binary nested to a room": { server, _ in
            server.of("/").to("r1").emit("e", ["a": [Self.bytes(1), ["b": Self.bytes()]]] as SocketIOValue)
        },
        "binary typed array and array buffer": { server, _ in
            server.of("/").emit("e", Self.bytes(1, 2), Self.bytes(3))
        },
        "binary typed array": { server, _ in server.of("/").emit("e", Self.bytes(1, 2)) },
        "unicode": { server, _ in server.of("/").emit("évènement", "€", "😀") },
        "big payload": { server, _ in server.of("/").emit("e", String(repeating: "x", count: 70_000)) },
        "serverSideEmit in a namespace": { server, _ in server.of("/admin").serverSideEmit("hello") },
        "serverSideEmit binary": { server, _ in server.of("/").serverSideEmit("hello", Self.bytes(1)) },
        "socketsJoin filtered": { server, _ in
            server.of("/").in("r1", "r2").except("j9").socketsJoin("j2", "j3")
        },
        "socketsLeave filtered": { server, _ in server.of("/").in("r1").socketsLeave("j3") },
        "disconnectSockets of a room": { server, _ in server.of("/").in("42").disconnectSockets() },
        "local must not publish": { server, _ in server.of("/").local.emit("e") },
        "socketsJoin local": { server, _ in server.of("/").local.socketsJoin("j4") },
    ]

    /// Those whose name means something else in each file.
    static let shardedSends: [String: Operation] = [
        "serverSideEmit": { server, _ in server.of("/").serverSideEmit("hello", 1, ["a": nil] as SocketIOValue) },
        "socketsJoin": { server, _ in server.of("/").socketsJoin("j1") },
        "socketsLeave": { server, _ in server.of("/").socketsLeave("j1", "j2") },
        "disconnectSockets with close": { server, ids in
            server.of("/").except(try Self.id("a1", ids)).disconnectSockets(close: true)
        },
        "values": { server, _ in
            server.of("/").emit(
                "e", SocketIOValue.null, SocketIOValue.null, true, false, 0, SocketIOValue.double(-0.0), -1, 0.5, 1e21,
                4_294_967_296, Double.nan, "", [] as SocketIOValue, [:] as SocketIOValue, [:] as SocketIOValue,
                "1970-01-01T00:00:00.000Z", "2023-11-14T22:13:20.123Z")
        },
    ]

    static let streamsSends: [String: Operation] = [
        "serverSideEmit": { server, _ in server.of("/").serverSideEmit("hello", 1, Self.bytes(2)) },
        "socketsJoin": { server, _ in server.of("/").in("r1").except("r9").socketsJoin("j1", "j2") },
        "socketsLeave": { server, _ in server.of("/").socketsLeave("j1") },
        "disconnectSockets": { server, _ in server.of("/").in("nobody").disconnectSockets() },
        "disconnectSockets with close": { server, _ in server.of("/").in("nobody").disconnectSockets(close: true) },
        "values": { server, _ in
            server.of("/").emit(
                "e", SocketIOValue.null, SocketIOValue.null, true, 0, SocketIOValue.double(-0.0), 0.5, 1e21, Double.nan,
                "€😀", [:] as SocketIOValue, "1970-01-01T00:00:00.000Z")
        },
    ]

    /// What asks the other servers. They do not answer here, so each ends in its timeout.
    static let questions: [String: Operation] = [
        "broadcast with acknowledgement": { server, _ in try await Self.ask(server, "question", 1) },
        "broadcast with acknowledgement (PUBLISH, not in the stream)": { server, _ in
            try await Self.ask(server, "question", 1)
        },
        "broadcast with acknowledgement, no client concerned": { server, _ in
            _ = try? await server.of("/").to("nobody").timeout(.milliseconds(300)).emitWithAck(
                "question", as: SocketIOValue.self)
        },
        "broadcast with acknowledgement, timeout": { server, _ in
            _ = try? await server.of("/").timeout(.milliseconds(200)).emitWithAck("silent", as: SocketIOValue.self)
        },
        "broadcast with acknowledgement in a namespace": { server, _ in
            _ = try? await server.of("/admin").timeout(.milliseconds(300)).emitWithAck(
                "silent", as: SocketIOValue.self)
        },
        "fetchSockets of a room with timeout": { server, _ in
            _ = try await server.of("/").in("r1").timeout(.milliseconds(700)).fetchSockets()
        },
    ]

    private static func ask(_ server: SocketIOServer, _ event: String, _ argument: Int) async throws {
        _ = try? await server.of("/").timeout(.milliseconds(1000)).emitWithAck(event, argument, as: SocketIOValue.self)
    }

    /// Those that wait as long as the adapter does.
    static let shardedQuestions: [String: Operation] = [
        "broadcast with acknowledgement to one room": { server, _ in
            _ = try? await server.of("/").to("r1").timeout(.milliseconds(1000)).emitWithAck(
                "question", Self.bytes(1), as: SocketIOValue.self)
        },
        "fetchSockets": { server, _ in _ = try await server.of("/").fetchSockets() },
        "fetchSockets of a room": { server, _ in _ = try await server.of("/").in("r1").except("r2").fetchSockets() },
        "serverSideEmit with acknowledgement": { server, _ in
            _ = try await server.of("/").serverSideEmitWithAck("ask", 1, "x", as: SocketIOValue.self)
        },
        "serverSideEmit with acknowledgement, binary answer": { server, _ in
            _ = try await server.of("/").serverSideEmitWithAck("ask-binary", as: SocketIOValue.self)
        },
        "fetchSockets local": { server, _ in _ = try await server.of("/").local.fetchSockets() },
    ]

    static let streamsQuestions: [String: Operation] = [
        "broadcast with acknowledgement to one room": { server, _ in
            _ = try? await server.of("/").to("r1").timeout(.milliseconds(1000)).emitWithAck(
                "question", as: SocketIOValue.self)
        },
        "fetchSockets": { server, _ in _ = try await server.of("/").fetchSockets() },
        "serverSideEmit with acknowledgement": { server, _ in
            _ = try await server.of("/").serverSideEmitWithAck("ask", 1, as: SocketIOValue.self)
        },
        "serverSideEmit with acknowledgement, binary answer": { server, _ in
            _ = try await server.of("/").serverSideEmitWithAck("ask-binary", as: SocketIOValue.self)
        },
    ]
}
