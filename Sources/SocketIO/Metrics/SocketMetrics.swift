import EngineIO
import Metrics
import NIOCore
import SocketIOCore
import Synchronization

/// The metrics of a server above its transport.
final class SocketMetrics: Sendable {
    private let namespaces: Gauge
    private let sockets: Gauge
    private let rooms: Gauge
    private let joins: MetricFamily<JoinLabel, Counter>
    private let disconnects: MetricFamily<DisconnectLabel, Counter>
    private let events: Counter
    private let running: Gauge
    private let handlers: MetricFamily<HandlerLabel, Metrics.Timer>
    private let acks: MetricFamily<AckLabel, Metrics.Timer>
    private let errors: Counter
    private let limits: MetricFamily<SocketLimitLabel, Counter>
    private let adapterReady: Gauge

    private let runningHandlers = Atomic<Int>(0)

    static let descriptions: [MetricDescription] = [
        namespaces, sockets, rooms, joins, disconnects, events, running, handlers, acks, errors, limits, adapterReady,
    ]
    private static let namespaces = MetricDescription(.gauge, "namespaces")
    private static let sockets = MetricDescription(.gauge, "sockets")
    private static let rooms = MetricDescription(.gauge, "rooms")
    private static let joins = MetricDescription(.counter, "joins_total", "result", JoinLabel.self)
    private static let disconnects = MetricDescription(
        .counter, "disconnects_total", "reason", DisconnectLabel.self)
    private static let events = MetricDescription(.counter, "events_received_total")
    private static let running = MetricDescription(.gauge, "handlers_running")
    private static let handlers = MetricDescription(.timer, "handler_duration_seconds", "kind", HandlerLabel.self)
    private static let acks = MetricDescription(.timer, "ack_duration_seconds", "result", AckLabel.self)
    private static let errors = MetricDescription(.counter, "errors_total")
    private static let limits = MetricDescription(.counter, "limits_exceeded_total", "limit", SocketLimitLabel.self)
    private static let adapterReady = MetricDescription(.gauge, "adapter_ready")

    init(_ configuration: MetricsConfiguration) {
        let make = MetricMaker(configuration)
        self.namespaces = make.gauge(Self.namespaces)
        self.sockets = make.gauge(Self.sockets)
        self.rooms = make.gauge(Self.rooms)
        self.joins = make.counters(Self.joins)
        self.disconnects = make.counters(Self.disconnects)
        self.events = make.counter(Self.events)
        self.running = make.gauge(Self.running)
        self.handlers = make.timers(Self.handlers)
        self.acks = make.timers(Self.acks)
        self.errors = make.counter(Self.errors)
        self.limits = make.counters(Self.limits)
        self.adapterReady = make.gauge(Self.adapterReady)
    }

    // MARK: What happens

    func joined(_ result: JoinLabel) { self.joins[result]?.increment() }
    func disconnected(_ reason: DisconnectReason) { self.disconnects[DisconnectLabel(reason)]?.increment() }
    func failed() { self.errors.increment() }
    func exceeded(_ limit: SocketLimitLabel) { self.limits[limit]?.increment() }

    func handled(_ kind: HandlerLabel, since begin: UInt64) {
        self.handlers[kind]?.recordNanoseconds(Self.elapsed(since: begin))
    }

    func asyncHandlerBegan() { self.runningHandlers.wrappingAdd(1, ordering: .relaxed) }

    func asyncHandlerEnded(since begin: UInt64) {
        self.runningHandlers.wrappingSubtract(1, ordering: .relaxed)
        self.handled(.async, since: begin)
    }

    func acknowledged(_ result: AckLabel, since begin: UInt64) {
        self.acks[result]?.recordNanoseconds(Self.elapsed(since: begin))
    }

    private static func elapsed(since begin: UInt64) -> Int64 {
        let now = NIODeadline.now().uptimeNanoseconds
        return now > begin ? Int64(clamping: now - begin) : 0
    }

    // MARK: Telling

    func tell(_ counts: LoopCounts, since last: LoopCounts) {
        if counts.events != last.events { self.events.increment(by: counts.events &- last.events) }
    }

    /// Tells the gauges.
    func collect(_ server: SocketIOServer) {
        let namespaces = server.namespaces.values
        var sockets = 0
        var rooms = 0
        var isReady = true
        for namespace in namespaces {
            sockets += namespace.local.socketCount
            rooms += namespace.local.roomCount
            isReady = isReady && namespace.adapter.status.isReady
        }
        self.namespaces.record(namespaces.count)
        self.sockets.record(sockets)
        self.rooms.record(rooms)
        self.running.record(self.runningHandlers.load(ordering: .relaxed))
        self.adapterReady.record(isReady ? 1 : 0)
    }
}
