import RESP
import SocketIO
import Synchronization

/// Who is told of the entries of a stream: one namespace of one server.
protocol StreamMember: AnyObject, Sendable {
    var namespace: String { get }
    /// From now on the entries behind this one are told.
    func streamIsRead(after id: StreamID)
    /// All entries up to this one were told.
    func streamWasRead(upTo id: StreamID)
    /// Redis refuses to let the streams be read. It is tried again and again.
    func readingIsRefused(_ message: String)
    func receive(_ entry: StreamEntry)
}

/// Reads the streams for all namespaces that share a client: one after the other, never the same twice, nothing left out.
///
/// One task, one blocking command at a time; it runs while there are members.
final class StreamHub: Sendable {
    struct State {
        var members: [ObjectIdentifier: Member] = [:]
        var streams: [String: StreamPosition] = [:]
        /// The reading task, and a number that tells it from earlier ones.
        var reader: Task<Void, Never>?
        var generation = 0
        /// The command that waits for entries.
        var read: Task<RedisValue, any Error>?
        /// Redis serves the streams on different nodes: they are read one by one.
        var isSplit = false
        var options = StreamReadOptions()
        /// How many sessions are being looked for.
        var searches = 0
    }

    struct Member {
        var member: any StreamMember
        var stream: String
        var isTold = false
    }

    let redis: any RedisClient
    let state = Mutex(State())

    private init(_ redis: any RedisClient) { self.redis = redis }

    // MARK: One for each client

    private struct Weak {
        weak var hub: StreamHub?
    }

    private static let hubs = Mutex<[ObjectIdentifier: Weak]>([:])

    /// The hub of a client: it has one connection for blocking commands, so whoever has the client reads with one command.
    static func shared(_ redis: any RedisClient) -> StreamHub {
        guard type(of: redis) is AnyClass else { return StreamHub(redis) }
        let key = ObjectIdentifier(redis as AnyObject)
        // Made outside the lock: a hub that goes away takes its client with it.
        let new = StreamHub(redis)
        return Self.hubs.withLock { hubs in
            if let hub = hubs[key]?.hub { return hub }
            hubs = hubs.filter { $0.value.hub != nil }
            hubs[key] = Weak(hub: new)
            return new
        }
    }

    // MARK: Coming and going

    /// Tells `member` of entries of `stream` from soon on.
    func add(_ member: any StreamMember, stream: String, options: RedisStreamsAdapterOptions) {
        let (position, interrupted) = self.state.withLock { state -> (StreamID?, Task<RedisValue, any Error>?) in
            // Its stream may be read already for others.
            let position = state.streams[stream]?.last
            state.members[ObjectIdentifier(member)] = Member(
                member: member, stream: stream, isTold: position != nil)
            state.options = StreamReadOptions(options)
            var isNew = false
            for name in Set(options.streams + [stream]) where state.streams[name] == nil {
                state.streams[name] = StreamPosition()
                isNew = true
            }
            if state.reader == nil {
                state.generation += 1
                let generation = state.generation
                state.reader = Task { await self.run(generation) }
            }
            // The command that waits now does not wait for this stream.
            return (position, isNew ? state.read : nil)
        }
        interrupted?.cancel()
        if let position { member.streamIsRead(after: position) }
    }

    func remove(_ member: any StreamMember) {
        let (removed, reader, read) = self.state.withLock { state in
            let removed = state.members.removeValue(forKey: ObjectIdentifier(member))
            guard state.members.isEmpty else {
                return (removed, Task<Void, Never>?.none, Task<RedisValue, any Error>?.none)
            }
            defer {
                state.reader = nil
                state.read = nil
                state.streams = [:]
            }
            return (removed, state.reader, state.read)
        }
        _ = removed
        reader?.cancel()
        read?.cancel()
    }

    /// How far a stream was read.
    func position(of stream: String) -> StreamID? { self.state.withLock { $0.streams[stream]?.last } }

    // MARK: Sessions

    /// Whether one more session may be looked for again and again; then ``endSearch()`` must follow.
    func beginSearch(limit: Int) -> Bool {
        self.state.withLock { state in
            guard state.searches < limit else { return false }
            state.searches += 1
            return true
        }
    }

    func endSearch() { self.state.withLock { $0.searches -= 1 } }

    /// How many members there are.
    var count: Int { self.state.withLock { $0.members.count } }
}

/// How streams are read.
struct StreamReadOptions: Sendable {
    var count = 100
    var block = Duration.seconds(5)

    init() {}

    init(_ options: RedisStreamsAdapterOptions) {
        self.count = max(1, options.readCount)
        self.block = max(.milliseconds(1), options.blockTime)
    }
}
