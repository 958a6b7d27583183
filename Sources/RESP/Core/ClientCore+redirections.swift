import NIOCore

/// Commands that a node of Redis Cluster sends elsewhere.
extension ClientCore {
    /// Sends commands again if a reply says so.
    ///
    /// - Returns: Whether it did.
    func redirect(_ batch: Batch, _ replies: [RedisValue], _ node: Node) -> Bool {
        guard !self.isClosed, let (redirection, batch) = self.redirected(batch, replies, node) else { return false }
        switch redirection {
        case .moved(let slot, let address):
            self.setOwner(of: slot, address)
            self.refresh()
            self.sendAgain(batch, to: self.node(at: address))
        case .ask(let address):
            var asking = batch
            asking.isAsking = true
            let node = self.node(at: address)
            self.enter(node)
            self.sendAgain(asking, to: node)
        case .later:
            self.refresh()
            self.loop.scheduleTask(in: .milliseconds(Int64(50 << min(batch.attempts, 4)))) {
                self.sendAgain(batch, to: nil)
            }
        }
        return true
    }

    private func redirected(_ batch: Batch, _ replies: [RedisValue], _ node: Node) -> (Redirection, Batch)? {
        guard batch.attempts < 10, replies.count == batch.commands.count else { return nil }
        if case .node = batch.route { return nil }
        var first: Redirection?
        var positions: [Int] = []
        for (position, reply) in replies.enumerated() {
            guard case .error(let message) = reply, let redirection = Redirection(message, from: node.address) else {
                continue
            }
            first = first ?? redirection
            positions.append(position)
        }
        guard var redirection = first else { return nil }
        var batch = batch
        batch.attempts += 1
        batch.isAsking = false
        if batch.isTransaction {
            // Nothing of it was executed. A node that is getting the slot takes none yet.
            if case .ask = redirection { redirection = .later }
        } else {
            batch.keepUnanswered(positions, replies: replies)
        }
        // Nodes that send commands round in a circle are given time.
        return (batch.attempts > 5 ? .later : redirection, batch)
    }

    private func sendAgain(_ batch: Batch, to node: Node?) {
        guard !self.isClosed else { return batch.completion?(.failure(Outbox.closed)) ?? () }
        self.wake(self.outbox.withLock { $0.putBack(batch, at: node?.id) })
    }
}
