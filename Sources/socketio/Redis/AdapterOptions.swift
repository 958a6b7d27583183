import ArgumentParser
import SocketIORedis

/// How servers of a cluster are joined, as options of a command.
struct AdapterOptions: ParsableArguments {
    enum Kind: String, ExpressibleByArgument, CaseIterable, Sendable {
        case pubsub, sharded, streams
    }

    @Option(
        help: ArgumentHelp(
            "What the servers use.",
            discussion: """
                pubsub: RedisAdapter, or createAdapter of @socket.io/redis-adapter. sharded: its createShardedAdapter, Redis 7. \
                streams: @socket.io/redis-streams-adapter.
                """,
            valueName: "pubsub|sharded|streams"))
    var adapter: Kind = .pubsub

    @Option(help: "pubsub: what the names of the channels begin with. Default: socket.io.")
    var key: String?

    @Option(help: "sharded, streams: what the names of the channels begin with. Default: socket.io.")
    var prefix: String?

    @Option(help: "streams: the name of the stream. Default: socket.io.")
    var stream: String?

    @Option(help: "streams: how many streams there are. Default: 1.")
    var streamCount: Int?

    func validate() throws {
        if self.key != nil, self.adapter != .pubsub { throw ValidationError("--key is for --adapter pubsub.") }
        if self.prefix != nil, self.adapter == .pubsub {
            throw ValidationError("--prefix is for --adapter sharded or streams; pubsub has --key.")
        }
        if self.stream != nil || self.streamCount != nil, self.adapter != .streams {
            throw ValidationError("--stream and --stream-count are for --adapter streams.")
        }
        if let count = self.streamCount, !(1...1024).contains(count) {
            throw ValidationError("--stream-count must be from 1 to 1024.")
        }
    }

    /// Whether nothing was chosen.
    var areDefault: Bool {
        self.adapter == .pubsub && self.key == nil && self.prefix == nil && self.stream == nil
            && self.streamCount == nil
    }

    private var pubsub: RedisAdapterOptions {
        var options = RedisAdapterOptions()
        if let key = self.key { options.key = key }
        return options
    }

    private var sharded: ShardedRedisAdapterOptions {
        var options = ShardedRedisAdapterOptions()
        if let prefix = self.prefix { options.channelPrefix = prefix }
        return options
    }

    private var streams: RedisStreamsAdapterOptions {
        var options = RedisStreamsAdapterOptions()
        if let prefix = self.prefix { options.channelPrefix = prefix }
        if let stream = self.stream { options.streamName = stream }
        if let count = self.streamCount { options.streamCount = count }
        return options
    }

    /// For a server.
    func factory(_ redis: any RedisClient) -> AdapterFactory {
        switch self.adapter {
        case .pubsub: RedisAdapter.factory(redis, options: self.pubsub)
        case .sharded: ShardedRedisAdapter.factory(redis, options: self.sharded)
        case .streams: RedisStreamsAdapter.factory(redis, options: self.streams)
        }
    }

    /// For a process without a server.
    var forEmitter: RedisEmitter.Adapter {
        switch self.adapter {
        case .pubsub: .pubsub(self.pubsub)
        case .sharded: .sharded(self.sharded)
        case .streams: .streams(self.streams)
        }
    }
}
