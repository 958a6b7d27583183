import NIOCore
import RESP
import Synchronization
import TestSupport

/// A small Redis in memory, for any number of clients.
///
/// All commands are executed and all messages delivered on one event loop, in order and never before the call that caused
/// them has returned.
final class FakeRedis: Sendable {
    /// A command that a client has sent.
    struct Sent: Sendable, CustomStringConvertible {
        var client: String
        var arguments: [ByteBuffer]

        var name: String { self.arguments.first.map { String(buffer: $0) } ?? "" }
        /// The arguments as text, the name first.
        var texts: [String] { self.arguments.map { String(buffer: $0) } }
        var description: String { "\(self.client): \(self.texts.joined(separator: " "))" }
    }

    struct State {
        var clients: [FakeRedisClient] = []
        var strings: [String: Entry] = [:]
        var streams: [String: FakeStream] = [:]
        /// Those who wait for entries of streams.
        var readers: [Reader] = []
        var nextReader = 0
    }

    struct Entry {
        var value: ByteBuffer
        var expires: ContinuousClock.Instant?
    }

    struct Reader {
        var id: Int
        var arguments: [String]
        var completion: @Sendable (RedisValue) -> Void
    }

    /// Where everything happens.
    let loop = PeerLoops.group.next()
    /// All commands in the order of the calls, subscriptions included.
    let log = Awaited<[Sent]>([])
    /// Touched on the loop, and by tests that look.
    let state = Mutex(State())
    /// Whether streams are read in the form of RESP2.
    let usesRESP2: Bool

    init(usesRESP2: Bool = false) { self.usesRESP2 = usesRESP2 }

    /// Another client of this server.
    func client(_ name: String = "client") -> FakeRedisClient {
        let client = FakeRedisClient(self, name: name)
        self.state.withLock { $0.clients.append(client) }
        return client
    }

    func remove(_ client: FakeRedisClient) {
        self.state.withLock { $0.clients.removeAll { $0 === client } }
    }

    // MARK: The log

    func record(_ client: String, _ arguments: [ByteBuffer]) {
        self.log.update { $0.append(Sent(client: client, arguments: arguments)) }
    }

    /// What has been sent so far; empties the log.
    func takeLog() -> [Sent] {
        self.log.update { log in
            defer { log = [] }
            return log
        }
    }

    /// Waits until all commands that were sent before are executed, and what they have caused has been delivered.
    func settle() async throws {
        for _ in 0..<4 { try await self.loop.submit {}.get() }
    }

    /// Publishes as somebody who is no client of the test.
    func publish(_ channel: String, _ payload: ByteBuffer) {
        self.loop.execute { _ = self.deliver(channel, payload, isShard: false) }
    }

    func publish(_ channel: String, _ payload: String) { self.publish(channel, ByteBuffer(string: payload)) }

    // MARK: Publish/subscribe

    /// Hands a message to those who listen; returns how many clients have got it.
    func deliver(_ channel: String, _ payload: ByteBuffer, isShard: Bool) -> Int {
        var count = 0
        for client in self.state.withLock({ $0.clients }) {
            for source in client.activeChannels where source.matches(channel, isShard: isShard) {
                count += 1
                client.deliver(RedisMessage(source: source, channel: channel, payload: payload))
            }
        }
        return count
    }

    /// How many clients are subscribed to each channel.
    func subscribers(_ kind: RedisChannel.Kind) -> [String: Int] {
        var counts: [String: Int] = [:]
        for client in self.state.withLock({ $0.clients }) {
            for channel in client.activeChannels where channel.kind == kind { counts[channel.name, default: 0] += 1 }
        }
        return counts
    }
}

extension RedisChannel {
    func matches(_ channel: String, isShard: Bool) -> Bool {
        switch self.kind {
        case .shard: isShard && self.name == channel
        case .channel: !isShard && self.name == channel
        case .pattern: !isShard && Glob.matches(self.name, channel)
        }
    }
}
