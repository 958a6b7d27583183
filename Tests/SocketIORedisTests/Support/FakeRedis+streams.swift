import NIOCore
import RESP
import Synchronization

/// A stream of a ``FakeRedis``.
struct FakeStream: Sendable {
    struct ID: Comparable, Sendable, CustomStringConvertible {
        var milliseconds: UInt64
        var sequence: UInt64

        static let least = ID(milliseconds: 0, sequence: 0)
        static let greatest = ID(milliseconds: .max, sequence: .max)

        init(milliseconds: UInt64, sequence: UInt64) {
            self.milliseconds = milliseconds
            self.sequence = sequence
        }

        /// `1-2`, or `1` with the given sequence.
        init?(_ text: some StringProtocol, sequence: UInt64) {
            let parts = text.split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count <= 2, let first = UInt64(parts[0]) else { return nil }
            self.milliseconds = first
            self.sequence = sequence
            if parts.count == 2 {
                guard let second = UInt64(parts[1]) else { return nil }
                self.sequence = second
            }
        }

        var description: String { "\(self.milliseconds)-\(self.sequence)" }

        static func < (left: ID, right: ID) -> Bool {
            (left.milliseconds, left.sequence) < (right.milliseconds, right.sequence)
        }
    }

    struct Entry: Sendable {
        var id: ID
        var fields: [ByteBuffer]

        var value: RedisValue {
            .array([.string(ByteBuffer(string: self.id.description)), .array(self.fields.map { .string($0) })])
        }
    }

    var entries: [Entry] = []
    var last = ID.least
}

extension FakeRedis {
    func stream(_ name: String, _ command: [ByteBuffer], _ texts: [String]) -> RedisValue {
        switch name {
        case "XADD": self.add(command, texts)
        case "XREAD": self.read(texts) ?? .null
        case "XLEN":
            .integer(Int64(self.state.withLock { $0.streams[texts.last ?? ""]?.entries.count ?? 0 }))
        case "XTRIM": self.trim(texts)
        default: self.range(texts, isReversed: name == "XREVRANGE")
        }
    }

    /// `XADD key [NOMKSTREAM] [MAXLEN [~|=] n] id field value …`
    private func add(_ command: [ByteBuffer], _ texts: [String]) -> RedisValue {
        var index = 2
        var limit: Int?
        while index < texts.count {
            let option = texts[index].uppercased()
            if option == "NOMKSTREAM" {
                index += 1
            } else if option == "MAXLEN" {
                index += index + 1 < texts.count && ["~", "="].contains(texts[index + 1]) ? 2 : 1
                guard index < texts.count, let value = Int(texts[index]) else { return .error("ERR syntax error") }
                limit = value
                index += 1
            } else {
                break
            }
        }
        guard index < texts.count, (command.count - index) % 2 == 1, command.count > index + 1 else {
            return .error("ERR wrong number of arguments for 'xadd' command")
        }
        let reply = self.state.withLock { state -> RedisValue in
            var stream = state.streams[texts[1]] ?? FakeStream()
            var id = FakeStream.ID(
                milliseconds: max(1, stream.last.milliseconds), sequence: stream.last.sequence + 1)
            if texts[index] != "*" {
                guard let given = FakeStream.ID(texts[index], sequence: 0), given > stream.last else {
                    return .error("ERR The ID specified in XADD is equal or smaller than the target stream top item")
                }
                id = given
            }
            stream.entries.append(.init(id: id, fields: Array(command[(index + 1)...])))
            stream.last = id
            if let limit, stream.entries.count > limit { stream.entries.removeFirst(stream.entries.count - limit) }
            state.streams[texts[1]] = stream
            return .string(ByteBuffer(string: id.description))
        }
        self.wakeReaders()
        return reply
    }

    private func trim(_ texts: [String]) -> RedisValue {
        guard texts.count >= 4, let limit = Int(texts.last ?? "") else { return .error("ERR syntax error") }
        return self.state.withLock { state in
            let surplus = max(0, (state.streams[texts[1]]?.entries.count ?? 0) - limit)
            state.streams[texts[1]]?.entries.removeFirst(surplus)
            return .integer(Int64(surplus))
        }
    }

