import Synchronization

/// One call of `subscribe`.
///
/// `@unchecked Sendable`: `missing` is confined to the event loop of the client.
final class Subscriber: @unchecked Sendable {
    /// Without repetitions.
    let channels: [RedisChannel]
    let onReady: (@Sendable () -> Void)?
    let onMessage: @Sendable (RedisMessage) -> Void
    private let cancelled = Atomic(false)
    /// How many of its channels Redis has not confirmed.
    var missing = 0

    init(
        _ channels: [RedisChannel], onReady: (@Sendable () -> Void)?,
        onMessage: @escaping @Sendable (RedisMessage) -> Void
    ) {
        var seen: Set<RedisChannel> = []
        self.channels = channels.filter { seen.insert($0).inserted }
        self.onReady = onReady
        self.onMessage = onMessage
    }

    var isCancelled: Bool { self.cancelled.load(ordering: .acquiring) }

    /// - Returns: Whether it was not before.
    func cancel() -> Bool { !self.cancelled.exchange(true, ordering: .acquiringAndReleasing) }
}

/// What the user holds; without it, there is no subscription.
final class SubscriptionHandle: RedisSubscription {
    private let subscriber: Subscriber
    private let core: ClientCore

    init(_ subscriber: Subscriber, _ core: ClientCore) {
        self.subscriber = subscriber
        self.core = core
    }

    deinit { self.cancel() }

    func cancel() {
        guard self.subscriber.cancel() else { return }
        let (core, subscriber) = (self.core, self.subscriber)
        if !core.isShutDown { core.loop.execute { core.remove(subscriber) } }
    }
}
