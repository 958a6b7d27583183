import NIOCore
import RESP
import SocketIO
import SocketIOClient
import TestSupport
import Testing

@testable import SocketIORedis

/// Servers with different parsers in one cluster: what they send each other is the same.
@Suite(.serialized) struct ParserClusterTests {
    enum Kind: CaseIterable, Sendable {
        case pubsub, sharded, streams

        func factory(_ redis: any RedisClient) -> AdapterFactory {
            switch self {
            case .pubsub: RedisAdapter.factory(redis)
            case .sharded: ShardedRedisAdapter.factory(redis)
            case .streams: RedisStreamsAdapter.factory(redis)
            }
        }
    }

    private static let parsers: [ParserChoice] = [.json, .messagePack]

    @Test(arguments: Kind.allCases) func mixed(_ kind: Kind) async throws {
        try await withRedis { redis in
            let connections = try Self.parsers.map { _ in try realClient(redis.url) }
            let servers = zip(connections, Self.parsers).map { connection, parser in
                recoveringServer(adapter: kind.factory(connection)) { $0.parser = parser }
            }
            let result: Result<Void, any Error>
            do {
                try await Self.talk(servers)
                result = .success(())
            } catch {
                result = .failure(error)
            }
            for server in servers { await server.close(timeout: .milliseconds(500)) }
            for connection in connections { await connection.shutdown() }
            try result.get()
        }
    }

    private static func talk(_ servers: [SocketIOServer]) async throws {
        var clients: [SocketIOClient] = []
        let seen = Awaited<[String]>([]) { "\($0)" }
        for (number, server) in servers.enumerated() {
            let port = try #require(try await server.start(port: 0).port)
            var configuration = SocketIOClientConfiguration()
            configuration.parser = Self.parsers[number]
            configuration.transports = [.websocket]
            configuration.reconnection.delay = .milliseconds(20)
            configuration.forceNew = true
            let client = SocketIOClient("http://127.0.0.1:\(port)", configuration: configuration)
            // Behind them comes the offset.
            client.on("said") { (text: String, bytes: ByteBuffer, rest: Arguments) in
                seen.update { $0.append("\(number) \(text) \(bytes.readableBytes)") }
            }
            client.on("number?") { (bytes: ByteBuffer) in ["number": number, "bytes": bytes.readableBytes] }
            server.on("question") { (text: String) in "\(number) \(text)" }
            try await client.connect(timeout: .seconds(60))
            clients.append(client)
        }
        for server in servers { try await allAreCounted(server, 2) }
        func expect(_ expected: String...) async throws {
            try await eventually("\(expected)") { seen.value.sorted() == expected }
            seen.update { $0 = [] }
        }
        for (number, server) in servers.enumerated() {
            server.emit("said", "from \(number)", ByteBuffer(bytes: [1, 2]))
            try await expect("0 from \(number) 2", "1 from \(number) 2")
            let id = try #require(clients[1 - number].id)
            server.to(Room(id)).emit("said", "to the other", ByteBuffer())
            try await expect("\(1 - number) to the other 0")
            let answers = try await server.timeout(.seconds(60)).emitWithAck(
                "number?", ByteBuffer(bytes: [1, 2, 3]), as: [String: Int].self)
            #expect(answers.compactMap { $0["number"] }.sorted() == [0, 1])
            #expect(answers.compactMap { $0["bytes"] } == [3, 3])
            let heard = try await server.timeout(.seconds(60)).serverSideEmitWithAck("question", "x", as: String.self)
            #expect(Array(heard) == ["\(1 - number) x"])
            #expect(try await server.timeout(.seconds(60)).fetchSockets().count == 2)
        }
        // A client of the one comes back to what the other has sent.
        let id = try #require(clients[1].id)
        let socket = try #require(servers[1].main.socket(id: id))
        socket.connection.session.close()
        try await eventually("it is gone") { servers[1].main.socket(id: id) !== socket }
        servers[0].emit("said", "missed", ByteBuffer(bytes: [7]))
        try await expect("0 missed 1", "1 missed 1")
        try await eventually("it is back") { clients[1].connected }
        #expect(clients[1].id == id && clients[1].recovered)
        servers[0].in(Room(id)).disconnectSockets()
        try await eventually("it is disconnected") { !clients[1].active }
        for client in clients { await client.disconnect() }
    }
}
