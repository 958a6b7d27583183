import NIOCore
import RESP
import Synchronization

extension FakeRedis {
    /// Executes commands one after the other; `MULTI` and `EXEC` among them are obeyed.
    func execute(_ commands: [[ByteBuffer]]) -> [RedisValue] {
        var replies: [RedisValue] = []
        var queued: [[ByteBuffer]]?
        for command in commands {
            switch (Self.name(command), queued) {
            case ("MULTI", nil):
                queued = []
                replies.append(.string(ByteBuffer(string: "OK")))
            case ("EXEC", let list?):
                queued = nil
                replies.append(.array(list.map { self.execute($0) }))
            case (_, var list?):
                list.append(command)
                queued = list
                replies.append(.string(ByteBuffer(string: "QUEUED")))
            default: replies.append(self.execute(command))
            }
        }
        return replies
    }

    private static func name(_ command: [ByteBuffer]) -> String {
        command.first.map { String(buffer: $0).uppercased() } ?? ""
    }

    private func execute(_ command: [ByteBuffer]) -> RedisValue {
        let texts = command.map { String(buffer: $0) }
        func wrong() -> RedisValue { .error("ERR wrong number of arguments for '\(texts.first ?? "")' command") }
        let name = Self.name(command)
        switch name {
        case "PING": return .string(ByteBuffer(string: "PONG"))
        case "PUBLISH", "SPUBLISH":
            guard command.count == 3 else { return wrong() }
            return .integer(Int64(self.deliver(texts[1], command[2], isShard: name == "SPUBLISH")))
        case "PUBSUB": return self.pubSub(texts)
        case "SET":
            guard command.count == 3 || command.count == 5 else { return wrong() }
            var expires: ContinuousClock.Instant?
            if command.count == 5 {
                guard let time = Int(texts[4]) else { return .error("ERR value is not an integer or out of range") }
                let unit = texts[3].uppercased()
                expires = ContinuousClock.now + (unit == "PX" ? .milliseconds(time) : .seconds(time))
            }
            self.state.withLock { $0.strings[texts[1]] = Entry(value: command[2], expires: expires) }
            return .string(ByteBuffer(string: "OK"))
        case "EXISTS":
            guard command.count == 2 else { return wrong() }
            return .integer(
                self.state.withLock { state in
                    guard let entry = state.strings[texts[1]], entry.expires.map({ $0 > .now }) ?? true else {
                        return 0
                    }
                    return 1
                })
        case "GET", "GETDEL":
            guard command.count == 2 else { return wrong() }
            return self.state.withLock { state in
                guard let entry = state.strings[texts[1]], entry.expires.map({ $0 > .now }) ?? true else {
                    return .null
                }
                if name == "GETDEL" { state.strings[texts[1]] = nil }
                return .string(entry.value)
            }
        case "DEL", "UNLINK":
            return self.state.withLock { state in
                .integer(
                    Int64(
                        texts.dropFirst().count {
                            let hadString = state.strings.removeValue(forKey: $0) != nil
                            return state.streams.removeValue(forKey: $0) != nil || hadString
                        }))
            }
        case "FLUSHALL":
            self.state.withLock { state in
                state.strings = [:]
                state.streams = [:]
            }
            return .string(ByteBuffer(string: "OK"))
        case "XADD", "XREAD", "XRANGE", "XREVRANGE", "XLEN", "XTRIM": return self.stream(name, command, texts)
        default: return .error("ERR unknown command '\(texts.first ?? "")'")
        }
    }

    private func pubSub(_ texts: [String]) -> RedisValue {
        guard texts.count >= 2 else { return .error("ERR wrong number of arguments for 'pubsub' command") }
        let subcommand = texts[1].uppercased()
        let counts = self.subscribers(subcommand.hasPrefix("SHARD") ? .shard : .channel)
        switch subcommand {
        case "NUMSUB", "SHARDNUMSUB":
            return .array(
                texts.dropFirst(2).flatMap { name -> [RedisValue] in
                    [.string(ByteBuffer(string: name)), .integer(Int64(counts[name] ?? 0))]
                })
        case "CHANNELS", "SHARDCHANNELS":
            let pattern = texts.count > 2 ? texts[2] : "*"
            let names = counts.keys.filter { Glob.matches(pattern, $0) }.sorted()
            return .array(names.map { .string(ByteBuffer(string: $0)) })
        default: return .error("ERR unknown subcommand '\(texts[1])'")
        }
    }
}
