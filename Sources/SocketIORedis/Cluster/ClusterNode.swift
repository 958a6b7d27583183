import Logging
import NIOCore
import RESP
import SocketIO
import SocketIOCore
import Synchronization

/// One namespace of this server among the others of a cluster: it publishes messages, answers those of others, and collects
/// the answers to its own. Both the sharded and the streams adapter work through it.
final class ClusterNode: Sendable {
    struct Options: Sendable {
        var channelPrefix: String
        /// `.shard` or `.channel`.
        var kind: RedisChannel.Kind
        var form: ClusterEncoder.Form
        var requestsTimeout: Duration
    }

    let context: AdapterContext
    let redis: any RedisClient
    let options: Options
    let encoder: ClusterEncoder
    let complaints: ClusterComplaints
    /// `<prefix>#<namespace>#`: the channel of all servers, and how those of single servers and rooms begin.
    let channel: String
    let sockets = ClusterQueries<SocketDescription>()
    let answers = ClusterQueries<SocketIOValue>()
    let collectors = Mutex<[String: AckCollector]>([:])
    let state = Mutex(State())
    /// Whether Redis has taken the subscriptions: before, answers would not be heard, and this server is not counted.
    let subscribed: [Readiness]
    private let publishName: ByteBuffer
    private let channelName: ByteBuffer

    struct State {
        var subscriptions: [any RedisSubscription] = []
        var isClosed = false
        /// The other servers as they were last known.
        var others = ClusterServers()
    }

    var uid: String { self.encoder.uid }
    var namespace: String { self.context.namespace }

    init(_ context: AdapterContext, _ redis: any RedisClient, _ options: Options) {
        self.context = context
        self.redis = redis
        self.options = options
        self.encoder = ClusterEncoder(uid: ClusterID.random(), namespace: context.namespace, form: options.form)
        self.complaints = ClusterComplaints(context.logger, namespace: context.namespace)
        self.channel = "\(options.channelPrefix)#\(context.namespace)#"
        self.subscribed = (0..<(options.kind == .shard ? 2 : 1)).map { _ in Readiness() }
        self.publishName = ByteBuffer(string: options.kind == .shard ? "SPUBLISH" : "PUBLISH")
        self.channelName = ByteBuffer(string: self.channel)
    }

    // MARK: Subscriptions

    /// Begins to listen.
    func start() {
        let own = "\(self.channel)\(self.uid)#"
        // Shard channels may be served by different nodes: one command for each.
        if self.options.kind == .shard {
            self.subscribe([self.channel], self.subscribed[0])
            self.subscribe([own], self.subscribed[1])
        } else {
            self.subscribe([self.channel, own], self.subscribed[0])
        }
    }

    private func subscribe(_ names: [String], _ readiness: Readiness) {
        let subscription = self.redis.subscribe(
            to: names.map { RedisChannel(self.options.kind, $0) },
            onReady: { [local = self.context.local] in readiness.reach(tellingLossesTo: local) },
            onMessage: { [weak self] in self?.receive($0.payload, from: $0.channel) }
        )
        let isClosed = self.state.withLock { state in
            if !state.isClosed { state.subscriptions.append(subscription) }
            return state.isClosed
        }
        if isClosed { subscription.cancel() }
    }

    var isClosed: Bool { self.state.withLock { $0.isClosed } }

    /// Stops listening, and ends what waits for answers.
    func close() {
        let subscriptions = self.state.withLock { state in
            state.isClosed = true
            defer { state.subscriptions = [] }
            return state.subscriptions
        }
        for subscription in subscriptions { subscription.cancel() }
        self.sockets.close()
        self.answers.close()
    }

    // MARK: Publishing

    /// Publishes a message, to all servers if no channel is named.
    ///
    /// - Parameter event: The event whose loss is to be reported, if it is one.
    /// - Throws: ``SocketIOError`` if it can't be encoded or is not accepted now.
    func publish(_ body: ClusterBody, to channel: String? = nil, event: String? = nil) throws(SocketIOError) {
        let payload = try self.encoder.message(body)
        let name = channel.map { ByteBuffer(string: $0) } ?? self.channelName
        let command = RedisCommand(
            arguments: [self.publishName, name, payload], keyIndex: self.options.kind == .shard ? 1 : nil)
        do throws(RedisError) {
            try self.redis.send([command]) { [weak self] result in
                switch result {
                case .success(let replies):
                    guard case .error(let message)? = replies.first else { return }
                    self?.report(SocketIOError.notSent("a message", RedisError(.redis, message)), event: event)
                case .failure(let error): self?.report(SocketIOError.notSent("a message", error), event: event)
                }
            }
        } catch {
            throw .notSent("a message", error)
        }
    }

    /// As ``publish(_:to:event:)``; what goes wrong is told to the error hook.
    func publishReporting(_ body: ClusterBody, to channel: String? = nil, event: String? = nil) {
        do { try self.publish(body, to: channel, event: event) } catch { self.report(error, event: event) }
    }

    func report(_ error: any Error, event: String? = nil) {
        // After the end nobody expects anything.
        if !self.isClosed { self.context.report(error, event) }
    }

    /// Answers a server.
    func answer(_ body: ClusterBody, to uid: String) {
        // It is part of a channel's name now.
        guard uid.utf8.count <= 64 else { return }
        self.publishReporting(body, to: "\(self.channel)\(uid)#")
    }
}
