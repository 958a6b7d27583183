import NIOCore
import RESP
import SocketIO
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIORedis

/// What a client may send, and a server may broadcast, the other servers read.
@Suite struct DeepValueTests {
    private static func nested(_ levels: Int, _ core: SocketIOValue) -> SocketIOValue {
        (0..<levels).reduce(core) { value, _ in [value] }
    }

    @Test(arguments: EmitterKind.allCases, [SocketIOValue.int(1), .binary(ByteBuffer(bytes: [1, 2]))])
    func cross(_ kind: EmitterKind, _ core: SocketIOValue) async throws {
        let redis = FakeRedis()
        try await withNodes([kind.factory(redis.client("A")), kind.factory(redis.client("B"))]) { nodes in
            let deep = Self.nested(300, core)
            // What arrives as JSON has the form of Node.js' `Buffer`.
            let forms = [deep, deep.withoutBinary]
            nodes[1].io.on("ask") { (value: SocketIOValue) -> SocketIOValue in value }
            let answers = try await nodes[0].io.serverSideEmitWithAck("ask", deep, as: SocketIOValue.self)
            #expect(answers.isComplete && answers.elements.count == 1)
            #expect(answers.elements.first.map { forms.contains($0) } == true)

            let client = try await nodes[1].client()
            let sockets = try await nodes[0].io.fetchSockets()
            #expect(sockets.count == 1 && sockets.isComplete)
            nodes[0].io.emit("deep", Self.nested(500, core))
            nodes[0].io.emit("end")
            #expect(try await client.nextEvent().name == "deep")
            #expect(try await client.nextEvent().name == "end")
            #expect(nodes.allSatisfy { $0.errors.value.isEmpty })
        }
    }
}