    private func range(_ texts: [String], isReversed: Bool) -> RedisValue {
        guard texts.count == 4 || texts.count == 6 else {
            return .error("ERR wrong number of arguments for 'xrange' command")
        }
        let bounds = isReversed ? (texts[3], texts[2]) : (texts[2], texts[3])
        func bound(_ text: String, isLower: Bool) -> (id: FakeStream.ID, isExclusive: Bool)? {
            if text == "-" { return (.least, false) }
            if text == "+" { return (.greatest, false) }
            let isExclusive = text.hasPrefix("(")
            return FakeStream.ID(isExclusive ? text.dropFirst() : text[...], sequence: isLower ? 0 : .max)
                .map { ($0, isExclusive) }
        }
        guard let from = bound(bounds.0, isLower: true), let to = bound(bounds.1, isLower: false) else {
            return .error("ERR Invalid stream ID specified as stream command argument")
        }
        let count = texts.count == 6 ? Int(texts[5]) ?? 0 : Int.max
        let entries = self.state.withLock { $0.streams[texts[1]]?.entries ?? [] }.filter { entry in
            (from.isExclusive ? entry.id > from.id : entry.id >= from.id)
                && (to.isExclusive ? entry.id < to.id : entry.id <= to.id)
        }
        return .array((isReversed ? entries.reversed() : entries).prefix(count).map(\.value))
    }

    /// Where keys and ids of an `XREAD` are.
    private func streams(_ texts: [String]) -> (keys: ArraySlice<String>, ids: ArraySlice<String>)? {
        guard let index = texts.firstIndex(where: { $0.uppercased() == "STREAMS" }) else { return nil }
        let rest = texts[(index + 1)...]
        guard !rest.isEmpty, rest.count % 2 == 0 else { return nil }
        return (rest.prefix(rest.count / 2), rest.suffix(rest.count / 2))
    }

    private func option(_ name: String, _ texts: [String]) -> Int? {
        texts.firstIndex { $0.uppercased() == name }.flatMap { $0 + 1 < texts.count ? Int(texts[$0 + 1]) : nil }
    }

    /// Entries behind the ids; nil if there are none.
    private func read(_ texts: [String]) -> RedisValue? {
        guard let (keys, ids) = self.streams(texts) else { return .error("ERR syntax error") }
        let count = self.option("COUNT", texts) ?? Int.max
        var pairs: [RedisPair] = []
        for (key, text) in zip(keys, ids) {
            let stream = self.state.withLock { $0.streams[key] ?? FakeStream() }
            guard let id = text == "$" ? stream.last : FakeStream.ID(text, sequence: 0) else {
                return .error("ERR Invalid stream ID specified as stream command argument")
            }
            let entries = stream.entries.filter { $0.id > id }.prefix(count)
            guard !entries.isEmpty else { continue }
            pairs.append(
                RedisPair(key: .string(ByteBuffer(string: key)), value: .array(entries.map(\.value))))
        }
        guard !pairs.isEmpty else { return nil }
        return self.usesRESP2 ? .array(pairs.map { .array([$0.key, $0.value]) }) : .map(pairs)
    }

    // MARK: Waiting

    /// Executes a command that may block.
    func readBlocking(_ command: [ByteBuffer]) async throws -> RedisValue {
        var texts = command.map { String(buffer: $0) }
        guard texts.first?.uppercased() == "XREAD", let block = self.option("BLOCK", texts),
            let (keys, ids) = self.streams(texts)
        else {
            return try await self.loop.submit { self.execute([command])[0] }.get()
        }
        // "$" means the end as it is now.
        for (offset, (key, id)) in zip(keys, ids).enumerated() where id == "$" {
            texts[ids.startIndex + offset] =
                self.state.withLock { $0.streams[key] ?? FakeStream() }.last.description
        }
        let arguments = texts
        let reader = self.state.withLock { state in
            state.nextReader += 1
            return state.nextReader
        }
        return try await withTaskCancellationHandler {
            let reply = await withCheckedContinuation { continuation in
                self.loop.execute {
                    if let reply = self.read(arguments) { return continuation.resume(returning: reply) }
                    self.state.withLock { state in
                        state.readers.append(
                            Reader(id: reader, arguments: arguments) { continuation.resume(returning: $0) })
                    }
                    if block > 0 {
                        self.loop.scheduleTask(in: .milliseconds(Int64(block))) { self.endReader(reader) }
                    }
                    if Task.isCancelled { self.endReader(reader) }
                }
            }
            try Task.checkCancellation()
            return reply
        } onCancel: {
            self.loop.execute { self.endReader(reader) }
        }
    }

    /// Has blocking reads end without anything, as when their time is up.
    func endReaders() {
        for reader in self.state.withLock({ $0.readers.map(\.id) }) { self.endReader(reader) }
    }

    private func endReader(_ id: Int) {
        let reader = self.state.withLock { state in
            state.readers.firstIndex { $0.id == id }.map { state.readers.remove(at: $0) }
        }
        reader?.completion(.null)
    }

    private func wakeReaders() {
        for reader in self.state.withLock({ $0.readers }) {
            guard let reply = self.read(reader.arguments) else { continue }
            let isWaiting = self.state.withLock { state in
                guard let index = state.readers.firstIndex(where: { $0.id == reader.id }) else { return false }
                state.readers.remove(at: index)
                return true
            }
            if isWaiting { reader.completion(reply) }
        }
    }
}
