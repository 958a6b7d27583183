import NIOCore
import RESP
import Synchronization
import TestSupport

/// A client whose connection breaks again and again while commands are on their way: some have been executed then, some have
/// not, and nobody is told.
final class FlakyRedis: RedisClient {
    private struct State {
        /// Chances of a loss in percent.
        var writes = 0
        var reads = 0
        var random: UInt64
        var losses = 0
        var executedLosses = 0
        /// The next batches to write are lost, after so many of their commands were executed.
        var planned: [Int] = []
        /// How large a batch may be.
        var maxBytes = Int.max

        mutating func roll(_ limit: Int) -> Int {
            self.random = self.random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(self.random >> 33) % max(1, limit)
        }
    }

    let inner: FakeRedisClient
    private let shared: Mutex<State>

    init(_ inner: FakeRedisClient, seed: UInt64 = 1) {
        self.inner = inner
        self.shared = Mutex(State(random: seed))
    }

    /// Has connections break by chance, in percent.
    func set(writes: Int, reads: Int) {
        self.shared.withLock { state in
            state.writes = writes
            state.reads = reads
        }
    }

    /// The next batch is lost, after so many of its commands were executed.
    func loseNext(executed: Int) { self.shared.withLock { $0.planned.append(executed) } }

    /// Has larger batches refused.
    func set(maxBytes: Int) { self.shared.withLock { $0.maxBytes = maxBytes } }

    /// Batches that were lost, and how many of their commands were executed.
    var losses: (batches: Int, executed: Int) { self.shared.withLock { ($0.losses, $0.executedLosses) } }

    func start() { self.inner.start() }
    func shutdown() async { await self.inner.shutdown() }
    var state: RedisState { self.inner.state }
    func states() -> AsyncStream<RedisState> { self.inner.states() }

    func send(
        _ commands: [RedisCommand],
        completion: (@Sendable (Result<[RedisValue], RedisError>) -> Void)?
    ) throws(RedisError) {
        let size = commands.reduce(0) { $0 + $1.arguments.reduce(0) { $0 + $1.readableBytes } }
        if size > self.shared.withLock({ $0.maxBytes }) { throw RedisError(.bufferFull, "too much") }
        let isWrite = commands.first?.arguments.first.map { String(buffer: $0) } == "XADD"
        let executed = self.shared.withLock { state -> Int? in
            guard isWrite else { return nil }
            let count: Int
            if !state.planned.isEmpty {
                count = min(state.planned.removeFirst(), commands.count)
            } else if state.roll(100) < state.writes {
                count = state.roll(commands.count + 1)
            } else {
                return nil
            }
            state.losses += 1
            state.executedLosses += count
            return count
        }
        guard let executed else { return try self.inner.send(commands, completion: completion) }
        let lost = RedisError(.connectionLost, "lost")
        guard executed > 0 else {
            PeerLoops.group.next().execute { completion?(.failure(lost)) }
            return
        }
        try self.inner.send(Array(commands.prefix(executed))) { _ in completion?(.failure(lost)) }
    }

    func sendToAllNodes(_ command: RedisCommand) async throws -> [RedisValue] {
        try await self.inner.sendToAllNodes(command)
    }

    func sendBlocking(_ command: RedisCommand) async throws -> RedisValue {
        let reply = try await self.inner.sendBlocking(command)
        // The reply was on its way.
        if self.shared.withLock({ $0.roll(100) < $0.reads }) { throw RedisError(.connectionLost, "lost") }
        return reply
    }

    func subscribe(
        to channels: [RedisChannel],
        onReady: (@Sendable () -> Void)?,
        onMessage: @escaping @Sendable (RedisMessage) -> Void
    ) -> any RedisSubscription {
        self.inner.subscribe(to: channels, onReady: onReady, onMessage: onMessage)
    }
}
