import NIOCore
import RESP
import TestSupport
import Testing

struct SubscriptionTests {
    private func subscribers(_ server: RedisServer, _ channel: String) async throws -> Int {
        Int(try await server.command("PUBSUB", "NUMSUB", channel).elements?.last?.text ?? "") ?? -1
    }

    @Test func severalSubscriptionsOfOneChannel() async throws {
        try await withRedis { server in
            try await withClient(server.url) { client in
                let channel = RedisChannel(.channel, "news")
                let first = Listener(client, channel)
                let second = Listener(client, channel, RedisChannel(.channel, "other"))
                try await first.waitUntilReady()
                try await second.waitUntilReady()
                #expect(try await self.subscribers(server, "news") == 1)
                try await server.command("PUBLISH", "news", "1")
                try await first.wait(for: "1")
                try await second.wait(for: "1")
                first.cancel()
                first.cancel()
                try await server.command("PUBLISH", "news", "2")
                try await second.wait(for: "2")
                #expect(first.heard.value.texts == ["1"])
                // It is there already: who comes later is ready at once.
                let third = Listener(client, channel)
                try await third.waitUntilReady()
                second.cancel()
                third.cancel()
                try await eventually("nobody listens") { try await self.subscribers(server, "news") == 0 }
            }
        }
    }

    @Test func aSubscriptionThatIsReleasedEnds() async throws {
        try await withRedis { server in
            try await withClient(server.url) { client in
                do {
                    let listener = Listener(client, RedisChannel(.channel, "news"))
                    try await listener.waitUntilReady()
                }
                try await eventually("nobody listens") { try await self.subscribers(server, "news") == 0 }
            }
        }
    }

    @Test func shards() async throws {
        try await withRedis { server in
            for version in [RESPConfiguration.ProtocolVersion.two, .three] {
                try await withClient(server.url, configure: { $0.protocolVersion = version }) { client in
                    let names = (0..<20).map { "shard-\($0)" }
                    let heard = Awaited<[String]>([])
                    let isReady = Awaited(false)
                    let subscription = client.subscribe(
                        to: names.map { RedisChannel(.shard, $0) }, onReady: { isReady.update { $0 = true } },
                        onMessage: { message in heard.update { $0.append(message.channel) } })
                    try await isReady.wait("all channels") { $0 ? () : nil }
                    for name in names { try client.send([.text("SPUBLISH", name, "x")], completion: nil) }
                    try await heard.wait("all messages") { $0.count == names.count ? () : nil }
                    #expect(heard.value == names)
                    subscription.cancel()
                }
            }
        }
    }

    @Test func churnEndsInTheRightState() async throws {
        try await withRedis { server in
            try await withClient(server.url) { client in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for task in 0..<8 {
                        group.addTask {
                            for index in 0..<200 {
                                let channel = RedisChannel(.channel, "c\((task + index) % 3)")
                                let subscription = client.subscribe(to: [channel], onReady: nil) { _ in }
                                if index.isMultiple(of: 7) { _ = try await client.send(.text("PING")) }
                                subscription.cancel()
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                let last = Listener(client, RedisChannel(.channel, "c1"))
                try await last.waitUntilReady()
                #expect(try await self.subscribers(server, "c0") == 0)
                #expect(try await self.subscribers(server, "c1") == 1)
                #expect(try await self.subscribers(server, "c2") == 0)
                try await server.command("PUBLISH", "c1", "hello")
                try await last.wait(for: "hello")
                #expect(last.heard.value.ready == 1)
            }
        }
    }

    @Test func messagesComeInOrder() async throws {
        try await withRedis { server in
            try await withClient(server.url) { client in
                let listener = Listener(client, RedisChannel(.channel, "news"))
                try await listener.waitUntilReady()
                for index in 0..<5000 { try client.publish("news", "\(index)") }
                try await listener.wait(for: "4999")
                #expect(listener.heard.value.texts == (0..<5000).map { "\($0)" })
            }
        }
    }
}
