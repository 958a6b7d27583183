import NIOCore

/// Tells regularly what an event loop has counted, and how late the loop is for that: a measure of how long a message waits for
/// its turn.
///
/// `@unchecked Sendable`: the variables are touched on the loop only.
final class LoopTick: @unchecked Sendable {
    private let metrics: EngineMetrics
    private let loop: LoopContext
    /// One of the loops tells the gauges too.
    private let collects: Bool
    private let interval: TimeAmount
    private var told = LoopCounts()
    private var due: NIODeadline?
    private var next: Scheduled<Void>?
    private var hasStopped = false

    init(_ metrics: EngineMetrics, _ loop: LoopContext, collects: Bool) {
        self.metrics = metrics
        self.loop = loop
        self.collects = collects
        // Less would keep the loop busy with this.
        self.interval = .nanoseconds(max(1_000_000, Int64(clamping: metrics.configuration.interval.nanoseconds)))
    }

    func start() { self.loop.eventLoop.execute { self.schedule() } }

    private func schedule() {
        guard !self.hasStopped else { return }
        let due = NIODeadline.now() + self.interval
        self.due = due
        self.next = self.loop.eventLoop.scheduleTask(deadline: due) { self.tick() }
    }

    private func tick() {
        if let due = self.due {
            self.metrics.tellDelay(UInt64(clamping: (NIODeadline.now() - due).nanoseconds))
        }
        self.tell()
        if self.collects { self.metrics.collect() }
        self.schedule()
    }

    private func tell() {
        let counts = self.loop.counts
        self.metrics.tell(counts, since: self.told)
        self.told = counts
    }

    /// Tells what is left, and no more after that.
    func stop() async {
        try? await self.loop.eventLoop.submit {
            self.hasStopped = true
            self.next?.cancel()
            self.tell()
        }.get()
    }
}
