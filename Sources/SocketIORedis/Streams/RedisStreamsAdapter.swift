import RESP
import SocketIO
import SocketIOCore
import Synchronization

/// Joins servers over streams of Redis, compatible with the Node.js package `@socket.io/redis-streams-adapter` 0.3.
///
/// Broadcasts, joins, leaves and disconnections are entries of a stream. They survive a loss of the connection to Redis: a
/// server goes on reading where it has stopped, and what it could not write meanwhile waits, up to
/// ``RedisStreamsAdapterOptions/maxBufferedBytes``, and is written once and in order. What is not waited for is delivery to the
/// server's own clients: it is done at once, whatever Redis does. Questions to the other servers and their answers go
/// over publish/subscribe and are lost with the connection.
///
/// ```swift
/// let redis = try RESPClient(url: "redis://127.0.0.1:6379", logger: logger)
/// configuration.adapter = RedisStreamsAdapter.factory(redis)
/// ```
///
/// All namespaces read the streams together, with one command on the client's connection for blocking commands. Each server needs a
/// client of its own: Redis counts those that are subscribed.
///
/// With ``SocketIOConfiguration/connectionStateRecovery`` clients go on at any server, Node.js servers included, as long as the stream
/// holds what they have missed. Then all events but volatile ones reach clients the way of the stream, also from the server that sends
/// them: a little later, behind acknowledgements that are sent in the same moment, and not while Redis is away. What
/// was sent before a socket is disconnected by its server still reaches it.
///
/// Limits: entries that were trimmed before a server has read them are lost to it; an empty data set after a restart of Redis
/// holds nothing of before. With several streams (``RedisStreamsAdapterOptions/streamCount``) the reference
/// computes a negative index for many namespaces and writes to a stream that no Node.js server reads. Swift servers write there
/// too and read it, so among themselves such namespaces work, and they receive what Node.js servers send; Node.js servers
/// receive nothing, neither from Swift servers nor from each other. Use one stream, or names that are not concerned, in a mixed cluster.
public final class RedisStreamsAdapter: Adapter {
    let node: ClusterNode
    let options: RedisStreamsAdapterOptions
    /// The stream of this namespace.
    let stream: String
    let writer: StreamWriter
    let hub: StreamHub
    /// Whether clients can go on where they have stopped: then what this server sends is given to its own sockets as it is read from
    /// the stream, in the order that holds for all servers.
    let recovers: Bool
    let recovery = Mutex(StreamRecovery())

    /// Makes the adapters of a server's namespaces.
    ///
    /// - Parameters:
    ///   - redis: The client, which the adapters start and do not shut down.
    ///   - options: The same for all servers of the cluster.
    public static func factory(
        _ redis: any RedisClient,
        options: RedisStreamsAdapterOptions = .init()
    ) -> AdapterFactory {
        let hub = StreamHub.shared(redis)
        return { RedisStreamsAdapter($0, hub, options) }
    }

    init(_ context: AdapterContext, _ hub: StreamHub, _ options: RedisStreamsAdapterOptions) {
        self.hub = hub
        self.options = options
        self.recovers = context.local.recovers
        self.stream = options.stream(of: context.namespace)
        self.node = ClusterNode(
            context, hub.redis,
            .init(
                channelPrefix: options.channelPrefix, kind: options.usesShardedPubSub ? .shard : .channel,
                form: .messagePack, requestsTimeout: options.requestsTimeout)
        )
        self.writer = StreamWriter(hub.redis, node: self.node, stream: self.stream, options: options)
        if self.recovers { self.writer.setOnProgress { [weak self] in self?.checkPending() } }
    }

    /// The id that this server has given itself in the namespace.
    var uid: String { self.node.uid }

    /// How many messages are not written yet.
    var unwrittenCount: Int { self.writer.count }

    public func start() {
        self.hub.redis.start()
        self.hub.add(self, stream: self.stream, options: self.options)
        if self.recovers { self.listenForReturns() }
    }

    public func close() async {
        await self.writer.close()
        if self.recovers { await self.endRecovery() }
        self.hub.remove(self)
        self.node.close()
    }

    // MARK: Through the stream

    /// Has an entry written; what goes wrong is told to the error hook.
    private func write(_ body: ClusterBody, event: String? = nil) {
        do {
            let data = try StreamEntry.data(of: body, onlyPlaintext: self.options.onlyPlaintext)
            try self.writer.write(body.type, data, event: event)
        } catch {
            self.node.report(error, event: event)
        }
    }

    public func broadcast(_ packet: BroadcastPacket, to target: BroadcastTarget) {
        do {
            let event = try ClusterEvent(packet, namespace: self.node.namespace)
            self.write(.broadcast(event, requestID: nil, target), event: packet.event)
        } catch {
            self.node.report(error, event: packet.event)
        }
        if self.recovers, !target.flags.volatile { return }
        self.node.context.local.broadcast(packet, to: target)
    }

    public func socketsJoin(_ rooms: [Room], _ target: BroadcastTarget) {
        self.write(.socketsJoin(rooms, target))
        self.node.context.local.socketsJoin(rooms, target)
    }

    public func socketsLeave(_ rooms: [Room], _ target: BroadcastTarget) {
        self.write(.socketsLeave(rooms, target))
        // Behind what was sent before.
        if self.recovers { return }
        self.node.context.local.socketsLeave(rooms, target)
    }

    public func disconnectSockets(_ target: BroadcastTarget, close: Bool) {
        self.write(.disconnectSockets(target, close: close))
        if self.recovers { return }
        self.node.context.local.disconnectSockets(target, close: close)
    }

    // MARK: Over publish/subscribe

    public func broadcastWithAck(_ packet: BroadcastPacket, to target: BroadcastTarget, collector: AckCollector) {
        self.node.broadcastWithAck(packet, to: target, collector: collector)
    }

    public func fetchSockets(_ target: BroadcastTarget) async throws -> ClusterAnswer<SocketDescription> {
        try await self.node.fetchSockets(target)
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

extension RedisStreamsAdapter: StreamMember {
    var namespace: String { self.node.namespace }

    /// Only now others may count this server: what they write from here on is read.
    func streamIsRead(after id: StreamID) {
        self.streamWasRead(upTo: id)
        self.node.start()
    }

    func streamWasRead(upTo id: StreamID) {
        guard self.recovers else { return }
        self.node.context.local.noteRead(upTo: RecoveryPosition(id))
        self.wasRead(upTo: id)
    }

    func readingIsRefused(_ message: String) {
        self.node.complaints.log("the streams can't be read: \(message)", channel: self.stream)
    }

    func receive(_ entry: StreamEntry) {
        guard self.recovers || entry.uid != self.uid else { return }
        do throws(SocketIOError) {
            // Emitters and versions of later days may write what we don't know.
            guard let number = entry.type else { throw SocketIOError.malformed("an entry without a type") }
            guard let type = ClusterMessageType(rawValue: number) else { return }
            if self.recovers, try self.receive(entry, type) { return }
            try self.node.receive(type, try entry.field(), of: entry.uid)
        } catch {
            self.node.complaints.log(error.message, channel: self.stream)
        }
    }
}
