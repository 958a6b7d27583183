/// Who listens to which channels, where they are subscribed to, and what Redis has confirmed of it.
///
/// It says which requests must be sent. Those of one connection are sent in the order in which they were returned, so
/// that the last one decides; tokens tell confirmations of earlier ones from that of the last. Requests for a node
/// without a connection are dropped: ``renew(_:)`` makes them again.
struct SubscriptionTable {
    struct Action: Equatable {
        let node: Int
        let request: SubscriptionRequest
    }

    private struct Entry {
        let order: UInt64
        var subscribers: [Subscriber] = []
        /// Nil: nobody knows who serves it.
        var node: Int?
        var token: UInt64
        var isConfirmed = false
        /// Redis has refused or ended it.
        var isRefused = false
    }

    private struct Group: Hashable {
        let node: Int
        let kind: RedisChannel.Kind
        /// In Redis Cluster, channels of one command must have the same slot.
        let slot: Int?
    }

    /// Whether shard channels are in slots of different nodes.
    var isCluster = false
    private var entries: [RedisChannel: Entry] = [:]
    private var lastToken: UInt64 = 0
    private var lastOrder: UInt64 = 0
    private var plainCounts: [Int: Int] = [:]
    private var shardCounts: [Int: Int] = [:]

    var channelCount: Int { self.entries.count }

    /// Whether a node has channels: of either kind, where nothing else is said.
    func hasChannels(at node: Int, inShards: Bool? = nil) -> Bool {
        switch inShards {
        case true?: self.shardCounts[node] != nil
        case false?: self.plainCounts[node] != nil
        case nil: self.shardCounts[node] != nil || self.plainCounts[node] != nil
        }
    }

    func subscribers(of channel: RedisChannel) -> [Subscriber]? { self.entries[channel]?.subscribers }

    // MARK: Users

    /// - Returns: Whether all its channels are confirmed already.
    mutating func add(_ subscriber: Subscriber, at place: (RedisChannel) -> Int?) -> (actions: [Action], isReady: Bool)
    {
        var fresh: [(RedisChannel, Int)] = []
        self.lastToken += 1
        for channel in subscriber.channels {
            if self.entries[channel] == nil {
                self.lastOrder += 1
                let node = place(channel)
                self.entries[channel] = Entry(order: self.lastOrder, node: node, token: self.lastToken)
                self.count(channel, at: node, 1)
                if let node { fresh.append((channel, node)) }
            }
            self.entries[channel]?.subscribers.append(subscriber)
            if self.entries[channel]?.isConfirmed == false { subscriber.missing += 1 }
        }
        return (self.requests(fresh, isSubscribed: true), subscriber.missing == 0)
    }

    mutating func remove(_ subscriber: Subscriber) -> [Action] {
        var unused: [(RedisChannel, Int)] = []
        for channel in subscriber.channels {
            self.entries[channel]?.subscribers.removeAll { $0 === subscriber }
            guard let entry = self.entries[channel], entry.subscribers.isEmpty else { continue }
            self.entries[channel] = nil
            self.count(channel, at: entry.node, -1)
            if let node = entry.node { unused.append((channel, node)) }
        }
        return self.requests(unused, isSubscribed: false)
    }

    mutating func removeAll() { self = SubscriptionTable() }

    // MARK: Connections

    /// There is a connection to the node: everything must be subscribed to.
    mutating func renew(_ node: Int) -> [Action] {
        self.lastToken += 1
        var channels: [(RedisChannel, Int, order: UInt64)] = []
        for (channel, entry) in self.entries where entry.node == node {
            self.entries[channel]?.token = self.lastToken
            self.unconfirm(channel)
            channels.append((channel, node, entry.order))
        }
        channels.sort { $0.order < $1.order }
        return self.requests(channels.map { ($0.0, $0.1) }, isSubscribed: true, isRenewal: true)
    }

    /// The connection to the node is lost.
    mutating func lose(_ node: Int) {
        for (channel, entry) in self.entries where entry.node == node { self.unconfirm(channel) }
    }

