import RESP
import SocketIO
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIORedis

/// The adapters that emitters can speak to.
enum EmitterKind: String, CaseIterable, Sendable {
    case pubsub
    case pubsubWithSpecificChannels
    case sharded
    case streams
    case streamsWithSharding

    private var classic: RedisAdapterOptions {
        var options = RedisAdapterOptions()
        options.publishesOnSpecificResponseChannel = self == .pubsubWithSpecificChannels
        return options
    }

    private var stream: RedisStreamsAdapterOptions {
        .init(streamCount: self == .streamsWithSharding ? 2 : 1, usesShardedPubSub: self == .streamsWithSharding)
    }

    func factory(_ redis: any RedisClient) -> AdapterFactory {
        switch self {
        case .pubsub, .pubsubWithSpecificChannels: RedisAdapter.factory(redis, options: self.classic)
        case .sharded: ShardedRedisAdapter.factory(redis)
        case .streams, .streamsWithSharding: RedisStreamsAdapter.factory(redis, options: self.stream)
        }
    }

    var adapter: RedisEmitter.Adapter {
        switch self {
        case .pubsub, .pubsubWithSpecificChannels: .pubsub(self.classic)
        case .sharded: .sharded()
        case .streams, .streamsWithSharding: .streams(self.stream)
        }
    }
}

/// A client of a server, and what it has got.
struct EmitterListener: Sendable {
    let node: TestNode
    let client: SIOClient
    let id: String
    let namespace: String

    init(_ node: TestNode, _ namespace: String = "/", rooms: Room...) async throws {
        self.node = node
        self.namespace = namespace
        _ = node.server.of(namespace)
        self.client = try await node.client(namespace)
        self.id = try #require(self.client.sid(namespace))
        self.socket?.join(rooms)
    }

    var socket: Socket? { self.node.server.of(self.namespace).socket(id: self.id) }

    /// The events up to `end`, as name and arguments.
    func events(upTo end: String) async throws -> [String] {
        var events: [String] = []
        while true {
            let event = try await self.client.nextEvent(self.namespace)
            if event.name == end { return events }
            events.append(event.name)
        }
    }

    /// Answers the event "question".
    func answer(_ json: String) -> Task<Void, Never> {
        let (client, namespace) = (self.client, self.namespace)
        return Task {
            while let event = try? await client.nextEvent(namespace, timeout: .seconds(60)) {
                if event.id != nil { try? client.acknowledge(event, json) }
            }
        }
    }
}
