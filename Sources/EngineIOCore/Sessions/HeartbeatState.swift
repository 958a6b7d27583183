/// The server's heartbeat, as a value. In protocol 4 the server pings, and the client must answer in time; in protocol 3 the
/// client pings, and what is awaited is its next ping, from the beginning.
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
    package private(set) var isAwaitingPong: Bool
    /// Whether it is the client that pings.
    package let clientPings: Bool

    package init(pingInterval: UInt64, pingTimeout: UInt64, now: UInt64, clientPings: Bool = false) {
        self.pingInterval = pingInterval
        self.pingTimeout = pingTimeout
        self.clientPings = clientPings
        self.isAwaitingPong = clientPings
        self.nextDeadline = Self.add(now, pingInterval)
        if clientPings { self.pingReceived(now: now) }
    }

    /// The client has pinged: it must do so again within the interval and the timeout.
    package mutating func pingReceived(now: UInt64) {
        self.nextDeadline = Self.add(Self.add(now, self.pingInterval), self.pingTimeout)
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
