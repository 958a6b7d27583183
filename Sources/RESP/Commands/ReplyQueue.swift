import NIOCore

/// What a connection has asked, oldest first, and how replies and pushes answer it.
///
/// Subscribing has no reply but one confirmation for each channel, in the form of a push, or one error for all.
/// Confirmations and replies come in the order of the commands, so both stand in the same queue.
struct ReplyQueue {
    typealias Answer = (Result<RedisValue, RedisError>) -> Void

    enum Expectation {
        case batch(Batch)
        case command(Answer)
        case confirmations(SubscriptionRequest)
    }

    enum Event {
        /// All replies of a batch. Those of one that has neither a completion nor commands to send again: the errors.
        case completed(Batch, [RedisValue])
        case answered(Answer, RedisValue)
        /// Redis has confirmed the channel of a request with this index.
        case confirmed(SubscriptionRequest, Int)
        /// Redis has refused a request, from the channel with this index on.
        case refused(SubscriptionRequest, from: Int, String)
        case message(RedisChannel.Kind, source: String, channel: ByteBuffer, payload: ByteBuffer)
        /// Redis has ended a subscription of its own accord.
        case dropped(RedisChannel)
    }

    private var expectations = CircularBuffer<Expectation>()
    /// Of the first expectation.
    private var received = 0
    private var replies: [RedisValue] = []

    var isEmpty: Bool { self.expectations.isEmpty }

    mutating func append(_ expectation: Expectation) { self.expectations.append(expectation) }

    /// Takes off everything, when it won't be answered.
    mutating func removeAll() -> [Expectation] {
        defer { self = ReplyQueue() }
        return Array(self.expectations)
    }

    /// - Returns: Nil if more must come before there is something to do.
    /// - Throws: `protocolViolation`: nothing was asked, or something else.
    mutating func receive(_ value: RedisValue) throws(RedisError) -> Event? {
        switch self.expectations.first {
        case .batch(let batch): return self.receive(value, for: batch)
        case .command(let answer):
            self.removeFirst()
            return .answered(answer, value)
        case .confirmations(let request):
            guard case .error(let message) = value else { throw RESPParser.violation("a reply to a subscription") }
            let confirmed = self.received
            self.removeFirst()
            return .refused(request, from: confirmed, message)
        case nil: throw RESPParser.violation("a reply to nothing")
        }
    }

    private mutating func receive(_ value: RedisValue, for batch: Batch) -> Event? {
        self.received += 1
        // Of two replies the first is that of ASKING.
        if !batch.isAsking || self.received.isMultiple(of: 2) {
            var isError = false
            if case .error = value { isError = true }
            if batch.completion != nil || isError || !batch.commands.isEmpty { self.replies.append(value) }
        }
        guard self.received == batch.replyCount else { return nil }
        let replies = self.replies
        self.removeFirst()
        return .completed(batch, replies)
    }

    mutating func receive(_ event: PubSubEvent) -> Event? {
        switch event {
        case .message(let kind, let source, let channel, let payload):
            return .message(kind, source: source, channel: channel, payload: payload)
        case .subscribed(let channel): return self.confirm(channel, isSubscribed: true)
        case .unsubscribed(let channel):
            return self.confirm(channel, isSubscribed: false) ?? .dropped(channel)
        }
    }

    private mutating func confirm(_ channel: RedisChannel, isSubscribed: Bool) -> Event? {
        guard
            case .confirmations(let request)? = self.expectations.first, request.isSubscribed == isSubscribed,
            request.kind == channel.kind, request.channels[self.received] == channel.name
        else { return nil }
        let index = self.received
        self.received += 1
        if self.received == request.channels.count { self.removeFirst() }
        return .confirmed(request, index)
    }

    private mutating func removeFirst() {
        self.expectations.removeFirst()
        self.received = 0
        if !self.replies.isEmpty { self.replies = [] }
    }
}
