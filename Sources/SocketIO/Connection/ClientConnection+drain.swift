import EngineIO
import EngineIOCore
import NIOCore
import SocketIOCore

/// The server ends, and gives the client the time to finish what is under way.
extension ClientConnection {
    private static let pause = TimeAmount.milliseconds(20)

    /// Disconnects the client when nothing is under way any more, and after `timeout` in any case.
    func drain(timeout: Duration, _ unfinished: UnfinishedCount) {
        let deadline = NIODeadline.now().uptimeNanoseconds &+ timeout.nanoseconds
        self.session.enqueue { loop in self.leave(by: deadline, unfinished, on: loop) }
    }

    private func leave(by deadline: UInt64, _ unfinished: UnfinishedCount, on loop: LoopContext) {
        guard !self.isClosing else { return }
        let hasWork = self.hasWork
        guard hasWork, NIODeadline.now().uptimeNanoseconds < deadline else {
            if hasWork { unfinished.count.wrappingAdd(1, ordering: .relaxed) }
            self.closeSockets(.serverShuttingDown, on: loop)
            self.session.close()
            return
        }
        self.session.loop.eventLoop.scheduleTask(in: Self.pause) {
            self.session.enqueue { loop in self.leave(by: deadline, unfinished, on: loop) }
        }
    }

    /// Whether something that the client has sent is being handled, or somebody waits for its answer.
    private var hasWork: Bool {
        self.runningHandlers.load(ordering: .relaxed) > 0 || !self.waiting.isEmpty || !self.passing.isEmpty
            || !self.joining.isEmpty || self.session.hasWaitingMessages
            || self.socketsInOrder.contains { $0.pendingAckCount > 0 }
    }
}
