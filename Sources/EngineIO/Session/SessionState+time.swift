import EngineIOCore

/// What is due when.
extension SessionState {

    struct Due: Sendable {
        var sendPing = false
        var timedOut = false
        var closeTimedOut = false
        var noop: SessionEndpoint?
        var upgradeTimedOut: SessionEndpoint?
        var handler = false
        /// When to come again; nil when the session has ended.
        var next: UInt64?
    }

    mutating func pong(now: UInt64) {
        self.heartbeat.pongReceived(now: now)
    }

    /// Whether what the client sends is left unread: its pongs may be among that, and are not missed until it is read again, for
    /// ``SessionLimits/longestExcuse`` at most.
    mutating func setHeld(_ isHeld: Bool, now: UInt64) {
        self.heldSince = isHeld ? now : nil
        self.heartbeat.excuse(now: now)
    }

    var isHeld: Bool { self.heldSince != nil }

    private func isExcused(now: UInt64) -> Bool {
        guard let since = self.heldSince else { return false }
        return now < since || now - since < self.limits.longestExcuse
    }

    /// What is due at `now`.
    mutating func tick(now: UInt64) -> Due {
        var due = Due()
        guard self.phase != .closed else { return due }
        if self.wheelTime > now, self.wheelTime != .max {
            // A later entry has taken over from this one.
            return due
        }
        switch self.heartbeat.tick(now: now) {
        case .none: break
        case .sendPing: due.sendPing = true
        case .timedOut where self.isExcused(now: now):
            // It is pinged on, or it would take the server for dead.
            self.heartbeat.excuse(now: now)
            due.sendPing = true
        case .timedOut: due.timedOut = true
        }
        if let deadline = self.closeDeadline, deadline <= now {
            self.closeDeadline = nil
            due.closeTimedOut = true
        }
        if let deadline = self.noopDeadline, deadline <= now {
            self.noopDeadline = nil
            if self.outbox.isEmpty, let poll = self.poll {
                self.poll = nil
                due.noop = poll
            }
        }
        if let deadline = self.upgradeDeadline, deadline <= now {
            if case .probing(let endpoint, _) = self.upgrade { due.upgradeTimedOut = endpoint }
            self.upgrade = .none
            self.upgradeDeadline = nil
        }
        if let deadline = self.handlerDeadline, deadline <= now {
            self.handlerDeadline = nil
            due.handler = true
        }
        self.wheelTime = self.earliestDeadline
        due.next = self.wheelTime
        return due
    }

    /// The time at which the session must be on the wheel, when that is earlier than its entry there; else nil.
    mutating func earlierWake() -> UInt64? {
        guard self.phase != .closed else { return nil }
        let deadline = self.earliestDeadline
        guard deadline < self.wheelTime else { return nil }
        self.wheelTime = deadline
        return deadline
    }

    var earliestDeadline: UInt64 {
        var earliest = self.heartbeat.nextDeadline
        for case .some(let deadline) in [
            self.upgradeDeadline, self.noopDeadline, self.closeDeadline, self.handlerDeadline,
        ] where deadline < earliest {
            earliest = deadline
        }
        return earliest
    }
}
