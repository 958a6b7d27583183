import NIOCore

/// Commands that block, on connections of their own.
extension ClientCore {
    func begin(_ call: BlockingCall) {
        guard !call.isEnded else { return }
        guard !self.isClosed else { return call.end(.failure(Outbox.closed)) }
        if case .unknown = self.topology {
            self.waitingForNodes.append { self.begin(call) }
            return
        }
        var id = self.anyNode
        if case .cluster(let owners) = self.topology, case .slot(let slot) = Batch.route(of: [call.command]) {
            id = owners[slot] ?? id
        }
        self.nodes[id].openBlocking().append(call, self)
    }

    func cancel(_ call: BlockingCall) {
        call.end(.failure(CancellationError()))
        for node in self.nodes { node.blocking?.cancel(call) }
    }

    func answered(_ call: BlockingCall, _ value: RedisValue, from node: Node) {
        guard case .error(let message) = value else { return call.end(.success(value)) }
        call.attempts += 1
        guard case .cluster = self.topology, call.attempts <= 10,
            let redirection = Redirection(message, from: node.address)
        else { return call.end(.failure(RedisError(.redis, message))) }
        if case .moved(let slot, let address) = redirection { self.setOwner(of: slot, address) }
        self.refresh()
        self.loop.scheduleTask(in: .milliseconds(Int64(50 << min(call.attempts, 4)))) { self.begin(call) }
    }
}
