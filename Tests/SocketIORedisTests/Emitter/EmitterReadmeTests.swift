import Foundation
import Logging
import SocketIORedis
import TestSupport
import Testing

/// The README's code on emitters, so that it compiles and does what it says.
@Suite struct EmitterReadmeTests {
    @Test func sendingAndAsking() async throws {
        try await withRedis { server in
            let link = try RESPClient(url: server.url)
            try await withNodes([RedisAdapter.factory(link)]) { nodes in
                _ = nodes[0].server.of("/chat")
                let listener = try await nodes[0].client(rooms: "lobby")
                let other = try await nodes[0].client("/chat", rooms: "lobby", "muted")
                let redis = try RESPClient(url: server.url)
                let emitter = RedisEmitter(redis)

                emitter.emit("time", Date())
                emitter.of("/chat").to("lobby").except("muted").emit("message", "hello")
                emitter.in("lobby").socketsJoin("archive")
                emitter.serverSideEmit("reload", "config")

                let servers = try await emitter.publish("time", Date())
                try await emitter.flush()
                #expect(servers == 1)
                for _ in 0..<2 { #expect(try await listener.expectEvent("time").string(0)?.hasSuffix("Z") == true) }
                #expect(other.eventCount("/chat") == 0)

                let sockets = try await emitter.in("lobby").timeout(.seconds(30)).fetchSockets()
                for socket in sockets { #expect(socket.rooms.contains("archive")) }
                #expect(sockets.isComplete)
                #expect(sockets.count == 1)

                async let ages: [Int] = emitter.in("lobby").emitWithAck("how old are you?")
                let question = try await listener.nextEvent()
                try listener.acknowledge(question, "42")
                #expect(try await ages == [42])
                let count = try await emitter.count()
                #expect(count.servers == 1)
                #expect(count.sockets == 1)

                emitter.in("archive").disconnectSockets()
                try await listener.waitForDisconnect()
                await redis.shutdown()
            }
            await link.shutdown()
        }
    }
}
