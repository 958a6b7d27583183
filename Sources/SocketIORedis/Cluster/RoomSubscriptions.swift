import RESP
import SocketIO
import Synchronization

/// The channels of rooms that have members on this server. It follows the room events, which come one at a time and in order.
final class RoomSubscriptions: Sendable {
    private struct State {
        var subscriptions: [Room: any RedisSubscription] = [:]
        var isClosed = false
    }

    private let state = Mutex(State())
    private let subscribe: @Sendable (Room) -> any RedisSubscription
    private let hasChannel: @Sendable (Room) -> Bool

    init(
        hasChannel: @escaping @Sendable (Room) -> Bool,
        subscribe: @escaping @Sendable (Room) -> any RedisSubscription
    ) {
        self.hasChannel = hasChannel
        self.subscribe = subscribe
    }

    func handle(_ event: RoomEvent) {
        switch event {
        case .created(let room):
            guard self.hasChannel(room), !self.state.withLock({ $0.isClosed }) else { return }
            let subscription = self.subscribe(room)
            let surplus = self.state.withLock { state in
                if state.isClosed { return subscription as (any RedisSubscription)? }
                return state.subscriptions.updateValue(subscription, forKey: room)
            }
            surplus?.cancel()
        case .deleted(let room):
            let subscription = self.state.withLock { $0.subscriptions.removeValue(forKey: room) }
            subscription?.cancel()
        case .joined, .left: break
        }
    }

    func close() {
        let subscriptions = self.state.withLock { state in
            state.isClosed = true
            defer { state.subscriptions = [:] }
            return Array(state.subscriptions.values)
        }
        for subscription in subscriptions { subscription.cancel() }
    }

    /// How many there are.
    var count: Int { self.state.withLock { $0.subscriptions.count } }
}
