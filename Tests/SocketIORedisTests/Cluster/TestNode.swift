import NIOCore
import RESP
import SocketIO
import SocketIOCore
import Synchronization
import TestSupport
import Testing

@testable import SocketIORedis

/// A server with a cluster adapter, and its clients.
final class TestNode: Sendable {
    let server: SocketIOServer
    private let port: Int
    private let clients = Mutex<[SIOClient]>([])
    /// What went to the error hook.
    let errors = Awaited<[String]>([])

    init(_ factory: @escaping AdapterFactory) async throws {
        var configuration = SocketIOConfiguration()
        configuration.adapter = factory
        configuration.engine.eventLoopCount = 1
        let errors = self.errors
        configuration.onError = { error, _ in errors.update { $0.append("\(error)") } }
        self.server = SocketIOServer(configuration: configuration)
        self.port = try await self.server.start(port: 0).port ?? 0
    }

    func close() async {
        for client in self.clients.withLock({ $0 }) { await client.close() }
        await self.server.close(timeout: .milliseconds(500))
    }

    var io: Namespace { self.server.of("/") }

    func sharded(_ namespace: String = "/") throws -> ShardedRedisAdapter {
        try #require(self.server.of(namespace).adapter as? ShardedRedisAdapter)
    }

    func streams(_ namespace: String = "/") throws -> RedisStreamsAdapter {
        try #require(self.server.of(namespace).adapter as? RedisStreamsAdapter)
    }

    /// A client, connected and in these rooms.
    func client(_ namespace: String = "/", rooms: Room...) async throws -> SIOClient {
        let client = try await SIOClient.open(EIOOptions(port: self.port, transport: .websocket))
        self.clients.withLock { $0.append(client) }
        let id = try await client.connect(namespace)
        let socket = try #require(self.server.of(namespace).socket(id: id))
        socket.join(rooms)
        return client
    }
}

/// Runs a test with servers that are closed afterwards.
func withNodes<Result>(
    _ factories: [AdapterFactory],
    isolation: isolated (any Actor)? = #isolation,
    _ body: ([TestNode]) async throws -> Result
) async throws -> Result {
    var nodes: [TestNode] = []
    let result: Swift.Result<Result, any Error>
    do {
        for factory in factories { nodes.append(try await TestNode(factory)) }
        // They have found each other before anything is sent.
        for node in nodes {
            try await eventually("all servers are counted") {
                (try? await node.io.adapter.serverCount()) == nodes.count
            }
        }
        result = .success(try await body(nodes))
    } catch {
        result = .failure(error)
    }
    for node in nodes { await node.close() }
    return try result.get()
}

extension ByteBuffer {
    /// With one text replaced by another of the same length, wherever it stands.
    func replacing(_ old: String, with new: String) -> ByteBuffer {
        let old = Array(old.utf8)
        let new = Array(new.utf8)
        guard !old.isEmpty, old.count == new.count, self.readableBytes >= old.count else { return self }
        var bytes = Array(self.readableBytesView)
        var index = 0
        while index + old.count <= bytes.count {
            if bytes[index] == old[0], Array(bytes[index..<index + old.count]) == old {
                bytes.replaceSubrange(index..<index + old.count, with: new)
                index += old.count
            } else {
                index += 1
            }
        }
        return ByteBuffer(bytes: bytes)
    }
}

/// The request id in a message, if it has one.
func requestID(of message: ByteBuffer) -> String? {
    guard let message = try? ClusterMessage(message) else { return nil }
    var id: String?
    try? message.data?.forEachMember { key, field in if key == "requestId" { id = field.string } }
    return id
}
