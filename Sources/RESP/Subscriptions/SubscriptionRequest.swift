import NIOCore

/// One `SUBSCRIBE` or `UNSUBSCRIBE`, or its kin.
struct SubscriptionRequest: Equatable {
    /// Bounds the size of one command; confirmations of one do not keep others waiting for long.
    static let maxChannels = 1000

    let kind: RedisChannel.Kind
    let isSubscribed: Bool
    /// At least one.
    var channels: [String]
    /// Tells it from earlier ones of the same channels.
    let token: UInt64
    /// Part of the renewal of all subscriptions of a connection.
    var isRenewal = false
    /// Of a channel by which this client sees whether it hears.
    var isProbe = false

    func write(into buffer: inout ByteBuffer) {
        let name =
            switch (self.kind, self.isSubscribed) {
            case (.channel, true): "SUBSCRIBE"
            case (.channel, false): "UNSUBSCRIBE"
            case (.pattern, true): "PSUBSCRIBE"
            case (.pattern, false): "PUNSUBSCRIBE"
            case (.shard, true): "SSUBSCRIBE"
            case (.shard, false): "SUNSUBSCRIBE"
            }
        RESPEncoder.write(name, self.channels, into: &buffer)
    }
}
