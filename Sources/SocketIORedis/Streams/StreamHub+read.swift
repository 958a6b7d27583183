import RESP
import SocketIO
import Synchronization

extension StreamHub {
    /// Reads until there are no members.
    func run(_ generation: Int) async {
        var failures = 0
        while self.isCurrent(generation) {
            do {
                try await self.locate(generation)
                try await self.read(generation)
                failures = 0
            } catch {
                if (error as? RedisError)?.code == .closed { return self.end(generation) }
                let wasInterrupted = error is CancellationError
                if !wasInterrupted {
                    failures += 1
                    if let error = error as? RedisError, error.code == .redis { self.tell(error.message) }
                    self.doubt(generation)
                    try? await Task.sleep(for: .milliseconds(min(1000, 10 << min(failures, 7))))
                }
            }
        }
    }

    private func tell(_ refusal: String) {
        for member in self.state.withLock({ $0.members.values.map(\.member) }) { member.readingIsRefused(refusal) }
    }

    private func isCurrent(_ generation: Int) -> Bool {
        self.state.withLock { $0.generation == generation && $0.reader != nil }
    }

    private func end(_ generation: Int) {
        self.state.withLock { state in
            if state.generation == generation { state.reader = nil }
        }
    }

    // MARK: Where to read from

    private func doubt(_ generation: Int) {
        self.state.withLock { state in
            guard state.generation == generation else { return }
            for name in state.streams.keys { state.streams[name]?.doubt() }
        }
    }

    /// Looks where streams end whose ends are not known, or not any more; then tells members that wait for it.
    private func locate(_ generation: Int) async throws {
        let streams = self.state.withLock { state in
            state.generation == generation ? state.streams.filter(\.value.mustBeLocated).map(\.key) : []
        }
        for stream in streams {
            let reply = try await self.redis.send(RedisCommand("XREVRANGE", stream, "+", "-", "COUNT", "1"))
            let end = reply.elements?.first.flatMap { StreamEntry.id(of: $0) }
            self.state.withLock { state in
                if state.generation == generation { state.streams[stream]?.locate(end) }
            }
        }
        let members = self.state.withLock { state -> [(member: any StreamMember, position: StreamID)] in
            var told: [(any StreamMember, StreamID)] = []
            for (id, member) in state.members where !member.isTold {
                guard let position = state.streams[member.stream]?.last else { continue }
                state.members[id]?.isTold = true
                told.append((member.member, position))
            }
            return told
        }
        for (member, position) in members { member.streamIsRead(after: position) }
    }

    // MARK: Reading

    /// How long after the time of a blocking command its reply is waited for.
    private static var grace: Duration { .seconds(10) }

    private func read(_ generation: Int) async throws {
        // Redis Cluster refuses to read streams of several nodes with one command. They are read in turn then.
        if self.state.withLock({ $0.isSplit }) {
            for stream in self.state.withLock({ Array($0.streams.keys) }) {
                try await self.read([stream], generation, blockLimit: .milliseconds(20))
            }
            return
        }
        do {
            try await self.read(nil, generation, blockLimit: nil)
        } catch let error as RedisError where error.code == .redis && error.message.hasPrefix("CROSSSLOT") {
            self.state.withLock { $0.isSplit = true }
        }
    }

    /// Waits for entries of these streams, or of all, and hands them over.
    private func read(_ only: [String]?, _ generation: Int, blockLimit: Duration?) async throws {
        let redis = self.redis
        let (read, block) = self.state.withLock { state -> (Task<RedisValue, any Error>?, Duration) in
            guard state.generation == generation, state.reader != nil else { return (nil, .zero) }
            let streams = state.streams.filter { only?.contains($0.key) ?? true }
            // A new one, or one that just has come into doubt: to be located first.
            guard !streams.isEmpty, !streams.contains(where: \.value.mustBeLocated),
                state.members.values.allSatisfy(\.isTold)
            else { return (nil, .zero) }
            let ids = streams.values.map { $0.last ?? .zero }
            let block = min(state.options.block, blockLimit ?? state.options.block)
            let arguments =
                ["XREAD", "COUNT", "\(state.options.count)", "BLOCK", "\(max(1, block.milliseconds))", "STREAMS"]
                + streams.keys + ids.map(\.description)
            let command = RedisCommand(
                arguments: arguments.map { .init(string: $0) }, keyIndex: arguments.count - 2 * streams.count)
            let read = Task { try await redis.sendBlocking(command) }
            state.read = read
            return (read, block)
        }
        guard let read else { throw CancellationError() }
        // A connection that is open but dead must not be waited for.
        let limit = block + Self.grace
        let began = ContinuousClock.now
        let timer = Task {
            try await Task.sleep(for: limit)
            read.cancel()
        }
        defer { timer.cancel() }
        let reply: RedisValue
        do {
            reply = try await withTaskCancellationHandler {
                try await read.value
            } onCancel: {
                read.cancel()
            }
        } catch {
            // Giving up the connection is what was asked for, whatever the client says to it.
            if read.isCancelled, ContinuousClock.now - began < limit { throw CancellationError() }
            if read.isCancelled { throw RedisError(.timeout, "no reply to XREAD") }
            throw error
        }
        self.take(reply, generation)
    }

    /// Hands entries over, each after it has been noted as read.
    private func take(_ reply: RedisValue, _ generation: Int) {
        for (stream, entries) in Self.streams(reply) {
            for value in entries {
                guard let id = StreamEntry.id(of: value) else { continue }
                let entry = StreamEntry(value)
                let members = self.state.withLock { state -> [any StreamMember] in
                    guard state.generation == generation, let position = state.streams[stream],
                        position.last.map({ $0 < id }) ?? true
                    else { return [] }
                    state.streams[stream]?.advance(to: id)
                    guard let entry else { return [] }
                    return state.members.values.filter { $0.isTold && $0.member.namespace == entry.namespace }
                        .map(\.member)
                }
                guard let entry else { continue }
                for member in members { member.receive(entry) }
            }
            guard let last = entries.last.flatMap({ StreamEntry.id(of: $0) }) else { continue }
            for member in self.state.withLock({ state in
                state.generation == generation
                    ? state.members.values.filter { $0.isTold && $0.stream == stream }.map(\.member) : []
            }) {
                member.streamWasRead(upTo: last)
            }
        }
    }

    /// A reply by stream: pairs in arrays, or a map.
    static func streams(_ reply: RedisValue) -> [(stream: String, entries: [RedisValue])] {
        switch reply {
        case .array(let pairs):
            pairs.compactMap { pair in
                guard let parts = pair.elements, parts.count == 2, let name = parts[0].text,
                    let entries = parts[1].elements
                else { return nil }
                return (name, entries)
            }
        case .map(let pairs):
            pairs.compactMap { pair in
                guard let name = pair.key.text, let entries = pair.value.elements else { return nil }
                return (name, entries)
            }
        default: []
        }
    }
}
