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
}
