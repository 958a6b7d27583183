import Metrics
import NIOCore
import Synchronization

/// The metrics of a transport server. What happens rarely is told here at once; for the rest see ``LoopCounts``.
package final class EngineMetrics: Sendable {
    let configuration: MetricsConfiguration
    private let connections: MetricFamily<ConnectionLabel, Gauge>
    private let sessions: MetricFamily<TransportLabel, Gauge>
    private let oldSessions: Gauge
    private let opened: MetricFamily<TransportLabel, Counter>
    private let closed: MetricFamily<CloseLabel, Counter>
    private let upgrades: MetricFamily<UpgradeLabel, Counter>
    private let rejections: MetricFamily<RejectionLabel, Counter>
    private let limits: MetricFamily<EngineLimitLabel, Counter>
    private let packetsReceived: MetricFamily<TransportLabel, Counter>
    private let packetsSent: MetricFamily<TransportLabel, Counter>
    private let bytesReceived: MetricFamily<TransportLabel, Counter>
    private let bytesSent: MetricFamily<TransportLabel, Counter>
    private let loopDelay: Metrics.Timer

    private let httpConnections = Atomic<Int>(0)
    private let webSocketConnections = Atomic<Int>(0)
    private let pollingSessions = Atomic<Int>(0)
    private let webSocketSessions = Atomic<Int>(0)
    private let version3Sessions = Atomic<Int>(0)
    /// What the layer above has to tell.
    private let others = Mutex(Others())
    private let ticks = Mutex<[LoopTick]>([])

    private struct Others: Sendable {
        var gauges: [@Sendable () -> Void] = []
        var counts: [@Sendable (LoopCounts, LoopCounts) -> Void] = []
    }

    package static let descriptions: [MetricDescription] = [
        connections, sessions, oldSessions, opened, closed, upgrades, rejections, limits, packetsReceived, packetsSent,
        bytesReceived, bytesSent, loopDelay,
    ]
    private static let connections = MetricDescription(.gauge, "connections", "protocol", ConnectionLabel.self)
    private static let sessions = MetricDescription(.gauge, "sessions", "transport", TransportLabel.self)
    private static let oldSessions = MetricDescription(.gauge, "sessions_eio3")
    private static let opened = MetricDescription(.counter, "sessions_opened_total", "transport", TransportLabel.self)
    private static let closed = MetricDescription(.counter, "sessions_closed_total", "reason", CloseLabel.self)
    private static let upgrades = MetricDescription(.counter, "upgrades_total", "result", UpgradeLabel.self)
    private static let rejections = MetricDescription(.counter, "rejections_total", "reason", RejectionLabel.self)
    private static let limits = MetricDescription(.counter, "limits_exceeded_total", "limit", EngineLimitLabel.self)
    private static let packetsReceived = MetricDescription(
        .counter, "packets_received_total", "transport", TransportLabel.self)
    private static let packetsSent = MetricDescription(
        .counter, "packets_sent_total", "transport", TransportLabel.self)
    private static let bytesReceived = MetricDescription(
        .counter, "bytes_received_total", "transport", TransportLabel.self)
    private static let bytesSent = MetricDescription(.counter, "bytes_sent_total", "transport", TransportLabel.self)
    private static let loopDelay = MetricDescription(.timer, "loop_delay_seconds")

    init(_ configuration: MetricsConfiguration) {
        self.configuration = configuration
        let make = MetricMaker(configuration)
        self.connections = make.gauges(Self.connections)
        self.sessions = make.gauges(Self.sessions)
        self.oldSessions = make.gauge(Self.oldSessions)
        self.opened = make.counters(Self.opened)
        self.closed = make.counters(Self.closed)
        self.upgrades = make.counters(Self.upgrades)
        self.rejections = make.counters(Self.rejections)
        self.limits = make.counters(Self.limits)
        self.packetsReceived = make.counters(Self.packetsReceived)
        self.packetsSent = make.counters(Self.packetsSent)
        self.bytesReceived = make.counters(Self.bytesReceived)
        self.bytesSent = make.counters(Self.bytesSent)
        self.loopDelay = make.timer(Self.loopDelay)
    }

    // MARK: What happens

    func connectionOpened() { self.httpConnections.wrappingAdd(1, ordering: .relaxed) }

    func connectionUpgraded() {
        self.httpConnections.wrappingSubtract(1, ordering: .relaxed)
        self.webSocketConnections.wrappingAdd(1, ordering: .relaxed)
    }

    func connectionClosed(isWebSocket: Bool) {
        if isWebSocket {
            self.webSocketConnections.wrappingSubtract(1, ordering: .relaxed)
        } else {
            self.httpConnections.wrappingSubtract(1, ordering: .relaxed)
        }
    }

    /// Each session begins with polling: the WebSocket that has opened it is attached afterwards.
    func sessionOpened(isWebSocket: Bool, isVersion3: Bool) {
        if isVersion3 { self.version3Sessions.wrappingAdd(1, ordering: .relaxed) }
        self.opened[isWebSocket ? .websocket : .polling]?.increment()
        self.pollingSessions.wrappingAdd(1, ordering: .relaxed)
    }

    /// A session is served by a WebSocket from now on.
    func sessionMoved() {
        self.pollingSessions.wrappingSubtract(1, ordering: .relaxed)
        self.webSocketSessions.wrappingAdd(1, ordering: .relaxed)
    }

    func sessionClosed(_ reason: EngineIOCloseReason, isWebSocket: Bool, isVersion3: Bool) {
        if isVersion3 { self.version3Sessions.wrappingSubtract(1, ordering: .relaxed) }
        self.closed[CloseLabel(reason)]?.increment()
        if isWebSocket {
            self.webSocketSessions.wrappingSubtract(1, ordering: .relaxed)
        } else {
            self.pollingSessions.wrappingSubtract(1, ordering: .relaxed)
        }
    }

    func upgrade(_ result: UpgradeLabel) { self.upgrades[result]?.increment() }

    package func rejected(_ reason: RejectionLabel) { self.rejections[reason]?.increment() }

    package func exceeded(_ limit: EngineLimitLabel) { self.limits[limit]?.increment() }

    // MARK: Telling

    /// Has `gauges` called when gauges are told, and `counts` when a loop tells what it has counted, and what that was the last
    /// time.
    package func onTelling(
        gauges: @escaping @Sendable () -> Void, counts: @escaping @Sendable (LoopCounts, _ last: LoopCounts) -> Void
    ) {
        self.others.withLock { others in
            others.gauges.append(gauges)
            others.counts.append(counts)
        }
    }

    func start(_ loops: [LoopContext]) {
        let ticks = loops.enumerated().map { index, loop in LoopTick(self, loop, collects: index == 0) }
        self.ticks.withLock { $0 = ticks }
        for tick in ticks { tick.start() }
    }

    /// Tells what the loops have counted so far, for the last time. They must still run.
    func stop() async {
        let ticks = self.ticks.withLock { ticks in
            defer { ticks = [] }
            return ticks
        }
        for tick in ticks { await tick.stop() }
    }

    func tell(_ counts: LoopCounts, since last: LoopCounts) {
        self.tell(.polling, counts.polling, since: last.polling)
        self.tell(.websocket, counts.webSocket, since: last.webSocket)
        for tell in self.others.withLock({ $0.counts }) { tell(counts, last) }
    }

    private func tell(_ label: TransportLabel, _ counts: LoopCounts.Transport, since last: LoopCounts.Transport) {
        func tell(_ metric: MetricFamily<TransportLabel, Counter>, _ value: Int, _ before: Int) {
            if value != before { metric[label]?.increment(by: value &- before) }
        }
        tell(self.packetsReceived, counts.packetsReceived, last.packetsReceived)
        tell(self.packetsSent, counts.packetsSent, last.packetsSent)
        tell(self.bytesReceived, counts.bytesReceived, last.bytesReceived)
        tell(self.bytesSent, counts.bytesSent, last.bytesSent)
    }

    func tellDelay(_ nanoseconds: UInt64) { self.loopDelay.recordNanoseconds(Int64(clamping: nanoseconds)) }

    /// Tells the gauges.
    func collect() {
        self.connections[.http]?.record(self.httpConnections.load(ordering: .relaxed))
        self.connections[.websocket]?.record(self.webSocketConnections.load(ordering: .relaxed))
        // A session that moves right now is counted once or not at all.
        self.sessions[.polling]?.record(self.pollingSessions.load(ordering: .relaxed))
        self.sessions[.websocket]?.record(self.webSocketSessions.load(ordering: .relaxed))
        self.oldSessions.record(self.version3Sessions.load(ordering: .relaxed))
        for tell in self.others.withLock({ $0.gauges }) { tell() }
    }
}
