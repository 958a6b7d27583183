import Logging
import NIOCore
import RESP
import SocketIO
import SocketIOCore
import Synchronization

/// Connects servers through the publish/subscribe of Redis, in the way of the Node.js package `@socket.io/redis-adapter` 8: servers
/// of both kinds, and its emitters, work together.
///
/// ```swift
/// let redis = RESPClient(…)
/// var configuration = SocketIOConfiguration()
/// configuration.adapter = RedisAdapter.factory(redis)
/// ```
///
/// While Redis is away this server goes on for its own sockets. Broadcasts are then kept up to the bound of the client, after
/// which the error hook is told (``SocketIOError/Code/clusterUnavailable``); messages of others are lost, as publish/subscribe
/// has it. Questions such as `fetchSockets` return what has come in time, and name who is missing as far as answers of this
/// protocol allow: servers of other kinds do not say who they are when they answer.
///
/// Unlike the reference, which does so when its own message comes back, this server has its own sockets join, leave and
/// disconnect at once: a broadcast that follows a `socketsJoin` reaches those who have joined, and it works without Redis.
public final class RedisAdapter: Adapter {
    let context: AdapterContext
    let redis: any RedisClient
    let options: RedisAdapterOptions
    /// This server's id in the namespace.
    let uid: String
    let channels: ClassicChannels
    let complaints: Complaints
    let queries = ClusterQueries<SocketIOValue>()
    let acknowledgements = PendingAcks()
    let state = Mutex(State())
    /// Whether this server has been subscribed: it is counted among the others from then on.
    let subscribed = Readiness()

    /// ``ClassicChannels/broadcast``, as it is sent.
    private let broadcastChannel: ByteBuffer
    /// With which own broadcasts begin, and own requests in either encoding: they are told without reading them.
    private let ownBroadcast: [UInt8]
    private let ownRequests: [[UInt8]]
    private let subscriptions = Mutex<[any RedisSubscription]>([])
    private typealias Completion = @Sendable (Result<[RedisValue], RedisError>) -> Void

    /// Looks at replies to what this server has published of its own accord; made once.
    private let onPublished: Completion
    /// Looks at replies to answers.
    private let onAnswered: Completion

    struct State {
        /// How many other servers there were when they were last counted.
        var others = 0
        /// Requests that were executed: a repeated one is not.
        var seen = RecentIDs()
        /// Requests that this server has answered.
        var answered = RecentIDs()
    }

    init(_ context: AdapterContext, redis: any RedisClient, options: RedisAdapterOptions, uid: String) {
        self.context = context
        self.redis = redis
        self.options = options
        self.uid = uid
        self.channels = ClassicChannels(key: options.key, namespace: context.namespace, uid: uid)
        let complaints = Complaints(context)
        self.complaints = complaints
        self.broadcastChannel = ByteBuffer(string: self.channels.broadcast)
        self.ownBroadcast = ClassicBroadcast.prefix(uid: uid)
        self.ownRequests = [ClassicRequest.textPrefix(uid: uid), ClassicRequest.broadcastPrefix(uid: uid)]
        let report = context.report
        self.onPublished = { result in
            if let reason = Self.failure(result) { report(SocketIOError.notSent("a message", reason), nil) }
        }
        self.onAnswered = { result in
            if let reason = Self.failure(result) { complaints.note(.publish, "", reason) }
        }
    }

    /// The adapter of each namespace, for ``SocketIOConfiguration/adapter``.
    ///
    /// - Parameters:
    ///   - redis: The client of this server, which all its namespaces share. It is started with the first of them and is not shut
    ///     down with the last. Two servers of one process need a client each: Redis counts servers by their connections.
    ///   - options: How Redis is used.
    public static func factory(
        _ redis: any RedisClient, options: RedisAdapterOptions = RedisAdapterOptions()
    ) -> AdapterFactory {
        { context in RedisAdapter(context, redis: redis, options: options, uid: ClassicID.make()) }
    }

    // MARK: Life

    public func start() {
        self.redis.start()
        let (subscribed, local) = (self.subscribed, self.context.local)
        let main = self.redis.subscribe(
            to: self.channels.subscribed, onReady: { subscribed.reach(tellingLossesTo: local) }
        ) { [weak self] in self?.receive($0) }
        let peers = self.redis.subscribe(to: [RedisChannel(.channel, self.channels.peers)], onReady: nil) {
            [weak self] in self?.receivePeer($0)
        }
        self.subscriptions.withLock { $0 += [main, peers] }
    }

