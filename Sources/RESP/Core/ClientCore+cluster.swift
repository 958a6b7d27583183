import Logging
import NIOCore

/// Redis Cluster: which nodes there are, and which of them serves what.
extension ClientCore {
    /// There is a connection to a server of which nothing is known.
    func identify(_ node: Node, _ connection: RESPConnection, _ outcome: Handshake.Outcome) {
        let isCluster =
            switch (self.topology, self.options.configuration.isCluster) {
            case (.cluster, _), (_, .on): true
            case (_, .off): false
            case (_, .automatic): outcome.isCluster == true
            }
        if isCluster { return self.fetchMap(connection) }
        self.topology = .oneServer
        node.isMember = true
        self.outbox.withLock { $0.setOneServer() }
        self.placeAll()
        self.commandsAreUp(node)
        self.nodesAreKnown()
    }

    private func nodesAreKnown() {
        let actions = self.waitingForNodes
        self.waitingForNodes = []
        for action in actions { action() }
    }

    // MARK: The map

    /// Asks for the map, soon: once for all who want it meanwhile.
    func refresh() {
        guard self.refreshTimer == nil, !self.isRefreshing, !self.isClosed else { return }
        self.refreshTimer = self.loop.scheduleTask(in: self.refreshBackoff.next().timeAmount) {
            self.refreshTimer = nil
            // A timer that was due when it was cancelled still fires: a closed client must not open connections.
            guard !self.isClosed else { return }
            let ready = self.members.compactMap { $0.commands?.ready }
            if let connection = ready.randomElement() { return self.fetchMap(connection) }
            // Nobody is there: perhaps the server of the URL, which may be a name for others now.
            let seed = self.node(at: self.options.seed)
            guard !seed.isMember else { return }
            if let connection = seed.commands?.ready { return self.fetchMap(connection) }
            seed.openCommands()
        }
    }

    private func fetchMap(_ connection: RESPConnection) {
        guard !self.isRefreshing else { return }
        self.isRefreshing = true
        connection.send(RedisCommand("CLUSTER", "SLOTS", keyIndex: nil)) { result in
            self.isRefreshing = false
            guard !self.isClosed else { return }
            do {
                self.apply(try ClusterMap(try result.get(), from: connection.address))
            } catch {
                self.logger.debug("No map of the cluster", metadata: ["redis.reason": "\(error)"])
                self.refresh()
            }
        }
    }

    private func apply(_ map: ClusterMap) {
        var owners = [Int?](repeating: nil, count: SlotHash.slotCount)
        var ids: Set<Int> = []
        for range in map.ranges {
            let node = self.node(at: range.primary)
            ids.insert(node.id)
            for slot in range.slots { owners[slot] = node.id }
        }
        self.topology = .cluster(owners)
        self.table.isCluster = true
        let retired = self.nodes.filter { !ids.contains($0.id) }
        for node in retired { node.isMember = false }
        var entered: [Node] = []
        for node in self.nodes where ids.contains(node.id) && !node.isMember {
            node.isMember = true
            if node.commands?.ready != nil { entered.append(node) }
            node.openCommands()
        }
        _ = self.chooseAnyNode()
        let anyNode = self.anyNode
        let pinned = self.outbox.withLock { outbox in
            let pinned = retired.flatMap { outbox.retire($0.id) }
            for node in entered { outbox.setOpen(true, node.id) }
            outbox.setCluster(owners, anyNode: anyNode)
            return pinned
        }
        for batch in pinned {
            batch.completion?(.failure(RedisError(.connectionLost, "the node has left the cluster")))
        }
        self.placeAll()
        for node in self.members {
            self.drain(node)
            self.openCarrier(node)
        }
        for node in retired { self.close(retired: node) }
        self.nodesAreKnown()
        if self.members.allSatisfy({ $0.commands?.health == .up }) { self.refreshBackoff.reset() }
        self.evaluateState(nil)
    }

    /// Ends the connections of a node that serves nothing, after the replies that it still owes.
    private func close(retired node: Node) {
        let gone = RedisError(.connectionLost, "\(node.address) serves no slots")
        guard let connection = node.commands?.ready, !connection.isIdle else { return node.close(gone) }
        self.loop.scheduleTask(in: .seconds(1)) {
            if !node.isMember { node.close(gone) }
        }
    }

    func setOwner(of slot: Int, _ address: RedisAddress) {
        guard case .cluster(var owners) = self.topology, owners.indices.contains(slot) else { return }
        let node = self.node(at: address)
        guard owners[slot] != node.id else { return }
        self.topology = .unknown
        owners[slot] = node.id
        self.topology = .cluster(owners)
        self.outbox.withLock { $0.setOwner(of: slot, node.id) }
        self.enter(node)
        self.placeAll()
    }

    /// A node that a redirection has named takes commands.
    func enter(_ node: Node) {
        guard !node.isMember else { return }
        node.isMember = true
        if node.commands?.ready != nil { return self.commandsAreUp(node) }
        node.openCommands()
    }

    // MARK: Nodes that fail

    func nodeIsDown(_ node: Node) {
        guard case .cluster = self.topology else { return }
        if self.chooseAnyNode() { self.placeAll() }
        self.refresh()
    }

    /// Chooses the node for what may go to any, if the one that was chosen is not there.
    ///
    /// - Returns: Whether it is another one now.
    func chooseAnyNode() -> Bool {
        guard case .cluster(let owners) = self.topology else { return false }
        let current = self.nodes[self.anyNode]
        if current.isMember, current.commands?.ready != nil { return false }
        let members = self.members
        let chosen = members.first { $0.commands?.ready != nil } ?? (current.isMember ? current : members.first)
        guard let chosen, chosen.id != self.anyNode else { return false }
        self.anyNode = chosen.id
        self.outbox.withLock { $0.setCluster(owners, anyNode: chosen.id) }
        for node in members { self.drain(node) }
        return true
    }
}
