import Logging
import NIOCore

/// Channels: where they are subscribed to, and who gets their messages.
extension ClientCore {
    func add(_ subscriber: Subscriber) {
        guard !self.isClosed else { return }
        let (actions, isReady) = self.table.add(subscriber) { self.place(of: $0) }
        self.perform(actions)
        if isReady, !subscriber.isCancelled { subscriber.onReady?() }
    }

    func remove(_ subscriber: Subscriber) {
        guard !self.isClosed else { return }
        self.perform(self.table.remove(subscriber))
    }

    /// The node that a channel is subscribed to at.
    private func place(of channel: RedisChannel) -> Int? {
        switch self.topology {
        case .unknown: nil
        case .oneServer: 0
        case .cluster(let owners): channel.kind == .shard ? owners[SlotHash.slot(of: channel.name)] : self.anyNode
        }
    }

    /// After nodes or slots have changed.
    func placeAll() { self.perform(self.table.place { self.place(of: $0) }) }

    private func perform(_ actions: [SubscriptionTable.Action]) {
        // What has no connection yet is renewed when there is one.
        var connected: [Int: [SubscriptionRequest]] = [:]
        for action in actions {
            let node = self.nodes[action.node]
            if node.carrier != nil {
                connected[action.node, default: []].append(action.request)
            } else if action.request.isSubscribed {
                self.openCarrier(node)
            }
        }
        for (node, requests) in connected { self.nodes[node].carrier?.connection.send(requests) }
    }

    // MARK: Connections

    /// Sees to it that there is a connection for the channels of a node, if it has any.
    func openCarrier(_ node: Node) {
        guard node.isMember, node.carrier == nil, self.table.hasChannels(at: node.id) else { return }
        if self.options.configuration.sharesConnection {
            // Only then is known what the server speaks.
            guard let connection = node.commands?.ready else { return }
            if connection.outcome.speaksRESP3 { return self.carrierIsUp(node, connection) }
        }
        node.openSubscriptions()
    }

    func carrierIsUp(_ node: Node, _ connection: RESPConnection) {
        let requests = self.table.renew(node.id).map(\.request)
        node.carrier = Node.Carrier(connection: connection, renewing: requests.count)
        connection.send(requests)
        self.subscribeProbes(node)
        self.evaluateState(nil)
    }

    // MARK: Answers

    func confirmed(_ request: SubscriptionRequest, _ index: Int, _ node: Node) {
        if request.isProbe { return self.probeIsConfirmed(request, node) }
        let ready = self.table.confirm(request, index)
        if index == request.channels.count - 1 { self.requestIsDone(request, node) }
        for subscriber in ready where !subscriber.isCancelled { subscriber.onReady?() }
    }

    func refused(_ request: SubscriptionRequest, from index: Int, _ message: String, _ node: Node) {
        if request.isProbe { return self.probeIsRefused(request.kind, message, node) }
        self.table.refuse(request, from: index)
        if case .cluster = self.topology, let redirection = Redirection(message, from: node.address) {
            if case .moved(let slot, let address) = redirection { self.setOwner(of: slot, address) }
            self.refresh()
        } else if request.isSubscribed {
            self.logger.warning(
                "Redis has refused a subscription",
                metadata: ["redis.error": "\(message)", "redis.channel": "\(request.channels[index])"])
        }
        self.retrySubscriptions()
        self.requestIsDone(request, node)
    }

    private func requestIsDone(_ request: SubscriptionRequest, _ node: Node) {
        guard request.isRenewal, let renewing = node.carrier?.renewing, renewing > 0 else { return }
        node.carrier?.renewing = renewing - 1
        if renewing == 1 { self.evaluateState(nil) }
    }

    /// In Redis Cluster, a slot with channels has moved to another node.
    func dropped(_ channel: RedisChannel, _ node: Node) {
        guard self.table.drop(channel, at: node.id) else { return }
        self.refresh()
        self.retrySubscriptions()
    }

    /// Asks again, after a pause, for what was refused.
    private func retrySubscriptions() {
        guard self.subscriptionTimer == nil, !self.isClosed else { return }
        guard self.table.hasRefused else { return self.subscriptionBackoff.reset() }
        let pause = self.subscriptionBackoff.next()
        self.subscriptionTimer = self.loop.scheduleTask(in: pause.timeAmount) {
            self.subscriptionTimer = nil
            guard !self.isClosed else { return }
            self.perform(self.table.retry())
        }
    }

    // MARK: Messages

    func deliver(_ source: RedisChannel, _ channel: ByteBuffer, _ payload: ByteBuffer, _ node: Node) {
        guard let subscribers = self.table.subscribers(of: source) else {
            return self.probeIsHeard(source, payload, node)
        }
        let name = source.kind == .pattern ? String(buffer: channel) : source.name
        let message = RedisMessage(source: source, channel: name, payload: payload)
        for subscriber in subscribers where !subscriber.isCancelled { subscriber.onMessage(message) }
    }
}
