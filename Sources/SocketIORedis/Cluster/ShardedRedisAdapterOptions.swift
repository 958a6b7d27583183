/// Options of ``ShardedRedisAdapter``. All servers of a cluster must have the same, those of the Node.js adapter included.
public struct ShardedRedisAdapterOptions: Sendable, Hashable {
    /// Which channels a server listens to.
    public enum SubscriptionMode: String, Sendable, Hashable, CaseIterable {
        /// Two for each namespace, however many rooms there are: every server gets every broadcast.
        case `static`
        /// One more for each room that has members on the server, but for the rooms of single sockets: only servers with
        /// members of a room get what is sent to it. A room's name must not have exactly 20 characters to profit.
        case dynamic
        /// As ``dynamic``, and one more for each socket.
        case dynamicPrivate
    }

    /// How the names of all channels begin. In Redis Cluster, a prefix with a hash tag, such as `{chat}`, keeps all channels on
    /// one node, which keeps the order between broadcasts to a room and broadcasts to all.
    public var channelPrefix: String
    /// Which channels a server listens to.
    public var subscriptionMode: SubscriptionMode
    /// How long questions to the other servers may take if the caller does not say.
    public var requestsTimeout: Duration

    public init(
        channelPrefix: String = "socket.io",
        subscriptionMode: SubscriptionMode = .dynamic,
        requestsTimeout: Duration = .seconds(5)
    ) {
        self.channelPrefix = channelPrefix
        self.subscriptionMode = subscriptionMode
        self.requestsTimeout = requestsTimeout
    }
}

extension ShardedRedisAdapterOptions.SubscriptionMode {
    /// Whether what is sent to this room alone goes over a channel of its own. The reference tells the rooms of single sockets by
    /// the length of their names, so everybody must.
    func hasChannel(_ room: String) -> Bool {
        switch self {
        case .static: false
        case .dynamic: room.utf16.count != 20
        case .dynamicPrivate: true
        }
    }
}
