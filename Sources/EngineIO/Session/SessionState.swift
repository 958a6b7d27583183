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

    let limits: SessionLimits
    private(set) var phase = Phase.open
    private(set) var transport: Transport
    private(set) var upgrade = Upgrade.none
    /// The endpoint whose GET waits for packets.
    private(set) var poll: SessionEndpoint?
    /// The endpoint whose POST is under way.
    private(set) var post: SessionEndpoint?
    /// Whether its body has arrived: it is then answered whatever happens.
    private var postIsReceived = false
    var outbox = Outbox()
    /// Whether the session stands on the list of a loop, so that a drain will come.
    private(set) var isScheduled = false
    /// What NIO had not yet given to the system after the last drain of a WebSocket that could take no more.
    private(set) var bytesInFlight = 0
    private(set) var isWritable = true

    private(set) var heartbeat: HeartbeatState
    private(set) var upgradeDeadline: UInt64?
    private(set) var noopDeadline: UInt64?
    private(set) var closeDeadline: UInt64?
    var handlerDeadline: UInt64?
    /// When the session's entry in the wheel comes up next.
    private(set) var wheelTime = UInt64.max

    init(limits: SessionLimits, transport: Transport, now: UInt64) {
        self.limits = limits
        self.transport = transport
        self.heartbeat = HeartbeatState(
            pingInterval: limits.pingInterval,
            pingTimeout: limits.pingTimeout,
            now: now
        )
    }

    // MARK: Sending

    enum Appended: Sendable {
        /// Accepted. The endpoint's loop must be told, unless it is nil.
        case queued(wake: SessionEndpoint?)
        /// A volatile packet that could not be sent right now.
        case dropped
        /// The session is closed or closing.
        case refused
        /// The client does not read: the session must end.
        case overflow
    }

    mutating func append(_ packet: OutboundPacket, isVolatile: Bool = false) -> Appended {
        guard self.phase == .open else { return .refused }
        if isVolatile, !self.isReady { return .dropped }
        if self.outbox.cost + self.bytesInFlight > self.limits.maxOutboxBytes { return .overflow }
        self.outbox.append(packet)
        return .queued(wake: self.endpointToWake())
    }

    /// Whether a packet would leave right now.
    private var isReady: Bool {
        guard self.outbox.isEmpty else { return false }
        switch self.transport {
        case .polling: return self.poll != nil
        case .websocket: return self.isWritable
        }
    }

    /// The endpoint that can take what waits, if it has not been told already.
    private mutating func endpointToWake() -> SessionEndpoint? {
        guard !self.isScheduled else { return nil }
        switch self.transport {
        case .polling:
            guard let poll = self.poll else { return nil }
            self.isScheduled = true
            return poll
        case .websocket(let endpoint):
            // One that can take no more drains by itself as soon as it can.
            guard self.isWritable else { return nil }
            self.isScheduled = true
            return endpoint
        }
    }

    /// The endpoint to drain now that its loop has come to the session's entry; nil when there is none any more.
    mutating func beginDrain() -> SessionEndpoint? {
        self.isScheduled = false
        switch self.transport {
        case .polling: return self.poll
        case .websocket(let endpoint): return endpoint
        }
    }

    /// Puts the session on a list again: its endpoint has moved to another loop.
    mutating func reschedule() { self.isScheduled = true }

    /// Moves packets for a WebSocket into `frames`, about `maxBytes` of them but one at least.
    /// Returns whether more wait. Completions are kept apart: they are rare.
    mutating func takeFrames(
        for endpoint: SessionEndpoint,
        maxBytes: Int,
        into frames: inout [ByteBuffer],
        completions: inout [@Sendable (Bool) -> Void]
    ) -> Bool {
        guard case .websocket(let current) = self.transport, current === endpoint, self.phase != .closed else {
            return false
        }
        var bytes = 0
        while bytes < maxBytes, let packet = self.outbox.popFirst() {
            bytes += packet.byteCount
            frames.append(packet.frames)
            if let completion = packet.completion { completions.append(completion) }
        }
        return !self.outbox.isEmpty
    }

    /// Notes how a drain ended.
    mutating func drained(_ endpoint: SessionEndpoint, isWritable: Bool, bytesInFlight: Int) {
        guard case .websocket(let current) = self.transport, current === endpoint else { return }
        self.isWritable = isWritable
        self.bytesInFlight = isWritable ? 0 : bytesInFlight
    }

    // MARK: Polling

    enum Poll: Sendable {
        /// The GET waits.
        case wait
        /// There are packets: drain at once.
        case drain
        /// Answer with a noop and a close packet: the session has ended with this.
        case close
        /// Another GET waits already: the new one gets 400, the old one a close packet, and the session ends.
        case conflict
        /// The session does not poll (any more).
        case mismatch
        case unknown
    }

    mutating func beginPoll(_ endpoint: SessionEndpoint, now: UInt64) -> Poll {
        guard self.phase != .closed else { return .unknown }
        guard case .polling = self.transport else { return .mismatch }
        guard self.poll == nil else { return .conflict }
        if self.outbox.isEmpty {
            if self.phase == .closing { return .close }
            if case .probing(_, isConfirmed: true) = self.upgrade { self.noopDeadline = now &+ 100_000_000 }
            self.poll = endpoint
            return .wait
        }
        self.poll = endpoint
        return .drain
    }

    enum PollAnswer: Sendable {
        case packets
        case close
    }

    /// Takes the packets for the GET that waits at `endpoint` into `frames`, about `maxBytes` of them, and ends the waiting.
    mutating func takePoll(
        for endpoint: SessionEndpoint,
        maxBytes: Int,
        into frames: inout [ByteBuffer],
        completions: inout [@Sendable (Bool) -> Void]
    ) -> Bool {
        guard self.poll === endpoint, !self.outbox.isEmpty else { return false }
        self.poll = nil
        self.noopDeadline = nil
        var bytes = 0
        while bytes < maxBytes, let packet = self.outbox.popFirst() {
            bytes += packet.byteCount
            frames.append(packet.frames)
            if let completion = packet.completion { completions.append(completion) }
        }
        return true
    }

    /// Ends the waiting of `endpoint`'s GET without packets. Returns false if it did not wait.
    mutating func endPoll(_ endpoint: SessionEndpoint) -> Bool {
        guard self.poll === endpoint else { return false }
        self.poll = nil
        self.noopDeadline = nil
        return true
    }

    enum Post: Sendable {
        case accepted
        case conflict
        case mismatch
        case unknown
    }

    mutating func beginPost(_ endpoint: SessionEndpoint) -> Post {
        guard self.phase != .closed else { return .unknown }
        guard case .polling = self.transport else { return .mismatch }
        guard self.post == nil else { return .conflict }
        self.post = endpoint
        self.postIsReceived = false
        return .accepted
    }

    mutating func receivedPost(_ endpoint: SessionEndpoint) {
        if self.post === endpoint { self.postIsReceived = true }
    }

    mutating func endPost(_ endpoint: SessionEndpoint) -> Bool {
        guard self.post === endpoint else { return false }
        self.post = nil
        return true
    }

    /// The session was opened by a WebSocket: `endpoint`.
    mutating func attach(_ endpoint: SessionEndpoint) {
        self.transport = .websocket(endpoint)
        self.isScheduled = true
    }

    // MARK: Upgrade

    /// Whether a WebSocket may try to take over.
    mutating func beginUpgrade(_ endpoint: SessionEndpoint, now: UInt64) -> Bool {
        guard self.phase == .open, case .polling = self.transport, case .none = self.upgrade else { return false }
        self.upgrade = .probing(endpoint, isConfirmed: false)
        self.upgradeDeadline = now &+ self.limits.upgradeTimeout
        return true
    }

    /// The probe was answered. Returns the endpoint of a waiting GET, which gets a noop so that the client can pause.
    mutating func confirmProbe(_ endpoint: SessionEndpoint, now: UInt64) -> SessionEndpoint? {
        guard case .probing(let current, _) = self.upgrade, current === endpoint else { return nil }
        self.upgrade = .probing(endpoint, isConfirmed: true)
        guard let poll = self.poll, self.outbox.isEmpty else { return nil }
        self.poll = nil
        self.noopDeadline = nil
        return poll
    }

    /// The client has switched. Returns nil when it may not; else the endpoint of a GET that still waits, if any.
    mutating func completeUpgrade(_ endpoint: SessionEndpoint) -> (poll: SessionEndpoint?, hasPackets: Bool)? {
        guard self.phase != .closed, case .probing(let current, _) = self.upgrade, current === endpoint else {
            return nil
        }
        self.upgrade = .none
        self.upgradeDeadline = nil
        self.noopDeadline = nil
        self.transport = .websocket(endpoint)
        self.isWritable = true
        self.isScheduled = true
        let poll = self.poll
        self.poll = nil
        return (poll, !self.outbox.isEmpty)
    }

    /// The probing WebSocket is gone; the polling session goes on.
    mutating func endUpgrade(_ endpoint: SessionEndpoint) {
        guard case .probing(let current, _) = self.upgrade, current === endpoint else { return }
        self.upgrade = .none
        self.upgradeDeadline = nil
        self.noopDeadline = nil
    }

    // MARK: Closing

    /// What is to be ended outside the lock when a session ends.
    struct Ended: Sendable {
        var poll: SessionEndpoint?
        var post: SessionEndpoint?
        var websocket: SessionEndpoint?
        var probing: SessionEndpoint?
        var discarded: [OutboundPacket] = []
    }

    /// Ends the session at once. Returns nil if it had ended before.
    mutating func end() -> Ended? {
        guard self.phase != .closed else { return nil }
        self.phase = .closed
        var ended = Ended()
        ended.poll = self.poll
        if !self.postIsReceived { ended.post = self.post }
        if case .websocket(let endpoint) = self.transport {
            ended.websocket = endpoint
            self.transport = .websocket(nil)
        }
        if case .probing(let endpoint, _) = self.upgrade { ended.probing = endpoint }
        ended.discarded = self.outbox.removeAll()
        self.poll = nil
        self.post = nil
        self.upgrade = .none
        self.bytesInFlight = 0
        self.upgradeDeadline = nil
        self.noopDeadline = nil
        self.closeDeadline = nil
        self.handlerDeadline = nil
        return ended
    }

    enum Close: Sendable {
        /// Nothing waits for the client: end it now.
        case now
        /// What waits is delivered first. The endpoint's loop must be told, unless it is nil.
        case later(wake: SessionEndpoint?)
        case already
    }

    /// The server closes in good order.
    mutating func beginClose(now: UInt64) -> Close {
        guard self.phase == .open else { return .already }
        let idle: Bool
        switch self.transport {
        case .polling: idle = self.outbox.isEmpty && self.poll != nil
        case .websocket: idle = self.outbox.isEmpty && self.isWritable
        }
        if idle { return .now }
        self.phase = .closing
        self.closeDeadline = now &+ self.limits.closeTimeout
        return .later(wake: self.endpointToWake())
    }

    // MARK: Time

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

    private var earliestDeadline: UInt64 {
        var earliest = self.heartbeat.nextDeadline
        for case .some(let deadline) in [
            self.upgradeDeadline, self.noopDeadline, self.closeDeadline, self.handlerDeadline,
        ] where deadline < earliest {
            earliest = deadline
        }
        return earliest
    }
}

/// The limits and times of a session, in bytes and nanoseconds.
struct SessionLimits: Sendable {
    var pingInterval: UInt64
    var pingTimeout: UInt64
    var upgradeTimeout: UInt64
    var closeTimeout: UInt64
    var maxOutboxBytes: Int
    var maxInboundQueueBytes: Int
}
