/// The server's heartbeat in protocol 4, as a value: the server pings, the client must answer in time.
///
/// Times are nanoseconds of any monotonic clock. There is always exactly one deadline, and nothing but a pong, a
/// tick or an excuse moves it; an upgrade in particular leaves it alone, so that a pong lost in one is noticed.
package struct HeartbeatState: Sendable, Equatable {
    package enum Action: Sendable, Equatable {
        case none
        /// Send a ping packet now.
        case sendPing
        /// No pong came within the timeout: close the session.
        case timedOut
    }

    package let pingInterval: UInt64
    package let pingTimeout: UInt64
    /// When ``tick(now:)`` has something to do again.
    package private(set) var nextDeadline: UInt64
    /// Whether a ping is under way that was not answered yet.
    package private(set) var isAwaitingPong = false

    package init(pingInterval: UInt64, pingTimeout: UInt64, now: UInt64) {
        self.pingInterval = pingInterval
        self.pingTimeout = pingTimeout
        self.nextDeadline = Self.add(now, pingInterval)
    }

    /// Any pong, also one that nobody asked for, starts a new interval.
    package mutating func pongReceived(now: UInt64) {
        self.isAwaitingPong = false
        self.nextDeadline = Self.add(now, self.pingInterval)
    }

    /// What comes from the client is not being read: the time for its answer begins anew.
    package mutating func excuse(now: UInt64) {
        guard self.isAwaitingPong else { return }
        self.nextDeadline = max(self.nextDeadline, Self.add(now, self.pingTimeout))
    }

    package mutating func tick(now: UInt64) -> Action {
        guard now >= self.nextDeadline else { return .none }
        if self.isAwaitingPong { return .timedOut }
        self.isAwaitingPong = true
        self.nextDeadline = Self.add(now, self.pingTimeout)
        return .sendPing
    }

    private static func add(_ time: UInt64, _ duration: UInt64) -> UInt64 {
        let (sum, overflow) = time.addingReportingOverflow(duration)
        return overflow ? .max : sum
    }
}
