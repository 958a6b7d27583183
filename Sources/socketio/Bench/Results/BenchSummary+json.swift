import SocketIOClient

extension BenchSummary {
    /// One object on one line. Latencies are in milliseconds, other times in seconds.
    var json: String { ValuePrinter().text(self.value) }

    var value: SocketIOValue {
        var object = SocketIOValue.Object()
        object["status"] = .string(self.status.rawValue)
        if let failure = self.failure { object["reason"] = .string(failure) }
        object["interrupted"] = .bool(self.isInterrupted)
        object["url"] = .string(self.plan.url)
        object["mode"] = .string(self.plan.mode.rawValue)
        object["clients"] = .int(self.plan.clients)
        if self.plan.mode.hasMessages {
            object["rate"] = .double(self.plan.rate)
            object["payload"] = .int(self.plan.payloadBytes)
        }
        if self.plan.mode == .broadcast { object["rooms"] = .int(self.plan.rooms) }
        object["duration"] = .double(Double(self.plan.duration) / 1e9)
        object["threads"] = .int(self.plan.threads)
        object["connections"] = self.connections
        if self.plan.mode.hasMessages {
            object["messages"] = self.messages
            object["latency"] = Self.value(self.counts.latencies)
            object["sentLate"] = Self.value(self.counts.lags)
            object["errors"] = Self.value(self.counts.errors)
        }
        object["errorRate"] = .double(self.errorRate)
        object["limits"] = .array(self.verdicts.map { Self.value($0) })
        return .object(object)
    }

    private var connections: SocketIOValue {
        let counts = self.counts
        return [
            "started": .int(counts.started), "connected": .int(counts.connected), "failed": .int(counts.failed),
            "lost": .int(counts.lost), "websocket": .int(counts.onWebSocket),
            "polling": .int(counts.present - counts.onWebSocket), "time": Self.value(counts.connectTimes),
            "failures": Self.value(counts.failures), "losses": Self.value(counts.losses),
        ]
    }

    private var messages: SocketIOValue {
        let counts = self.counts
        return [
            "sent": .int(counts.sent), "expected": .int(counts.expected), "received": .int(counts.received),
            "lost": .int(self.lost), "unsent": .int(counts.unsent), "unexpected": .int(counts.unexpected),
            "seconds": .double(self.seconds), "receivedPerSecond": .double(Self.rounded(self.throughput)),
        ]
    }

    private static func value(_ tally: Tally) -> SocketIOValue {
        .object(.init(tally.sorted.map { ($0.reason, .int($0.count)) }))
    }

    private static func value(_ latencies: Latencies) -> SocketIOValue {
        var object = SocketIOValue.Object()
        object["count"] = .int(latencies.count)
        guard let min = latencies.min, let mean = latencies.mean else { return .object(object) }
        object["min"] = Self.milliseconds(Double(min))
        object["mean"] = Self.milliseconds(mean)
        for (name, percentile) in Self.percentiles {
            if let value = latencies.value(at: percentile) { object[name] = Self.milliseconds(Double(value)) }
        }
        return .object(object)
    }

    private static func value(_ verdict: BenchLimit.Verdict) -> SocketIOValue {
        func amount(_ value: Double) -> SocketIOValue {
            verdict.limit.quantity == .errorRate ? .double(value) : Self.milliseconds(value)
        }
        return [
            "quantity": .string(verdict.limit.quantity.rawValue), "allowed": amount(verdict.limit.allowed),
            "measured": verdict.measured.map { amount($0) } ?? .null, "exceeded": .bool(verdict.isExceeded),
        ]
    }

    /// To a microsecond.
    private static func milliseconds(_ nanoseconds: Double) -> SocketIOValue {
        .double(Self.rounded(nanoseconds / 1e6))
    }

    private static func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
}
