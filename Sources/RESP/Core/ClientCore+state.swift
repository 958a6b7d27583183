import Logging

/// Whether Redis can be reached.
extension ClientCore {
    func evaluateState(_ reason: RedisError?) {
        guard !self.isClosed else { return }
        let old = self.currentState.withLock { $0 }
        var health: [Link.Health] = []
        for node in self.members {
            health.append(node.commands?.health ?? .starting)
            guard self.table.hasChannels(at: node.id) else { continue }
            if let carrier = node.carrier {
                health.append(carrier.renewing == 0 ? .up : .starting)
            } else if let link = node.subscriptions {
                health.append(link.health == .up ? .starting : link.health)
            } else {
                health.append(.starting)
            }
        }
        let isUp = !health.isEmpty && health.allSatisfy { $0 == .up }
        let isDown = health.contains(.down)
        switch old {
        case .closed: break
        case .connecting where isUp: self.setState(.connected, reason)
        // Some nodes were reached.
        case .connecting where isDown && health.contains(.up): self.setState(.degraded, reason)
        case .degraded where isUp: self.setState(.recovered, reason)
        case .connected where isDown, .recovered where isDown: self.setState(.degraded, reason)
        // What only begins changes nothing: a first subscription is no disturbance.
        default: break
        }
    }

    func setState(_ state: RedisState, _ reason: RedisError?) {
        self.currentState.withLock { $0 = state }
        self.metrics.connected.record(state.isUsable ? 1 : 0)
        var metadata: Logger.Metadata = ["redis.address": "\(self.options.seed)"]
        if state == .degraded {
            metadata["redis.reason"] = "\(reason.map { "\($0)" } ?? "unknown")"
            self.logger.warning("Redis is degraded", metadata: metadata)
        } else {
            self.logger.info("Redis is \(state.rawValue)", metadata: metadata)
        }
        for observer in self.stateObservers.values { observer.yield(state) }
        if state == .closed {
            let observers = self.stateObservers
            self.stateObservers = [:]
            for observer in observers.values { observer.finish() }
        }
    }

    func observe(_ continuation: AsyncStream<RedisState>.Continuation) {
        continuation.yield(self.currentState.withLock { $0 })
        guard !self.isClosed else { return continuation.finish() }
        self.lastObserver += 1
        let id = self.lastObserver
        self.stateObservers[id] = continuation
        continuation.onTermination = { [weak self] _ in
            guard let self else { return }
            self.loop.execute { self.stateObservers[id] = nil }
        }
    }
}
