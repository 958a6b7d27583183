import NIOCore
import RESP
import SocketIO
import SocketIOCore
import Synchronization

/// Writes the messages of one namespace of this server to its stream: all of them once and in order, also when
/// Redis goes away and comes back.
final class StreamWriter: Sendable {
    private let redis: any RedisClient
    private let stream: String
    private let uid: String
    private let node: ClusterNode
    private let state: Mutex<State>
    /// The beginning of each command, up to the type.
    private let prefix: [ByteBuffer]

    private struct State {
        var outbox: StreamOutbox
        /// Failures in a row.
        var failures = 0
        /// How often in a row a message was too large, alone, with nothing before it.
        var refusals = 0
        var drained: [CheckedContinuation<Void, Never>] = []
        /// How many messages were taken.
        var accepted = 0
    }

    /// Called when messages have left the outbox.
    private let onProgress = Mutex<(@Sendable () -> Void)?>(nil)

    func setOnProgress(_ body: @escaping @Sendable () -> Void) { self.onProgress.withLock { $0 = body } }

    private static let dataName = ByteBuffer(string: "data")

    init(_ redis: any RedisClient, node: ClusterNode, stream: String, options: RedisStreamsAdapterOptions) {
        self.redis = redis
        self.stream = stream
        self.node = node
        self.uid = node.uid
        self.state = Mutex(State(outbox: StreamOutbox(maxBytes: options.maxBufferedBytes)))
        self.prefix = [
            "XADD", stream, "MAXLEN", "~", String(max(1, options.maxLength)), "*", "uid", node.uid, "nsp",
            node.namespace, "type",
        ].map { ByteBuffer(string: $0) }
    }

    /// Writes a message soon.
    ///
    /// - Throws: ``SocketIOError`` if too much waits.
    func write(_ type: ClusterMessageType, _ data: ByteBuffer, event: String?) throws(SocketIOError) {
        let item = StreamOutbox.Item(type: type.rawValue, data: data, event: event)
        let added = self.state.withLock { state in
            let action = state.outbox.add(item)
            if action != nil { state.accepted &+= 1 }
            return action
        }
        guard let action = added else {
            throw .notSent("a message", RedisError(.bufferFull, "too much waits to be written to the stream"))
        }
        self.perform(action)
    }

    /// How many messages are not written yet.
    var count: Int { self.state.withLock { $0.outbox.count } }

    /// How many messages were taken, how many of them are on their way no more, and the last entry that was written.
    var progress: (accepted: Int, settled: Int, last: StreamID?) {
        self.state.withLock { ($0.accepted, $0.accepted - $0.outbox.count, $0.outbox.lastID) }
    }

    /// Gives what waits some time to be written, if Redis is there, and ends.
    func close() async {
        if self.redis.state.isUsable {
            let timer = Task {
                try await Task.sleep(for: .seconds(2))
                self.end()
            }
            await withCheckedContinuation { continuation in
                let isEmpty = self.state.withLock { state in
                    if !state.outbox.isEmpty { state.drained.append(continuation) }
                    return state.outbox.isEmpty
                }
                if isEmpty { continuation.resume() }
            }
            timer.cancel()
        }
        self.end()
    }

    private func end() {
        let drained = self.state.withLock { state in
            state.outbox.close()
            defer { state.drained = [] }
            return state.drained
        }
        for continuation in drained { continuation.resume() }
    }

    // MARK: Doing what the outbox says

    private func update(_ change: (inout StreamOutbox) -> StreamOutbox.Action) {
        let (action, drained) = self.state.withLock { state in
            let action = change(&state.outbox)
            guard state.outbox.isEmpty else { return (action, [CheckedContinuation<Void, Never>]()) }
            defer { state.drained = [] }
            return (action, state.drained)
        }
        for continuation in drained { continuation.resume() }
        self.perform(action)
        self.onProgress.withLock { $0 }?()
    }

    private func perform(_ action: StreamOutbox.Action) {
        switch action {
        case .none: break
        case .write(let items): self.write(items)
        case .lookUp(let id): self.lookUp(after: id)
        case .wait:
            let failures = self.state.withLock { state in
                state.failures += 1
                return state.failures
            }
            Task {
                try? await Task.sleep(for: .milliseconds(min(2000, 50 << min(failures, 6))))
                self.update { $0.resume() }
            }
        }
    }

