import Logging
import NIOCore

/// Whether connections are alive, and subscriptions hear.
extension ClientCore {
    /// Subscribes to the probes that a node needs: one for channels, one for channels in shards.
    func subscribeProbes(_ node: Node) {
        guard let carrier = node.carrier else { return }
        for kind in [RedisChannel.Kind.channel, .shard] {
            guard
                self.table.hasChannels(at: node.id, inShards: kind == .shard), !carrier.refusesProbes.contains(kind),
                !carrier.probes.contains(where: { $0.channel.kind == kind }),
                let channel = Probe.channel(
                    prefix: self.options.configuration.probePrefix, inShards: kind == .shard,
                    where: { self.serves(node, slot: $0) })
            else { continue }
            node.carrier?.probes.append(Probe(channel))
            carrier.connection.send([
                SubscriptionRequest(kind: kind, isSubscribed: true, channels: [channel.name], token: 0, isProbe: true)
            ])
        }
    }

    private func serves(_ node: Node, slot: Int) -> Bool {
        if case .cluster(let owners) = self.topology { owners[slot] == node.id } else { true }
    }

    func probeIsConfirmed(_ request: SubscriptionRequest, _ node: Node) {
        guard let index = node.carrier?.probes.firstIndex(where: { $0.channel.name == request.channels.first }) else {
            return
        }
        node.carrier?.probes[index].isConfirmed = true
    }

    func probeIsRefused(_ kind: RedisChannel.Kind, _ message: String, _ node: Node) {
        node.carrier?.probes.removeAll { $0.channel.kind == kind }
        // The slot has moved: another channel will do.
        if case .cluster = self.topology, Redirection(message, from: node.address) != nil { return }
        node.carrier?.refusesProbes.insert(kind)
        self.logger.warning(
            "Redis does not let this user probe subscriptions: deaf ones won't be noticed",
            metadata: [
                "redis.error": "\(message)", "redis.channel": "\(self.options.configuration.probePrefix):probe:*",
            ])
    }

    func probeIsHeard(_ channel: RedisChannel, _ payload: ByteBuffer, _ node: Node) {
        guard let index = node.carrier?.probes.firstIndex(where: { $0.channel == channel }) else { return }
        node.carrier?.probes[index].hear(payload)
    }

    /// Sends the probes of all nodes, and has their connections say something.
    func probe() {
        guard !self.isClosed else { return }
        for node in self.members {
            self.subscribeProbes(node)
            node.commands?.ready?.send(Self.ping) { _ in }
            // Where no probes are allowed, this is how the loss of a connection is noticed that nobody has closed.
            node.subscriptions?.ready?.send(Self.ping) { _ in }
            for probe in node.carrier?.probes ?? [] where probe.isConfirmed { self.send(probe.channel, node) }
        }
    }

    private static let ping = RedisCommand("PING", keyIndex: nil)

    private func send(_ channel: RedisChannel, _ node: Node) {
        // Plain messages reach all nodes from any.
        let publisher = channel.kind == .shard ? node : self.nodes[self.anyNode]
        guard
            let carrier = node.carrier, let connection = publisher.commands?.ready,
            let index = carrier.probes.firstIndex(where: { $0.channel == channel }),
            let (command, number) = node.carrier?.probes[index].next()
        else { return }
        connection.send(command) { [weak node] result in
            // Without a reply it is the connection for commands that has a problem.
            guard let node, case .success(let reply) = result else { return }
            if case .error(let message) = reply {
                if node.carrier?.connection === carrier.connection { self.probeIsRefused(channel.kind, message, node) }
                return
            }
            let timeout = self.options.configuration.probeTimeout.timeAmount
            self.loop.scheduleTask(in: timeout) { [weak self, weak node] in
                guard
                    let self, !self.isClosed, let current = node?.carrier,
                    current.connection === carrier.connection,
                    let probe = current.probes.first(where: { $0.channel == channel }), !probe.hasHeard(number)
                else { return }
                current.connection.close(RedisError(.timeout, "\(current.connection.address): a subscription is deaf"))
            }
        }
    }
}
