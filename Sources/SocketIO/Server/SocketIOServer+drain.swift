import EngineIO
import EngineIOCore
import SocketIOCore
import Synchronization

extension SocketIOServer {
    /// Takes leave of all clients, in batches, and ends: it is over after `duration`, `timeout` and `closeTimeout` at most.
    ///
    /// From the beginning no new client is admitted (status 503); the port stays open, since clients that poll need it. In its
    /// turn a client is disconnected (reason `server shutting down`) as soon as no async handler of its events runs, no
    /// middleware holds an event back, and nobody waits for an acknowledgement of it; and after `timeout` in any case. Its events are
    /// handled until then, and what was sent to it is delivered before. When the task is cancelled, those that are left are
    /// disconnected at once.
    ///
    /// An ``AckReply`` that is kept beyond its handler is not waited for, and tasks that handlers have begun neither.
    ///
    /// - Parameter drain: nil for ``SocketIOConfiguration/drain``, or the defaults of ``DrainConfiguration`` if that is nil too.
    public func drain(_ drain: DrainConfiguration? = nil) async {
        let drain = drain ?? self.configuration.drain ?? DrainConfiguration()
        let start = ContinuousClock.now
        self.engine?.stopAdmitting()
        self.logger.debug("draining", metadata: ["socketio.connections": "\(self.connectionCount)"])
        let unfinished = UnfinishedCount()
        await self.disconnectInBatches(drain, since: start, unfinished)
        let end = start + drain.duration + drain.timeout
        while self.connectionCount > 0, ContinuousClock.now < end, !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(5))
        }
        let left = self.connectionCount + unfinished.count.load(ordering: .relaxed)
        if left > 0 {
            self.logger.warning(
                "clients were disconnected before all was finished", metadata: ["socketio.connections": "\(left)"])
        }
        await self.close(timeout: drain.closeTimeout)
    }

    private func disconnectInBatches(
        _ drain: DrainConfiguration, since start: ContinuousClock.Instant, _ unfinished: UnfinishedCount
    ) async {
        var told: Set<ObjectIdentifier> = []
        for batch in 0..<drain.batchCount where !Task.isCancelled {
            let waiting = self.connections.filter { !told.contains(ObjectIdentifier($0)) }
            if waiting.isEmpty { return }
            // Who is late has fewer batches left than were planned.
            let isLast = batch + 1 == drain.batchCount || ContinuousClock.now >= start + drain.duration
            let size = isLast ? waiting.count : drain.batchSize(of: waiting.count, batch: batch)
            for connection in waiting.prefix(size) {
                told.insert(ObjectIdentifier(connection))
                connection.drain(timeout: drain.timeout, unfinished)
            }
            if isLast { return }
            try? await Task.sleep(for: drain.interval)
        }
    }
}

/// The clients that were disconnected while something of theirs was under way.
final class UnfinishedCount: Sendable {
    let count = Atomic<Int>(0)
}
