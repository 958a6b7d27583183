import Foundation
import NIOCore
import RESP
import SocketIO
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIORedis

/// What was done in the cases of the recording, in Swift.
extension ClassicSendingVectorTests {
    static func ids(_ found: ClusterAnswer<RemoteSocket>) -> SocketIOValue {
        .array(found.map { .string($0.id) })
    }

    /// Given in place of the recording's times where answers must come: machines that run tests may be busy.
    static var patience: Duration { .seconds(30) }

    static let operations: [String: Operation] = [
        "five clients connect": { _ in nil },
        "join rooms": { stage in
            stage.a1.join("r1")
            stage.a1.join("r2")
            return nil
        },
        "emit to all": { stage in
            stage.io.emit("e", 1, "two", ["three": [3]] as SocketIOValue)
            return nil
        },
        "emit without arguments": { stage in
            stage.io.emit("e")
            return nil
        },
        "emit in a namespace": { stage in
            stage.io.of("/admin").emit("e")
            return nil
        },
        "emit to one room": { stage in
            stage.io.to("r1").emit("e")
            return nil
        },
        "emit to two rooms": { stage in
            stage.io.to("r1").to("r2").emit("e")
            return nil
        },
        "emit to an array of three rooms": { stage in
            stage.io.to(["r1", "r2", "r3"]).emit("e")
            return nil
        },
        "emit twice the same room": { stage in
            stage.io.to("r1").to("r1").emit("e")
            return nil
        },
        "emit to a room without members": { stage in
            stage.io.to("nobody").emit("e")
            return nil
        },
        "emit to a socket id on the other server": { stage in
            stage.io.to(Room(stage.b1)).emit("e")
            return nil
        },
        "emit to a room with # and unicode": { stage in
            stage.io.to("a#b€").emit("e")
            return nil
        },
        "emit to a numeric room": { stage in
            stage.io.to("42").emit("e")
            return nil
        },
        "emit to an empty room name": { stage in
            stage.io.to("").emit("e")
            return nil
        },
        "except one room": { stage in
            stage.io.except("r1").emit("e")
            return nil
        },
        "to a room except another": { stage in
            stage.io.to("r1").except(["r2", "r3"]).emit("e")
            return nil
        },
        "socket.broadcast": { stage in
            stage.a1.broadcast.emit("e")
            return nil
        },
        "socket.to(room)": { stage in
            stage.a1.to("r1").emit("e")
            return nil
        },
        "volatile": { stage in
            stage.io.volatile.emit("e")
            return nil
        },
        "compress(false)": { stage in
            stage.io.compress(false).emit("e")
            return nil
        },
        "compress(true) volatile to room": { stage in
            stage.io.to("r1").compress(true).volatile.emit("e")
            return nil
        },
        "timeout without acknowledgement": { stage in
            stage.io.timeout(.seconds(1)).emit("e")
            return nil
        },
        "local must not publish": { stage in
            stage.io.local.emit("e")
            return nil
        },
        "socket.emit does not publish (no recovery)": { stage in
            stage.a1.emit("e")
            return nil
        },
        "socket.emit with acknowledgement does not publish": { stage in
            .string(try await stage.a1.emitWithAck("question"))
        },
        "binary": { stage in
            stage.io.emit("e", ByteBuffer(bytes: [1, 2, 3]))
            return nil
        },
        "binary nested": { stage in
            let value: SocketIOValue = [
                "a": [.binary(ByteBuffer(bytes: [1])), ["b": .binary(ByteBuffer())]]
            ]
            stage.io.to("r1").emit("e", value, "x")
            return nil
        },
        "binary typed array and array buffer": { stage in
            stage.io.emit("e", Data([1, 2]), Data([3]))
            return nil
        },
        "values": { stage in
            stage.io.emit(
                "e", SocketIOValue.null, SocketIOValue.null, true, false, 0, -0.0, -1, 0.5, 1e21, 4_294_967_296,
                Double.nan, "", [] as SocketIOValue, [:] as SocketIOValue, [:] as SocketIOValue,
                Date(timeIntervalSince1970: 0), Date(timeIntervalSince1970: 1_700_000_000.123))
            return nil
        },
        "values with binary": { stage in
            stage.io.emit(
                "e", ByteBuffer(bytes: [1]), SocketIOValue.null, SocketIOValue.null, [:] as SocketIOValue,
                Date(timeIntervalSince1970: 1_700_000_000.123), 0.5, 1e21, -0.0)
            return nil
        },
        "unicode": { stage in
            stage.io.emit("évènement", "€", "😀")
            return nil
        },
        "big payload": { stage in
            stage.io.emit("e", String(repeating: "x", count: 70_000))
            return nil
        },
        "broadcast with acknowledgement": { stage in
            .array(try await stage.io.timeout(Self.patience).emitWithAck("question", 1))
        },
        "broadcast with acknowledgement to one room": { stage in
            .array(
                try await stage.io.to("r1").timeout(Self.patience).emitWithAck("question", ByteBuffer(bytes: [1])))
        },
        "broadcast with acknowledgement, no client concerned": { stage in
            .array(try await stage.io.to("nobody").timeout(Self.patience).emitWithAck("question"))
        },
        "broadcast with acknowledgement, timeout": { stage in
            do {
                let answers: [SocketIOValue] = try await stage.io.timeout(.milliseconds(200)).emitWithAck("silent")
                return .array(answers)
            } catch let error as BroadcastAckError {
                #expect(error.missing.count == 2)
                return ["error": "operation has timed out", "responses": .array(error.answers)]
            }
        },
        "broadcast with acknowledgement in a namespace": { stage in
            do {
                let answers: [SocketIOValue] = try await stage.io.of("/admin").timeout(.milliseconds(300)).emitWithAck(
                    "silent")
                return .array(answers)
            } catch let error as BroadcastAckError {
                return ["exception": "operation has timed out", "responses": .array(error.answers)]
            }
        },
        "fetchSockets": { stage in
            stage.a1.data[SocketDataKey<String>("name")] = "alice"
            let found = try await stage.io.fetchSockets()
            #expect(found.isComplete)
            let first = try #require(found.first { $0.id == stage.b1 })
            #expect(first.handshake.query == ["q": "1", "EIO": "4", "transport": "websocket"])
            #expect(first.handshake.issued == 1_795_336_890_492)
            #expect(first.handshake.headers["upgrade"] == ["websocket"])
            #expect(first.handshake.address == "::ffff:127.0.0.1" && first.handshake.auth == [:])
            return .array(
                found.map { socket in
                    [
                        "id": .string(socket.id),
                        "rooms": .array(socket.rooms.map { .string($0.name) }),
                        "data": .object(SocketIOValue.Object(socket.data.map { ($0.key, $0.value) })),
                    ]
                })
        },
        "fetchSockets of a room": { stage in
            Self.ids(try await stage.io.in("r1").except("r2").fetchSockets())
        },
        "fetchSockets local": { stage in Self.ids(try await stage.io.local.fetchSockets()) },
        "RemoteSocket emit": { stage in
            try await stage.io.in(Room(stage.b1)).fetchSockets().first?.emit("e", 1)
            return nil
        },
        "RemoteSocket emit with acknowledgement": { stage in
            let remote = try #require(try await stage.io.in(Room(stage.b1)).fetchSockets().first)
            return .string(try await remote.emitWithAck("question", timeout: Self.patience))
        },
        "RemoteSocket join, leave": { stage in
            let remote = try await stage.io.in(Room(stage.b1)).fetchSockets().first
            remote?.join("x", "y")
            remote?.leave("x")
            return nil
        },
        "serverSideEmit": { stage in
            stage.io.serverSideEmit("hello", 1, ["a": nil] as SocketIOValue)
            return nil
        },
        "serverSideEmit binary": { stage in
            stage.io.serverSideEmit("hello", ByteBuffer(bytes: [1]))
            return nil
        },
        "serverSideEmit with acknowledgement": { stage in
            let answers: ClusterAnswer<SocketIOValue> = try await stage.io.serverSideEmitWithAck("ask", 1, "x")
            return .array(answers.elements)
        },
        "serverSideEmit with acknowledgement, binary answer": { stage in
            let answers: ClusterAnswer<SocketIOValue> = try await stage.io.serverSideEmitWithAck("ask-binary")
            return .array(answers.elements)
        },
        "serverSideEmit with acknowledgement (still the common response channel)": { stage in
            let answers: ClusterAnswer<SocketIOValue> = try await stage.io.serverSideEmitWithAck("ask", 1)
            return .array(answers.elements)
        },
        "serverSideEmit in a namespace": { stage in
            stage.io.of("/admin").serverSideEmit("hello")
            return nil
        },
        "serverCount": { stage in .int(try await stage.io.main.adapter.serverCount()) },
        "socketsJoin": { stage in
            stage.io.socketsJoin("j1")
            #expect(stage.a2.rooms.contains("j1"), "in force at once")
            return nil
        },
        "socketsJoin filtered": { stage in
            stage.io.in("r1", "r2").except("j9").socketsJoin("j2", "j3")
            return nil
        },
        "socketsJoin local": { stage in
            stage.io.local.socketsJoin("j4")
            return nil
        },
        "socketsLeave": { stage in
            stage.io.socketsLeave("j1", "j2")
            return nil
        },
        "socketsLeave filtered": { stage in
            stage.io.in("r1").socketsLeave("j3")
            return nil
        },
        "allRooms": { stage in
            let rooms = try await stage.fixture.adapter().allRooms()
            #expect(rooms.isComplete)
            return .array(rooms.map { .string($0.name) })
        },
        "a client leaves its last room": { stage in
            stage.a1.leave("r1")
            return nil
        },
        "disconnectSockets of a room": { stage in
            stage.io.in("42").disconnectSockets()
            return nil
        },
        "disconnectSockets with close": { stage in
            stage.io.except(Room(stage.a1.id)).disconnectSockets(close: true)
            try await eventually("a2 is gone") { stage.io.main.socket(id: stage.a2.id) == nil }
            return nil
        },
        "a client disconnects": { stage in
            stage.a1.disconnect()
            return nil
        },
    ]

    /// Those of the group with answers for one server only that are named as others and do something else.
    static let specificOperations: [String: Operation] = [
        "fetchSockets": { stage in Self.ids(try await stage.io.fetchSockets()) },
        "broadcast with acknowledgement": { stage in
            .array(try await stage.io.timeout(Self.patience).emitWithAck("question"))
        },
    ]
}
