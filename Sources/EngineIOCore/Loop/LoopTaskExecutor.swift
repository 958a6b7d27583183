import NIOCore
import Synchronization

/// Runs the jobs of async handlers on an event loop, so that a handler that does not suspend costs no thread change.
///
/// At most ``jobsPerTick`` jobs run before the loop turns to its channels again: a handler that yields in a loop slows its
/// loop down but never stops the I/O of others. Once the loop refuses work the jobs go to the global pool.
///
/// `@unchecked Sendable`: `local` and `isScheduled` are touched on the loop only; `remote` has a lock.
package final class LoopTaskExecutor: TaskExecutor, @unchecked Sendable {
    package static let jobsPerTick = 256

    private let eventLoop: any EventLoop
    private var local: [UnownedJob] = []
    private var head = 0
    private var isScheduled = false
    private let remote = Mutex<Remote>(Remote())

    private struct Remote {
        var jobs: [UnownedJob] = []
        var isShutDown = false
    }

    package init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if self.eventLoop.inEventLoop, !self.isShutDown {
            self.local.append(job)
            self.scheduleLocal()
            return
        }
        // The loop is told under the lock: once the flag is set it may be gone.
        let isAccepted = self.remote.withLock { remote in
            guard !remote.isShutDown else { return false }
            remote.jobs.append(job)
            if remote.jobs.count == 1 { self.eventLoop.execute { self.takeRemote() } }
            return true
        }
        if !isAccepted { globalConcurrentExecutor.enqueue(job) }
    }

    /// Runs `body` on the loop, or on the global pool once the loop is about to end.
    package func execute(_ body: @escaping @Sendable () -> Void) {
        let isAccepted = self.remote.withLock { remote in
            guard !remote.isShutDown else { return false }
            self.eventLoop.execute(body)
            return true
        }
        if !isAccepted { Task { body() } }
    }

    /// From now on jobs run on the global pool. Called when the loop is about to end.
    package func shutDown() {
        let jobs = self.remote.withLock { remote in
            remote.isShutDown = true
            defer { remote.jobs = [] }
            return remote.jobs
        }
        for job in jobs { globalConcurrentExecutor.enqueue(job) }
    }

    /// Gives the jobs that still wait on the loop to the global pool: the loop will not come to them any more. To be called
    /// after ``shutDown()``, while the loop still runs.
    package func handOver() async {
        try? await self.eventLoop.submit {
            let jobs = self.local[self.head...]
            self.local = []
            self.head = 0
            for job in jobs { globalConcurrentExecutor.enqueue(job) }
        }.get()
    }

    private var isShutDown: Bool { self.remote.withLock { $0.isShutDown } }

    private func scheduleLocal() {
        guard !self.isScheduled else { return }
        self.isScheduled = true
        self.eventLoop.execute { self.runSome() }
    }

    private func takeRemote() {
        let jobs = self.remote.withLock { remote in
            defer { remote.jobs.removeAll(keepingCapacity: true) }
            return remote.jobs
        }
        self.local.append(contentsOf: jobs)
        if !self.isScheduled { self.runSome() }
    }

    private func runSome() {
        self.isScheduled = true
        var budget = Self.jobsPerTick
        while self.head < self.local.count, budget > 0 {
            let job = self.local[self.head]
            self.head += 1
            budget -= 1
            job.runSynchronously(on: self.asUnownedTaskExecutor())
        }
        self.isScheduled = false
        if self.head == self.local.count {
            self.local.removeAll(keepingCapacity: self.local.count <= 1024)
            self.head = 0
        } else {
            if self.head > 1024 {
                self.local.removeFirst(self.head)
                self.head = 0
            }
            self.continueAfterIO()
        }
    }

    /// Goes on when the loop has seen to its channels. A task that is due now would not do: a loop runs all of those, and
    /// those that they add, before it looks at its channels.
    private func continueAfterIO() {
        self.isScheduled = true
        let next = self.eventLoop.scheduleTask(in: .microseconds(20)) { self.runSome() }
        // The loop ends and runs no more timers.
        next.futureResult.whenFailure { _ in
            let jobs = self.local[self.head...]
            self.local = []
            self.head = 0
            self.isScheduled = false
            for job in jobs { globalConcurrentExecutor.enqueue(job) }
        }
    }
}
