import NIOCore

/// What Redis says about channels: a push of RESP3, or an array on a subscribed connection of RESP2.
enum PubSubEvent: Equatable {
    /// For patterns, `source` is the pattern.
    case message(RedisChannel.Kind, source: String, channel: ByteBuffer, payload: ByteBuffer)
    /// A channel is subscribed to from now on.
    case subscribed(RedisChannel)
    /// A channel is not subscribed to any longer: asked for, or because another node serves it now.
    case unsubscribed(RedisChannel)

    /// Nil: something else, such as an invalidation or the answer to a ping.
    init?(_ elements: [RedisValue]) {
        guard case .string(let verb)? = elements.first, let name = elements.dropFirst().first?.bytes else { return nil }
        switch (elements.count, verb.readableBytes) {
        case (3, 7) where verb == Self.message:
            guard let payload = elements[2].bytes else { return nil }
            self = .message(.channel, source: String(buffer: name), channel: name, payload: payload)
        case (3, 8) where verb == Self.smessage:
            guard let payload = elements[2].bytes else { return nil }
            self = .message(.shard, source: String(buffer: name), channel: name, payload: payload)
        case (4, 8) where verb == Self.pmessage:
            guard let channel = elements[2].bytes, let payload = elements[3].bytes else { return nil }
            self = .message(.pattern, source: String(buffer: name), channel: channel, payload: payload)
        case (3, _):
            let name = String(buffer: name)
            switch String(buffer: verb) {
            case "subscribe": self = .subscribed(RedisChannel(.channel, name))
            case "psubscribe": self = .subscribed(RedisChannel(.pattern, name))
            case "ssubscribe": self = .subscribed(RedisChannel(.shard, name))
            case "unsubscribe": self = .unsubscribed(RedisChannel(.channel, name))
            case "punsubscribe": self = .unsubscribed(RedisChannel(.pattern, name))
            case "sunsubscribe": self = .unsubscribed(RedisChannel(.shard, name))
            default: return nil
            }
        default: return nil
        }
    }

    private static let message = ByteBuffer(string: "message")
    private static let smessage = ByteBuffer(string: "smessage")
    private static let pmessage = ByteBuffer(string: "pmessage")
}
