/// One command for each node.
extension ClientCore {
    /// How many may wait until the nodes are known.
    private static var maxWaitingForNodes: Int { 1000 }

    /// Sends a command to each node.
    func sendToAllNodes(
        _ command: RedisCommand, _ completion: @escaping @Sendable (Result<[RedisValue], RedisError>) -> Void
    ) {
        if self.isClosed { return completion(.failure(Outbox.closed)) }
        if case .unknown = self.topology {
            guard self.waitingForNodes.count < Self.maxWaitingForNodes else {
                return completion(.failure(RedisError(.bufferFull, "too much waits for Redis to be found")))
            }
            self.waitingForNodes.append { self.sendToAllNodes(command, completion) }
            return
        }
        let collector = ReplyCollector(count: self.members.count, completion)
        for (index, node) in self.members.enumerated() {
            do throws(RedisError) {
                let woken = try self.outbox.withLock { outbox throws(RedisError) in
                    try outbox.append([command], to: node.id) { collector.receive($0, index) }
                }
                self.wake(woken)
            } catch {
                collector.receive(.failure(error), index)
            }
        }
    }
}

/// Collects one reply of each node.
///
/// `@unchecked Sendable`: confined to the event loop of the client.
private final class ReplyCollector: @unchecked Sendable {
    private var replies: [RedisValue?]
    private var missing: Int
    private var completion: ((Result<[RedisValue], RedisError>) -> Void)?

    init(count: Int, _ completion: @escaping (Result<[RedisValue], RedisError>) -> Void) {
        self.replies = Array(repeating: nil, count: count)
        self.missing = count
        self.completion = completion
    }

    func receive(_ result: Result<[RedisValue], RedisError>, _ index: Int) {
        switch result {
        case .failure(let error): self.end(.failure(error))
        case .success(let replies):
            if case .error(let message)? = replies.first { return self.end(.failure(RedisError(.redis, message))) }
            self.replies[index] = replies.first
            self.missing -= 1
            if self.missing == 0 { self.end(.success(self.replies.compactMap { $0 })) }
        }
    }

    private func end(_ result: Result<[RedisValue], RedisError>) {
        let completion = self.completion
        self.completion = nil
        completion?(result)
    }
}