    private func write(_ items: [StreamOutbox.Item]) {
        let commands = items.map { item in
            RedisCommand(
                arguments: self.prefix + [ByteBuffer(string: String(item.type)), Self.dataName, item.data])
        }
        do {
            try self.redis.send(commands) { [self] result in
                switch result {
                case .success(let replies) where replies.count >= items.count:
                    self.state.withLock { state in
                        state.failures = 0
                        state.refusals = 0
                    }
                    self.answered(items, replies)
                case .success: self.failed(RedisError(.protocolViolation, "too few replies"))
                case .failure(let error): self.failed(error)
                }
            }
        } catch {
            guard error.code == .bufferFull else { return self.failed(error, wasAccepted: false) }
            if items.count == 1 {
                self.notAccepted(items[0], error)
            } else {
                self.update { $0.notAccepted(isTooMuch: true) }
            }
        }
    }

    /// How often a message that is alone is not accepted before it is given up.
    private static var maxRefusals: Int { 4 }

    /// The client has no room for a message. If that stays so although what was before it has been answered, it is larger than
    /// what the client can ever keep, and must not stop all others.
    private func notAccepted(_ item: StreamOutbox.Item, _ error: RedisError) {
        do {
            try self.redis.send([RedisCommand("XLEN", self.stream)]) { [self] result in
                if case .failure(let error) = result { return self.failed(error, wasAccepted: false) }
                let isHopeless = self.state.withLock { state in
                    state.refusals += 1
                    guard state.refusals >= Self.maxRefusals else { return false }
                    state.refusals = 0
                    return true
                }
                guard isHopeless else { return self.update { $0.notAccepted(isTooMuch: true) } }
                self.node.report(SocketIOError.notSent("a message", error), event: item.event)
                self.update { $0.answered([.refused]) }
            }
        } catch {
            self.failed(error, wasAccepted: false)
        }
    }

    private func answered(_ items: [StreamOutbox.Item], _ replies: [RedisValue]) {
        var results: [StreamOutbox.Reply] = []
        for (item, reply) in zip(items, replies) {
            if let id = reply.text.flatMap({ StreamID($0) }) {
                results.append(.written(id))
            } else if case .error(let message) = reply, Self.isTemporary(message) {
                results.append(.notNow)
            } else {
                var message = "an unexpected reply"
                if case .error(let text) = reply { message = text }
                self.node.report(SocketIOError.notSent("a message", RedisError(.redis, message)), event: item.event)
                results.append(.refused)
            }
        }
        self.update { $0.answered(results) }
    }

    /// Whether an error says that Redis, or this node of it, is not ready.
    static func isTemporary(_ message: String) -> Bool {
        ["LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY", "NOREPLICAS", "OOM", "MISCONF"]
            .contains {
                message.hasPrefix($0)
            }
    }

    private func failed(_ error: RedisError, wasAccepted: Bool = true) {
        if error.code == .closed { return self.end() }
        self.update { $0.failed(wasAccepted: wasAccepted) }
    }

    // MARK: After a loss

    private func lookUp(after id: StreamID?) {
        Task {
            do {
                let entries = try await self.ownEntries(after: id)
                self.update { $0.found(entries) }
            } catch let error as RedisError where error.code == .closed {
                self.end()
            } catch {
                self.update { $0.notFound() }
            }
        }
    }

    /// This namespace's entries behind `id`.
    private func ownEntries(
        after id: StreamID?
    ) async throws -> [(id: StreamID, type: Int?, data: ByteBuffer?)] {
        var found: [(id: StreamID, type: Int?, data: ByteBuffer?)] = []
        var from = id?.next ?? .zero
        while true {
            let reply = try await self.redis.send(
                RedisCommand("XRANGE", self.stream, from.description, "+", "COUNT", "1000"))
            let values = reply.elements ?? []
            for entry in values.lazy.compactMap({ StreamEntry($0) }) where entry.uid == self.uid {
                found.append((entry.id, entry.type, entry.data))
            }
            guard let next = values.last.flatMap({ StreamEntry.id(of: $0) })?.next else { return found }
            from = next
        }
    }
}

extension StreamOutbox {
    fileprivate mutating func failed(wasAccepted: Bool) -> Action { wasAccepted ? self.lost() : self.notAccepted() }
}
