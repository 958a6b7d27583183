import Logging
import NIOCore
import SocketIO
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIORedis

/// An emitter and three servers, each with a client of its own, on a real Redis.
@Suite struct EmitterRedisTests {
    private func withCluster(
        _ kind: EmitterKind, _ body: (RedisServer, EmitterChecks) async throws -> Void
    ) async throws {
        try await withRedis { server in
            var clients: [RESPClient] = []
            for _ in 0..<4 {
                clients.append(try realClient(server.url))
            }
            let emitter = RedisEmitter(clients[3], adapter: kind.adapter)
            do {
                try await withNodes(clients.prefix(3).map { kind.factory($0) }) { nodes in
                    try await body(server, EmitterChecks(nodes: nodes, emitter: emitter))
                }
                for client in clients { await client.shutdown() }
            } catch {
                for client in clients { await client.shutdown() }
                throw error
            }
        }
    }

    @Test(arguments: EmitterKind.allCases) func events(_ kind: EmitterKind) async throws {
        try await self.withCluster(kind) { try await $1.events() }
    }

    @Test(arguments: EmitterKind.allCases) func sockets(_ kind: EmitterKind) async throws {
        try await self.withCluster(kind) { try await $1.sockets() }
    }

    @Test(arguments: EmitterKind.allCases) func fetch(_ kind: EmitterKind) async throws {
        try await self.withCluster(kind) { try await $1.fetch() }
    }

    @Test(arguments: EmitterKind.allCases) func answers(_ kind: EmitterKind) async throws {
        try await self.withCluster(kind) { try await $1.answers() }
    }

    /// Somebody who listens as a server does, and says nothing.
    @Test(arguments: EmitterKind.allCases) func aSilentServerIsNamed(_ kind: EmitterKind) async throws {
        try await self.withCluster(kind) { server, checks in
            _ = try await EmitterListener(checks.nodes[0])
            let silent = try await server.connect()
            let (command, channels, name) =
                switch kind {
                case .pubsub, .pubsubWithSpecificChannels:
                    ("SUBSCRIBE", ["socket.io-request#/#", "socket.io-response#/#SILENT#"], "SILENT")
                case .streams: ("SUBSCRIBE", ["socket.io#/#", "socket.io#/#00112233aabbccdd#"], "00112233aabbccdd")
                case .sharded, .streamsWithSharding:
                    ("SSUBSCRIBE", ["socket.io#/#", "socket.io#/#00112233aabbccdd#"], "00112233aabbccdd")
                }
            for channel in channels { _ = try await silent.command([command, channel]) }
            let sockets = try await withGrowingLimit("the answers of the others") { limit in
                let sockets = try await checks.emitter.timeout(limit).fetchSockets()
                return sockets.count == 1 && sockets.missingServers.count == 1 ? sockets : nil
            }
            #expect(sockets.count == 1)
            #expect(sockets.missingServerCount == 1)
            #expect(sockets.missingServers == [name])
            let error = try await withGrowingLimit("the answers of the others") { limit -> BroadcastAckError? in
                let error = await #expect(throws: BroadcastAckError.self) {
                    try await checks.emitter.timeout(limit).in("nobody").emitWithAck("question", as: Int.self)
                }
                return error?.missingServers.count == 1 ? error : nil
            }
            #expect(error.missingServers == [name])
            await silent.close()
        }
    }

    /// Subscriptions of the emitter end, so that Redis knows nothing of it but its connections.
    @Test(arguments: EmitterKind.allCases) func leavesNothingBehind(_ kind: EmitterKind) async throws {
        try await self.withCluster(kind) { server, checks in
            func channels() async throws -> Set<String> {
                var names: Set<String> = []
                for list in ["CHANNELS", "SHARDCHANNELS"] {
                    let reply = try await server.command("PUBSUB", list, "socket.io*")
                    names.formUnion(reply.elements?.compactMap(\.text) ?? [])
                }
                return names
            }
            let before = try await channels()
            #expect(try await checks.emitter.fetchSockets().isComplete)
            // The classic adapter's common channel of answers is there already.
            #expect(try await channels().subtracting(before).count == 1)
            checks.emitter.close()
            try await eventually("nobody listens for the emitter") { try await channels() == before }
        }
    }

    @Test func countsOverAllNodesOfRedisCluster() async throws {
        try await withRedisCluster { cluster in
            var clients: [RESPClient] = []
            for _ in 0..<3 {
                clients.append(try realClient(cluster.urls[0]))
            }
            for kind in [EmitterKind.pubsub, .sharded] {
                let emitter = RedisEmitter(clients[2], adapter: kind.adapter)
                try await withNodes(clients.prefix(2).map { kind.factory($0) }) { nodes in
                    let listener = try await EmitterListener(nodes[1])
                    #expect(try await emitter.publish("e") == 2)
                    #expect(try await listener.client.nextEvent().name == "e")
                    let count = try await emitter.count()
                    #expect(
                        count
                            == RedisEmitterCount(servers: 2, sockets: 1, missingServerCount: 0, missingServers: []))
                }
                emitter.close()
            }
            for client in clients { await client.shutdown() }
        }
    }
}
