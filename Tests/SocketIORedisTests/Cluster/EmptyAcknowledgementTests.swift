import NIOCore
import RESP
import SocketIO
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIORedis

/// A client that acknowledges without an argument has said `undefined`. In messages that is a key that is not there; null would
/// be another value.
@Suite struct EmptyAcknowledgementTests {
    @Test(arguments: ["classic", "sharded", "streams"])
    func leavesTheKeyOut(adapter: String) async throws {
        let redis = FakeRedis()
        let factories = ["A", "B"].map { name -> AdapterFactory in
            let client = redis.client(name)
            return switch adapter {
            case "classic": RedisAdapter.factory(client)
            case "sharded": ShardedRedisAdapter.factory(client)
            default: RedisStreamsAdapter.factory(client)
            }
        }
        try await withNodes(factories) { nodes in
            let client = try await nodes[1].client()
            async let answers = nodes[0].io.emitWithAck("question", as: SocketIOValue.self)
            async let others = nodes[0].io.emitWithAck("null", as: SocketIOValue.self)
            for _ in 0..<2 {
                let event = try await client.nextEvent()
                if event.name == "null" { try client.acknowledge(event, "null") } else { try client.acknowledge(event) }
            }
            #expect(try await answers == [.null])
            #expect(try await others == [.null])
            let messages = redis.log.value.filter { $0.client == "B" && $0.name.hasSuffix("PUBLISH") }
                .compactMap { try? $0.arguments[2].messageValue }
            let acknowledgements = messages.filter { $0["type"] == (adapter == "classic" ? 9 : 12) }
                .map { $0["data"] ?? $0 }
            #expect(acknowledgements.count == 2)
            #expect(acknowledgements.count { $0["packet"]?.isNull ?? false } == 1)
            #expect(acknowledgements.count { $0.objectValue?.keys.contains("packet") == false } == 1)
        }
    }
}
