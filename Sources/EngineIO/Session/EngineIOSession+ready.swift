import Synchronization

/// Somebody who waits until no more than `bytes` wait for a client.
struct RoomWaiter: Sendable {
    let id: UInt64
    let bytes: Int
    let continuation: CheckedContinuation<Void, any Error>
}

/// The session has ended, or is ending: nothing can be sent any more.
public struct EngineIOSessionClosedError: Error, Sendable {
    public init() {}
}

extension SessionState {
    /// Bytes that wait for the client to read them.
    var waitingBytes: Int { self.outbox.byteCount + self.bytesInFlight }

    /// Those who have waited for what there is now.
    mutating func takeReady() -> [RoomWaiter] {
        let waiting = self.waitingBytes
        let ready = self.waiters.filter { $0.bytes >= waiting }
        if !ready.isEmpty { self.waiters.removeAll { $0.bytes >= waiting } }
        return ready
    }
}

extension EngineIOSession {
    /// Suspends until the client has room: until at most `bytes` wait for it to read them. Who sends much calls this in front of each
    /// part, and never has much more than `bytes` waiting.
    ///
    /// - Throws: ``EngineIOSessionClosedError`` when nothing can be sent any more; `CancellationError` when the task is cancelled.
    public func ready(below bytes: Int = 64 << 10) async throws {
        let id = self.nextWaiter.wrappingAdd(1, ordering: .relaxed).newValue
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result: Result<Void, any Error>? = self.state.withLock { state in
                    if state.phase != .open { return .failure(EngineIOSessionClosedError()) }
                    if state.waitingBytes <= bytes { return .success(()) }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    state.waiters.append(RoomWaiter(id: id, bytes: bytes, continuation: continuation))
                    self.hasWaiters.store(true, ordering: .relaxed)
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            let waiter = self.state.withLock { state in
                state.waiters.firstIndex { $0.id == id }.map { state.waiters.remove(at: $0) }
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Something was taken out of the outbox, and has gone to the system as far as that took it.
    @inline(__always)
    func tellReady() {
        if self.hasWaiters.load(ordering: .relaxed) { self.resumeReady() }
    }

    private func resumeReady() {
        let ready = self.state.withLock { state in
            let ready = state.takeReady()
            self.hasWaiters.store(!state.waiters.isEmpty, ordering: .relaxed)
            return ready
        }
        for waiter in ready { waiter.continuation.resume() }
    }
}
