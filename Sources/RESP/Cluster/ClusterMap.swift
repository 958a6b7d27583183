import NIOCore

/// Which primary node of Redis Cluster serves which slots, as `CLUSTER SLOTS` tells.
struct ClusterMap: Equatable {
    struct Range: Equatable {
        let slots: ClosedRange<Int>
        let primary: RedisAddress
    }

    let ranges: [Range]

    /// - Parameter source: The node that was asked. It is meant where no host is named.
    /// - Throws: `protocolViolation`, or Redis' error.
    init(_ reply: RedisValue, from source: RedisAddress) throws(RedisError) {
        if case .error(let message) = reply { throw RedisError(.redis, message) }
        guard let entries = reply.elements else { throw RESPParser.violation("CLUSTER SLOTS: no array") }
        var ranges: [Range] = []
        for entry in entries {
            guard
                let fields = entry.elements, fields.count >= 3, let first = fields[0].int, let last = fields[1].int,
                first >= 0, first <= last, last < SlotHash.slotCount, let node = fields[2].elements, node.count >= 2,
                let port = node[1].int
            else { throw RESPParser.violation("CLUSTER SLOTS: an entry is malformed") }
            let address = RedisAddress(host: node[0].text ?? "", port: port, from: source)
            ranges.append(Range(slots: first...last, primary: address))
        }
        guard !ranges.isEmpty else { throw RedisError(.redis, "CLUSTER SLOTS: no slot is served by any node") }
        self.ranges = ranges
    }
}

extension RedisAddress {
    /// An address as nodes of a cluster tell it: without a host when they don't know it, or it is the same.
    init(host: String, port: Int, from source: RedisAddress) {
        if host.isEmpty || host == "?", case .tcp(let same, _) = source {
            self = .tcp(host: same, port: port)
        } else {
            self = .tcp(host: host, port: port)
        }
    }
}

/// An error by which a node of Redis Cluster says that a command should be sent elsewhere, or later.
enum Redirection: Equatable {
    /// Another node serves the slot.
    case moved(slot: Int, RedisAddress)
    /// Another node serves this one command.
    case ask(RedisAddress)
    /// The same again in a while.
    case later

    init?(_ error: String, from source: RedisAddress) {
        let words = error.split(separator: " ", maxSplits: 3)
        switch words.first {
        case "TRYAGAIN", "CLUSTERDOWN": self = .later
        case "MOVED", "ASK":
            guard
                words.count >= 3, let slot = Int(words[1]), (0..<SlotHash.slotCount).contains(slot),
                let colon = words[2].lastIndex(of: ":"), let port = Int(words[2][words[2].index(after: colon)...]),
                (1...65535).contains(port)
            else { return nil }
            let address = RedisAddress(host: String(words[2][..<colon]), port: port, from: source)
            self = words[0] == "ASK" ? .ask(address) : .moved(slot: slot, address)
        default: return nil
        }
    }
}
