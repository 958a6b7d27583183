import NIOCore

/// A channel of this client's own that is published to from time to time, to see whether its connection for
/// subscriptions hears. Traffic on that connection proves nothing: Redis may answer and send other messages, and these
/// not.
struct Probe {
    let channel: RedisChannel
    var isConfirmed = false
    private var sent: UInt64 = 0
    private var heard: UInt64 = 0

    init(_ channel: RedisChannel) { self.channel = channel }

    /// The next message, and its number.
    mutating func next() -> (command: RedisCommand, number: UInt64) {
        self.sent += 1
        let verb = self.channel.kind == .shard ? "SPUBLISH" : "PUBLISH"
        return (RedisCommand(verb, self.channel.name, String(self.sent), keyIndex: nil), self.sent)
    }

    mutating func hear(_ payload: ByteBuffer) {
        if let number = UInt64(String(buffer: payload)), number <= self.sent { self.heard = max(self.heard, number) }
    }

    func hasHeard(_ number: UInt64) -> Bool { self.heard >= number }

    /// - Parameter isServed: For channels in shards, whether the node serves the slot.
    static func channel(prefix: String, inShards: Bool, where isServed: (Int) -> Bool) -> RedisChannel? {
        let id = String(UInt64.random(in: 0 ... .max), radix: 16) + String(UInt64.random(in: 0 ... .max), radix: 16)
        guard inShards else { return RedisChannel(.channel, "\(prefix):probe:\(id)") }
        // A node that serves any slots to speak of is found long before.
        for attempt in 0..<200_000 {
            let name = "\(prefix):probe:{\(id)-\(attempt)}"
            if isServed(SlotHash.slot(of: name)) { return RedisChannel(.shard, name) }
        }
        return nil
    }
}
