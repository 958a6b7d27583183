/// Options of ``RedisStreamsAdapter``. All servers of a cluster must have the same names and the same number of streams, those
/// with the Node.js adapter included.
public struct RedisStreamsAdapterOptions: Sendable, Hashable {
    /// The stream's name. With several streams in Redis Cluster, a name with a hash tag, such as `{chat}`, keeps them on one node,
    /// so that they can be read with one command.
    public var streamName: String
    /// How many streams there are, at least 1. More than one are named `<streamName>-0` and so on; a namespace has always the same one.
    public var streamCount: Int
    /// How the names of the channels for questions and answers begin.
    public var channelPrefix: String
    /// Whether questions and answers go over sharded publish/subscribe, which needs Redis 7.
    public var usesShardedPubSub: Bool
    /// About how many entries a stream holds. A server that was cut off from Redis while more were written has missed some.
    public var maxLength: Int
    /// How many entries are read at a time.
    public var readCount: Int
    /// How long a read waits for entries before it is repeated.
    public var blockTime: Duration
    /// How the keys of stored sessions begin.
    public var sessionKeyPrefix: String
    /// Has binary data written in the form that Node.js' `Buffer` has in JSON, which arrives as an object.
    public var onlyPlaintext: Bool
    /// How long questions to the other servers may take if the caller does not say.
    public var requestsTimeout: Duration
    /// How many bytes of messages wait at most for each namespace while Redis can't be written to. What is sent above that does not
    /// reach the other servers, and is reported to the error hook.
    public var maxBufferedBytes: Int
    /// For how many clients that come back at a time a session is looked for again and again, all namespaces together: the server
    /// that they were connected to may be writing it just then, which is waited for for 1.6 s. For others it is looked once, and who is
    /// not found is told so (``RecoveryFailure/limited``).
    public var maxSessionSearches: Int

    public init(
        streamName: String = "socket.io",
        streamCount: Int = 1,
        channelPrefix: String = "socket.io",
        usesShardedPubSub: Bool = false,
        maxLength: Int = 10_000,
        readCount: Int = 100,
        blockTime: Duration = .seconds(5),
        sessionKeyPrefix: String = "sio:session:",
        onlyPlaintext: Bool = false,
        requestsTimeout: Duration = .seconds(5),
        maxBufferedBytes: Int = 16 << 20,
        maxSessionSearches: Int = 500
    ) {
        self.streamName = streamName
        self.streamCount = streamCount
        self.channelPrefix = channelPrefix
        self.usesShardedPubSub = usesShardedPubSub
        self.maxLength = maxLength
        self.readCount = readCount
        self.blockTime = blockTime
        self.sessionKeyPrefix = sessionKeyPrefix
        self.onlyPlaintext = onlyPlaintext
        self.requestsTimeout = requestsTimeout
        self.maxBufferedBytes = maxBufferedBytes
        self.maxSessionSearches = maxSessionSearches
    }
}

extension RedisStreamsAdapterOptions {
    /// The stream of a namespace, as the reference computes it. For many namespaces and several streams the index is negative there:
    /// see ``RedisStreamsAdapter``.
    func stream(of namespace: String) -> String {
        guard self.streamCount > 1 else { return self.streamName }
        var hash: Int32 = 0
        for unit in namespace.utf16 { hash = hash &* 31 &+ Int32(unit) }
        return "\(self.streamName)-\(Int(hash) % self.streamCount)"
    }

    /// The streams that all servers read.
    var streams: [String] {
        guard self.streamCount > 1 else { return [self.streamName] }
        return (0..<self.streamCount).map { "\(self.streamName)-\($0)" }
    }
}
