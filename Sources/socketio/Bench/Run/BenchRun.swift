import SocketIOClient

/// One run: clients connect, messages are sent and measured, replies are awaited.
final class BenchRun {
    private let plan: BenchPlan
    private let shared: BenchShared
    private let workers: [BenchWorker]
    private let interruption: BenchInterruption
    private let progress: BenchProgress
    private var counts = BenchCounts()
    private var nextLine: Int64 = 0

    /// How often it is looked what the threads do, and while it is measured: rarely.
    private static let pause: Int64 = 20_000_000
    private static let longPause: Int64 = 100_000_000
    /// If the first so many clients can't connect, no others try.
    private static let hopeless = 10
    /// How long replies are waited for after an interruption.
    private static let shortPatience: Int64 = 2_000_000_000

    init(
        _ plan: BenchPlan, interruption: BenchInterruption, progress: BenchProgress,
        makeClient: @escaping BenchWorker.MakeClient
    ) {
        let shared = BenchShared(plan, isWatched: progress.isShown)
        self.plan = plan
        self.shared = shared
        self.workers = (0..<plan.threads).map { BenchWorker($0, shared, makeClient) }
        self.interruption = interruption
        self.progress = progress
    }

    func run() async -> BenchSummary {
        self.nextLine = BenchShared.now + 1_000_000_000
        await self.connect()
        var window = BenchWindow(origin: 0, start: 0, end: 0)
        if self.counts.present > 0, !self.isInterrupted {
            if self.plan.mode.hasMessages {
                window = await self.exchangeMessages()
            } else {
                let end = BenchShared.now + self.plan.duration
                await self.wait("holding") { BenchShared.now >= end || self.counts.present == 0 }
            }
        }
        await self.collect(withTimes: true)
        let summary = BenchSummary(
            self.plan, self.counts, start: window.start, end: window.end, isInterrupted: self.isInterrupted,
            failure: nil)
        self.progress.end()
        return summary
    }

    /// Ends all clients.
    func end() async {
        var sockets: [SocketIOClient] = []
        for worker in self.workers { sockets += await worker.perform { $0.end() } ?? [] }
        await withTaskGroup(of: Void.self) { group in
            for socket in sockets { group.addTask { await socket.disconnect() } }
        }
    }

    private var isInterrupted: Bool { self.interruption.hasCome }

    // MARK: Phases

    private func connect() async {
        let origin = BenchShared.now
        for worker in self.workers { worker.loop.execute { worker.beginRamp(at: origin) } }
        await self.wait("connecting") {
            let isHopeless = self.counts.connected == 0 && self.counts.failed >= Self.hopeless
            return isHopeless || self.counts.started == self.plan.clients && self.counts.unsettled == 0
        }
        for worker in self.workers { worker.loop.execute { worker.ramp = nil } }
    }

    /// Returns when messages counted.
    private func exchangeMessages() async -> BenchWindow {
        var window = BenchWindow(origin: BenchShared.now + 50_000_000, start: 0, end: 0)
        window.start = window.origin + self.plan.warmup
        window.end = window.start + self.plan.duration
        await self.beginMessages(window)
        await self.wait("warming up") { BenchShared.now >= window.start || self.counts.present == 0 }
        await self.wait("measuring", pauseUntil: window.end) {
            BenchShared.now >= window.end || self.counts.present == 0
        }
        let stopped = BenchShared.now
        if stopped < window.end {
            window.end = stopped
            window.start = min(window.start, stopped)
        } else {
            let last = window.end + BenchWorker.grace
            await self.wait("finishing") { await self.hasSentAll() || BenchShared.now >= last }
        }
        for worker in self.workers { _ = await worker.perform { $0.stopMessages() } }
        let patience = BenchShared.now + self.plan.timeout
        await self.wait("waiting for replies", evenIfInterrupted: true) {
            if self.counts.open == 0 || self.counts.present == 0 { return true }
            return BenchShared.now >= (self.isInterrupted ? min(patience, stopped + Self.shortPatience) : patience)
        }
        return window
    }

    /// Threads without clients get no part of the rate.
    private func beginMessages(_ window: BenchWindow) async {
        var able: [BenchWorker] = []
        for worker in self.workers where await worker.perform({ !$0.senders.isEmpty }) == true { able.append(worker) }
        let stride = able.count
        for worker in self.workers {
            let offset = able.firstIndex { $0 === worker } ?? 0
            _ = await worker.perform { $0.beginMessages(window, offset: offset, stride: max(1, stride)) }
        }
    }

    private func hasSentAll() async -> Bool {
        for worker in self.workers where await worker.perform({ $0.hasSentAll }) == false { return false }
        return true
    }

    // MARK: Watching

    /// - Parameter pauseUntil: up to when it is looked rarely.
    private func wait(
        _ phase: String, evenIfInterrupted: Bool = false, pauseUntil: Int64 = 0, until isOver: () async -> Bool
    ) async {
        while true {
            await self.collect()
            if await isOver() || self.isInterrupted && !evenIfInterrupted { return }
            await self.showProgress(phase)
            let pause = max(Self.pause, min(Self.longPause, pauseUntil - BenchShared.now))
            try? await Task.sleep(for: .nanoseconds(pause))
        }
    }

    private func collect(withTimes: Bool = false) async {
        var counts = BenchCounts()
        for worker in self.workers {
            if let own = await worker.perform({ $0.report(withTimes: withTimes) }) { counts.add(own) }
        }
        self.counts = counts
    }

    private func showProgress(_ phase: String) async {
        let now = BenchShared.now
        guard self.progress.isShown, now >= self.nextLine else { return }
        var pulse = BenchPulse()
        for worker in self.workers { if let own = await worker.perform({ $0.takePulse() }) { pulse.add(own) } }
        let seconds = 1 + Double(now - self.nextLine) / 1e9
        self.nextLine = now + 1_000_000_000
        self.progress.show(phase, self.counts, pulse, seconds: seconds, plan: self.plan)
    }
}
