import RESP
import SocketIO
import SocketIOCore

/// Joins servers over the sharded publish/subscribe of Redis 7, compatible with `createShardedAdapter` of the Node.js package
/// `@socket.io/redis-adapter` 8.
///
/// In Redis Cluster the channels are spread over the nodes, and a broadcast to a room reaches only the servers that have
/// members of it.
///
/// ```swift
/// let redis = try RESPClient(url: "redis://127.0.0.1:6379", logger: logger)
/// configuration.adapter = ShardedRedisAdapter.factory(redis)
/// ```
///
/// Like all publish/subscribe it is at most once: what is published while a server's connection to Redis is down does not reach
/// that server's clients. Each server always delivers to its own clients, at once, whatever Redis does. Joins, leaves and
/// disconnections are done by the server that is told to at once as well, before the others.
///
/// What one server sends arrives in order as long as it goes over the same node of Redis: in a cluster with ``ShardedRedisAdapterOptions/SubscriptionMode/dynamic``
/// broadcasts to a room and broadcasts to all may overtake each other, unless the prefix has a hash tag. A client
/// that has just joined a room gets what other servers send to it as soon as Redis has taken its server's subscription.
public final class ShardedRedisAdapter: Adapter {
    let node: ClusterNode
    private let mode: ShardedRedisAdapterOptions.SubscriptionMode
    private let rooms: RoomSubscriptions?

    /// Makes the adapters of a server's namespaces.
    ///
    /// - Parameters:
    ///   - redis: The client, which the adapters start and do not shut down.
    ///   - options: The same for all servers of the cluster.
    public static func factory(
        _ redis: any RedisClient,
        options: ShardedRedisAdapterOptions = .init()
    ) -> AdapterFactory {
        { ShardedRedisAdapter($0, redis, options) }
    }

    init(_ context: AdapterContext, _ redis: any RedisClient, _ options: ShardedRedisAdapterOptions) {
        let mode = options.subscriptionMode
        let node = ClusterNode(
            context, redis,
            .init(
                channelPrefix: options.channelPrefix, kind: .shard, form: .byContent,
                requestsTimeout: options.requestsTimeout)
        )
        self.node = node
        self.mode = mode
        self.rooms =
            mode == .static
            ? nil
            : RoomSubscriptions(hasChannel: { mode.hasChannel($0.name) }) { [weak node] room in
                let subscribed = Readiness()
                return redis.subscribe(
                    to: [RedisChannel(.shard, "\(options.channelPrefix)#\(context.namespace)#\(room.name)#")],
                    onReady: { subscribed.reach(tellingLossesTo: context.local) },
                    onMessage: { [weak node] in node?.receive($0.payload, from: $0.channel) }
                )
            }
    }

    /// The id that this server has given itself in the namespace.
    var uid: String { self.node.uid }

    /// How many kinds of messages were found to be malformed.
    var complaints: Int { self.node.complaints.count }

    public func start() {
        self.node.redis.start()
        self.node.start()
        guard let rooms = self.rooms else { return }
        self.node.context.local.onRoomEvent { [weak rooms] in rooms?.handle($0) }
        for room in self.node.context.local.rooms { rooms.handle(.created(room)) }
    }

    public func close() async {
        self.rooms?.close()
        self.node.close()
    }

    public func broadcast(_ packet: BroadcastPacket, to target: BroadcastTarget) {
        // Before the own clients can have it and answer over another server.
        do {
            let event = try ClusterEvent(packet, namespace: self.node.namespace)
            try self.node.publish(
                .broadcast(event, requestID: nil, target), to: self.channel(of: target), event: packet.event)
        } catch {
            self.node.report(error, event: packet.event)
        }
        self.node.context.local.broadcast(packet, to: target)
    }

    /// The room's channel for a broadcast to one room, if there is one; nil: that of all servers.
    private func channel(of target: BroadcastTarget) -> String? {
        guard let room = target.rooms.first, target.rooms.allSatisfy({ $0 == room }), self.mode.hasChannel(room.name)
        else { return nil }
        return "\(self.node.channel)\(room.name)#"
    }

    public func broadcastWithAck(_ packet: BroadcastPacket, to target: BroadcastTarget, collector: AckCollector) {
        self.node.broadcastWithAck(packet, to: target, collector: collector)
    }

    public func fetchSockets(_ target: BroadcastTarget) async throws -> ClusterAnswer<SocketDescription> {
        try await self.node.fetchSockets(target)
    }

    public func socketsJoin(_ rooms: [Room], _ target: BroadcastTarget) {
        self.node.publishReporting(.socketsJoin(rooms, target))
        self.node.context.local.socketsJoin(rooms, target)
    }

    public func socketsLeave(_ rooms: [Room], _ target: BroadcastTarget) {
        self.node.publishReporting(.socketsLeave(rooms, target))
        self.node.context.local.socketsLeave(rooms, target)
    }

    public func disconnectSockets(_ target: BroadcastTarget, close: Bool) {
        self.node.publishReporting(.disconnectSockets(target, close: close))
        self.node.context.local.disconnectSockets(target, close: close)
    }

    public func serverSideEmit(_ packet: BroadcastPacket) { self.node.serverSideEmit(packet) }

    public func serverSideEmitWithAck(
        _ packet: BroadcastPacket,
        timeout: Duration?
    ) async throws -> ClusterAnswer<SocketIOValue> {
        try await self.node.serverSideEmitWithAck(packet, timeout: timeout)
    }

    public func serverCount() async throws -> Int { try await self.node.serverCount() }
}
