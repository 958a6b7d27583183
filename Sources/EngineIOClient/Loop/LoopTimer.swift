import NIOCore
import Synchronization

/// A timer of an event loop that does not fire once ``cancel()`` was called.
///
/// `Scheduled.cancel()` alone does not hold that: a loop takes timers that are due together with what is to run at once, and
/// one of the latter that cancels such a timer comes too late.
package struct LoopTimer: Sendable {
    private final class Switch: Sendable {
        let isOff = Atomic<Bool>(false)
    }

    private let isCancelled: Switch
    private let scheduled: Scheduled<Void>

    package init(on eventLoop: any EventLoop, at deadline: NIODeadline, _ action: @escaping @Sendable () -> Void) {
        let isCancelled = Switch()
        self.isCancelled = isCancelled
        self.scheduled = eventLoop.scheduleTask(deadline: deadline) {
            if !isCancelled.isOff.load(ordering: .relaxed) { action() }
        }
    }

    package init(on eventLoop: any EventLoop, in duration: Duration, _ action: @escaping @Sendable () -> Void) {
        self.init(on: eventLoop, at: .now() + TimeAmount(duration), action)
    }

    /// On the loop: it does not fire any more.
    package func cancel() {
        self.isCancelled.isOff.store(true, ordering: .relaxed)
        self.scheduled.cancel()
    }
}
