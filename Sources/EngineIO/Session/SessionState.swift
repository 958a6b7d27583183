import EngineIOCore
import NIOCore

/// The state of a session: which endpoints serve it, what waits for the client, and what is due when.
///
/// A value without I/O: it is told what happened and returns what is to be done, by the caller and outside the lock that
/// guards it. Times are nanoseconds of a monotonic clock.
struct SessionState: Sendable {
    enum Phase: Sendable, Equatable {
        case open
        /// The server has closed; what waits is still delivered until the deadline. Nothing more is accepted.
        case closing
        case closed
    }

    enum Transport: Sendable {
        case polling
        /// nil once the session has ended: the endpoint holds the session, and nothing must hold both for ever.
        case websocket(SessionEndpoint?)
    }

    enum Upgrade: Sendable {
        case none
        /// A WebSocket is open; `isConfirmed` once its probe was answered.
        case probing(SessionEndpoint, isConfirmed: Bool)
    }

    // What each packet touches comes first.

    var phase = Phase.open
    /// Whether the session stands on the list of a loop, so that a drain will come.
    var isScheduled = false
    var isWritable = true
    var transport: Transport
    let limits: SessionLimits
    /// What NIO had not yet given to the system after the last drain of a WebSocket that could take no more.
    var bytesInFlight = 0
    var outbox = Outbox()
    /// What this session has in ``SessionLimits/total``.
    var counted = 0
    /// Who waits for room; rarely anybody.
    var waiters: [RoomWaiter] = []

    var upgrade = Upgrade.none
    /// The endpoint whose GET waits for packets.
    var poll: SessionEndpoint?
    /// The endpoint whose POST is under way.
    var post: SessionEndpoint?
    /// Whether its body has arrived: it is then answered whatever happens.
    var postIsReceived = false

    var heartbeat: HeartbeatState
    /// Since when what the client sends is not read; nil: it is.
    var heldSince: UInt64?
    var upgradeDeadline: UInt64?
    var noopDeadline: UInt64?
    var closeDeadline: UInt64?
    var handlerDeadline: UInt64?
    /// When the session's entry in the wheel comes up next.
    var wheelTime = UInt64.max

    init(limits: SessionLimits, transport: Transport, now: UInt64) {
        self.limits = limits
        self.transport = transport
        self.heartbeat = HeartbeatState(
            pingInterval: limits.pingInterval,
            pingTimeout: limits.pingTimeout,
            now: now
        )
    }
}

/// The limits and times of a session, in bytes and nanoseconds: one object for all sessions of a server.
final class SessionLimits: Sendable {
    let pingInterval: UInt64
    let pingTimeout: UInt64
    let upgradeTimeout: UInt64
    let closeTimeout: UInt64
    let maxOutboxBytes: Int
    let total: OutboxTotal
    let maxInboundQueueBytes: Int
    /// For how long a client that is not read need not answer pings.
    let longestExcuse: UInt64

    init(
        pingInterval: UInt64,
        pingTimeout: UInt64,
        upgradeTimeout: UInt64,
        closeTimeout: UInt64,
        maxOutboxBytes: Int,
        maxTotalOutboxBytes: Int,
        maxInboundQueueBytes: Int
    ) {
        self.pingInterval = pingInterval
        self.pingTimeout = pingTimeout
        self.upgradeTimeout = upgradeTimeout
        self.closeTimeout = closeTimeout
        self.maxOutboxBytes = maxOutboxBytes
        self.total = OutboxTotal(max: maxTotalOutboxBytes)
        self.maxInboundQueueBytes = maxInboundQueueBytes
        let (heartbeat, overflow) = pingInterval.addingReportingOverflow(pingTimeout)
        self.longestExcuse = overflow || heartbeat > .max / 10 ? .max : heartbeat * 10
    }
}