    public func close() async {
        let subscriptions = self.subscriptions.withLock { subscriptions in
            defer { subscriptions = [] }
            return subscriptions
        }
        for subscription in subscriptions { subscription.cancel() }
        self.queries.close()
    }

    // MARK: Sending

    /// Why a message may not have reached the other servers; nil if it has, or if nobody expects anything any more.
    private static func failure(_ result: Result<[RedisValue], RedisError>) -> RedisError? {
        switch result {
        case .success(let replies):
            if case .error(let message)? = replies.first { RedisError(.redis, message) } else { nil }
        case .failure(let error): error.code == .closed ? nil : error
        }
    }

    /// Publishes a message; if Redis refuses it later, the error hook is told.
    ///
    /// - Throws: ``SocketIOError`` with code `cluster_unavailable` if the client does not take it.
    func publish(_ channel: String, _ payload: ByteBuffer) throws(SocketIOError) {
        try self.publish(ByteBuffer(string: channel), payload, self.onPublished)
    }

    private static let publishName = ByteBuffer(string: "PUBLISH")

    private func publish(
        _ channel: ByteBuffer, _ payload: ByteBuffer, _ completion: @escaping Completion
    ) throws(SocketIOError) {
        let command = RedisCommand(arguments: [Self.publishName, channel, payload])
        do { try self.redis.send([command], completion: completion) } catch {
            throw SocketIOError.notSent("a message", error)
        }
    }

    /// Publishes an answer; that it can't be is for operators only.
    func answer(_ channel: String, _ payload: ByteBuffer) {
        do { try self.publish(ByteBuffer(string: channel), payload, self.onAnswered) } catch {
            self.complaints.note(.publish, channel, error)
        }
    }

    public func broadcast(_ packet: BroadcastPacket, to target: BroadcastTarget) {
        self.context.local.broadcast(packet, to: target)
        var target = target
        target.removeDuplicates()
        do {
            let payload = try ClassicBroadcast.encode(
                packet, to: target, namespace: self.context.namespace, uid: self.uid)
            if target.rooms.count == 1 {
                try self.publish(self.channels.room(target.rooms[0]), payload)
            } else {
                try self.publish(self.broadcastChannel, payload, self.onPublished)
            }
        } catch {
            self.context.report(SocketIOError.notSent("a broadcast", error), packet.event)
        }
    }

    // MARK: Receiving

    private func receive(_ message: RedisMessage) {
        if message.source.kind == .pattern {
            self.receiveBroadcast(message)
        } else if message.channel == self.channels.request {
            guard !self.ownRequests.contains(where: message.payload.begins) else { return }
            self.receiveRequest(message)
        } else {
            self.receiveResponse(message)
        }
    }

    private func receiveBroadcast(_ message: RedisMessage) {
        guard message.channel.hasPrefix(self.channels.broadcast), !message.payload.begins(with: self.ownBroadcast)
        else { return }
        let local = self.context.local
        if let room = self.channels.room(of: message.channel), !local.hasMembers(room) { return }
        do {
            let received = try ClassicBroadcast.decode(message.payload, namespace: self.context.namespace) { rooms in
                rooms.isEmpty || rooms.contains { local.hasMembers($0) }
            }
            guard received.uid != self.uid, let packet = received.packet else { return }
            local.broadcast(packet, to: received.target)
        } catch {
            self.complaints.note(.broadcast, message.channel, error)
        }
    }
}

extension ByteBuffer {
    fileprivate func begins(with prefix: [UInt8]) -> Bool {
        self.withUnsafeReadableBytes { bytes in
            bytes.count >= prefix.count && bytes.prefix(prefix.count).elementsEqual(prefix)
        }
    }
}

extension BroadcastTarget {
    /// Each room once, as the sets of the reference have them.
    mutating func removeDuplicates() {
        Self.removeDuplicates(&self.rooms)
        Self.removeDuplicates(&self.except)
    }

    private static func removeDuplicates(_ rooms: inout [Room]) {
        guard rooms.count > 1 else { return }
        var seen = Set<Room>()
        rooms.removeAll { !seen.insert($0).inserted }
    }
}
