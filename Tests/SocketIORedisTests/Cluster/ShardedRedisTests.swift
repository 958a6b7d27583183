import RESP
import SocketIO
import SocketIORedis
import SocketIOTesting
import TestSupport
import Testing

/// The sharded adapter with a real Redis, and a real cluster of three nodes.
@Suite struct ShardedRedisTests {
    @Test(arguments: ShardedRedisAdapterOptions.SubscriptionMode.allCases)
    func suite(_ mode: ShardedRedisAdapterOptions.SubscriptionMode) async throws {
        try await withRedis { redis in
            for check in AdapterSuite.Check.allCases {
                let options = ShardedRedisAdapterOptions(channelPrefix: "\(check)", subscriptionMode: mode)
                try await runSuite(check, [redis.url, redis.url, redis.url]) {
                    ShardedRedisAdapter.factory($0, options: options)
                }
            }
        }
    }

    /// Each server knows another node. With a hash tag all channels of a namespace are on one of them.
    @Test func suiteInACluster() async throws {
        try await withRedisCluster { cluster in
            for check in AdapterSuite.Check.allCases {
                for (prefix, mode) in [
                    ("{\(check)}", ShardedRedisAdapterOptions.SubscriptionMode.dynamic), ("\(check)", .static),
                ] {
                    let options = ShardedRedisAdapterOptions(channelPrefix: prefix, subscriptionMode: mode)
                    try await runSuite(check, cluster.urls) { ShardedRedisAdapter.factory($0, options: options) }
                }
            }
        }
    }

    /// Rooms whose channels are on other nodes than the general one.
    @Test func roomsOverNodes() async throws {
        try await withRedisCluster { cluster in
            try await withRealNodes(cluster.urls, { ShardedRedisAdapter.factory($0) }) { nodes in
                let client = try await nodes[1].client()
                for index in 0..<20 {
                    let room = Room("room \(index)")
                    nodes[1].io.local.socketsJoin(room)
                    // A join is in force for others as soon as the node of the channel has taken the subscription.
                    try await eventually("the room is heard of") {
                        nodes[0].io.to(room).emit("e", index)
                        return client.eventCount() > 0
                    }
                    while client.pendingEvents() > 0 { #expect(try await client.nextEvent().name == "e") }
                    nodes[1].io.local.socketsLeave(room)
                }
            }
        }
    }

    /// Redis is killed and comes back: the own clients notice nothing, and the others are heard again.
    @Test func restart() async throws {
        try await withRedis { redis in
            try await withRealNodes([redis.url, redis.url], { ShardedRedisAdapter.factory($0) }) { nodes in
                let clients = [try await nodes[0].client(rooms: "r"), try await nodes[1].client(rooms: "r")]
                try await redis.kill()
                nodes[0].io.emit("alone")
                _ = try await clients[0].expectEvent("alone")
                try await redis.restart()
                for (sender, receiver) in [(0, 1), (1, 0)] {
                    try await eventually("they hear each other in the room") {
                        nodes[sender].io.to("r").except(Room(clients[sender].sid() ?? "")).emit("again")
                        return clients[receiver].eventCount() > 1
                    }
                    while true {
                        let event = try await clients[receiver].nextEvent()
                        if event.name == "again" { break }
                    }
                }
                try await eventually("both are counted") { try await nodes[0].io.adapter.serverCount() == 2 }
            }
        }
    }
}