    /// Nodes have come, gone, or serve other slots.
    mutating func place(at place: (RedisChannel) -> Int?) -> [Action] {
        var (left, entered): ([(RedisChannel, Int)], [(RedisChannel, Int)]) = ([], [])
        self.lastToken += 1
        for (channel, entry) in self.entries.sorted(by: { $0.value.order < $1.value.order }) {
            let node = place(channel)
            guard node != entry.node else { continue }
            self.count(channel, at: entry.node, -1)
            self.count(channel, at: node, 1)
            self.unconfirm(channel)
            self.entries[channel]?.node = node
            self.entries[channel]?.token = self.lastToken
            // A node that does not serve a slot any longer has ended its subscriptions itself. Asked to, it would answer
            // with an error, and what it says of its own accord could be taken for that answer.
            if let old = entry.node, channel.kind != .shard { left.append((channel, old)) }
            if let node { entered.append((channel, node)) }
        }
        return self.requests(left, isSubscribed: false) + self.requests(entered, isSubscribed: true)
    }

    // MARK: Answers of Redis

    /// - Returns: Those who have all their channels now.
    mutating func confirm(_ request: SubscriptionRequest, _ index: Int) -> [Subscriber] {
        let channel = RedisChannel(request.kind, request.channels[index])
        guard
            request.isSubscribed, let entry = self.entries[channel], entry.token == request.token, !entry.isConfirmed
        else { return [] }
        self.entries[channel]?.isConfirmed = true
        self.entries[channel]?.isRefused = false
        return entry.subscribers.filter { subscriber in
            subscriber.missing -= 1
            return subscriber.missing == 0
        }
    }

    /// Redis has refused a request from the channel with this index on.
    mutating func refuse(_ request: SubscriptionRequest, from index: Int) {
        guard request.isSubscribed else { return }
        for name in request.channels[index...] {
            let channel = RedisChannel(request.kind, name)
            if self.entries[channel]?.token == request.token { self.entries[channel]?.isRefused = true }
        }
    }

    /// Redis has ended a subscription that it had confirmed.
    ///
    /// - Returns: Whether somebody needs it.
    mutating func drop(_ channel: RedisChannel, at node: Int) -> Bool {
        guard let entry = self.entries[channel], entry.node == node, entry.isConfirmed else { return false }
        self.unconfirm(channel)
        self.entries[channel]?.isRefused = true
        return true
    }

    /// Asks again for what was refused.
    mutating func retry() -> [Action] {
        self.lastToken += 1
        var channels: [(RedisChannel, Int)] = []
        for (channel, entry) in self.entries where entry.isRefused {
            self.entries[channel]?.isRefused = false
            self.entries[channel]?.token = self.lastToken
            if let node = entry.node { channels.append((channel, node)) }
        }
        return self.requests(channels, isSubscribed: true)
    }

    var hasRefused: Bool { self.entries.values.contains { $0.isRefused } }

    // MARK: Parts

    private mutating func unconfirm(_ channel: RedisChannel) {
        self.entries[channel]?.isRefused = false
        guard let entry = self.entries[channel], entry.isConfirmed else { return }
        self.entries[channel]?.isConfirmed = false
        for subscriber in entry.subscribers { subscriber.missing += 1 }
    }

    private mutating func count(_ channel: RedisChannel, at node: Int?, _ difference: Int) {
        guard let node else { return }
        let counts: WritableKeyPath<Self, [Int: Int]> = channel.kind == .shard ? \.shardCounts : \.plainCounts
        let count = (self[keyPath: counts][node] ?? 0) + difference
        self[keyPath: counts][node] = count == 0 ? nil : count
    }

    /// One request for each kind, node, and if need be slot, in the order of the channels.
    private func requests(
        _ channels: [(RedisChannel, Int)], isSubscribed: Bool, isRenewal: Bool = false
    ) -> [Action] {
        var (order, groups): ([Group], [Group: [String]]) = ([], [:])
        for (channel, node) in channels {
            let slot = self.isCluster && channel.kind == .shard ? SlotHash.slot(of: channel.name) : nil
            let group = Group(node: node, kind: channel.kind, slot: slot)
            if groups[group] == nil { order.append(group) }
            groups[group, default: []].append(channel.name)
        }
        return order.flatMap { group in
            let names = groups[group] ?? []
            return stride(from: 0, to: names.count, by: SubscriptionRequest.maxChannels).map { start in
                let part = names[start..<min(start + SubscriptionRequest.maxChannels, names.count)]
                let request = SubscriptionRequest(
                    kind: group.kind, isSubscribed: isSubscribed, channels: Array(part), token: self.lastToken,
                    isRenewal: isRenewal)
                return Action(node: group.node, request: request)
            }
        }
    }
}
