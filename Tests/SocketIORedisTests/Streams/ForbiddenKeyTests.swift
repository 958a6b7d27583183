import Foundation
import NIOCore
import SocketIO
import SocketIOCore
import Testing

@testable import SocketIORedis

/// A key at which Node.js servers with the streams adapter come to a halt is not sent to them.
struct ForbiddenKeyTests {
    private func event(_ argument: SocketIOValue) throws -> ClusterBody {
        let packet = try BroadcastPacket(
            event: "e", arguments: [argument, .binary(ByteBuffer(bytes: [1]))], namespace: "/")
        return .broadcast(try ClusterEvent(packet, namespace: "/"), requestID: nil, BroadcastTarget())
    }

    @Test func keysAreRefused() throws {
        for argument: SocketIOValue in [["__proto__": 1], [["x": ["__proto__": ["y": 2]]]]] {
            let body = try self.event(argument)
            #expect(throws: SocketIOError.self) { try StreamEntry.data(of: body, onlyPlaintext: false) }
            let encoder = ClusterEncoder(uid: "0123456789abcdef", namespace: "/", form: .messagePack)
            #expect(throws: SocketIOError.self) { try encoder.message(body) }
            // Their readers of JSON and of the other dialect take it.
            _ = try StreamEntry.data(of: body, onlyPlaintext: true)
            _ = try ClusterEncoder(uid: "0123456789abcdef", namespace: "/", form: .byContent).message(body)
        }
    }

    @Test func valuesAreNot() throws {
        let body = try self.event(["a": "__proto__", "__proto": "__proto__x", "_": "___proto__"])
        _ = try StreamEntry.data(of: body, onlyPlaintext: false)
    }

    @Test func emittersAndSessionsAreCheckedToo() async throws {
        let redis = FakeRedis()
        let link = redis.client("emitter")
        let emitter = RedisEmitter(link, adapter: .streams(.init()))
        await #expect(throws: SocketIOError.self) {
            try await emitter.publish(
                "e", arguments: [["__proto__": 1], .binary(ByteBuffer(bytes: [1]))] as [SocketIOValue])
        }
        emitter.close()
        await link.shutdown()
        try await withNodes([RedisStreamsAdapter.factory(redis.client("A"))]) { nodes in
            let session = StoredSession(sid: "s", pid: "p", rooms: ["s"], data: ["x": ["__proto__": 1]])
            let adapter = try nodes[0].streams()
            #expect(throws: SocketIOError.self) { try adapter.savingCommand(session, for: .seconds(60)) }
            // It is told to the error hook, and nothing is stored.
            adapter.keepSession(
                LostSession(
                    sid: "s", pid: "p", history: RoomHistory(start: RecoveryPosition()),
                    data: ["x": ["__proto__": 1] as SocketIOValue]),
                for: .seconds(60))
            try await nodes[0].errors.wait("an error") { $0.isEmpty ? nil : true }
            #expect(redis.state.withLock { $0.strings.isEmpty })
        }
    }

    /// A client chooses its query and what it acknowledges with: its server still answers.
    @Test func answersGoWithoutIt() throws {
        let encoder = ClusterEncoder(uid: "0123456789abcdef", namespace: "/", form: .messagePack)
        let socket = SocketDescription(
            id: "__proto__",
            handshake: Handshake(
                headers: ["__proto__": "1", "a": "2"], query: ["__proto__": "1", "b": "3"],
                auth: ["x": [["__proto__": 1, "c": 4]]], address: "", time: Date(timeIntervalSince1970: 0),
                secure: false, xdomain: false, url: "/?__proto__=1"),
            rooms: ["__proto__"], data: ["__proto__": 1, "d": 5])
        let message = try encoder.message(.fetchSocketsResponse([socket], requestID: "id"))
        try ForbiddenKey.check(message)
        let envelope = try #require(try ClusterMessage(message))
        guard case .fetchSocketsResponse(let sockets, "id") = try ClusterBody(envelope.type, envelope.data) else {
            Issue.record("no answer")
            return
        }
        let received = try #require(sockets.first)
        #expect(received.id == "__proto__" && received.rooms == ["__proto__"] && received.data == ["d": 5])
        #expect(received.handshake.query == ["b": "3"] && received.handshake.auth == ["x": [["c": 4]]])
        #expect(received.handshake.headers.map(\.name) == ["a"])

        let value: SocketIOValue = [["__proto__": 1, "e": "__proto__"]]
        for body: ClusterBody in [
            .broadcastAck(value, requestID: "id"), .serverSideEmitResponse(value, requestID: "id"),
        ] {
            let message = try encoder.message(body)
            try ForbiddenKey.check(message)
            #expect(try message.messageValue["data"]?["packet"] == [["e": "__proto__"]])
        }
    }
}
