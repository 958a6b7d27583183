import EngineIOCore
import NIOCore

// What the endpoints of a session tell it and take from it. Each call holds the lock for a moment and acts outside it.
extension EngineIOSession {
    // MARK: WebSocket

    func takeFrames(
        for endpoint: SessionEndpoint,
        maxBytes: Int,
        into frames: inout [ByteBuffer],
        completions: inout [@Sendable (Bool) -> Void]
    ) -> SessionState.Rest {
        self.state.withLock { state in
            state.takeFrames(for: endpoint, maxBytes: maxBytes, into: &frames, completions: &completions)
        }
    }

    /// What waits for a WebSocket, if that is in one piece and nobody is to be told of it, as mostly.
    func takeOnly(for endpoint: SessionEndpoint) -> ByteBuffer? {
        self.state.withLock { $0.takeOnly(for: endpoint) }
    }

    func drained(_ endpoint: SessionEndpoint, isWritable: Bool, bytesInFlight: Int) {
        switch self.state.withLock({
            $0.drained(endpoint, isWritable: isWritable, bytesInFlight: bytesInFlight)
        }) {
        case .nothing: break
        case .wake(let endpoint): endpoint.loop.schedule(self)
        case .closing: self.finishClosing(endpoint)
        }
    }

    /// Ends the session if it was only waiting for the last of its packets to leave.
    func finishClosing(_ endpoint: SessionEndpoint) {
        let isOver = self.state.withLock { $0.phase == .closing && $0.outbox.isEmpty }
        if isOver { self.end(reason: .forcedClose, .close) }
    }

    /// Gives a new session its WebSocket. Returns false if the session has ended meanwhile.
    func attach(_ endpoint: SessionEndpoint) -> Bool {
        let isAttached = self.state.withLock { state in
            if state.phase != .closed { state.attach(endpoint) }
            return state.phase != .closed
        }
        if isAttached {
            self.server.metrics?.sessionMoved()
            endpoint.loop.schedule(self)
        }
        return isAttached
    }

    // MARK: Upgrade

    func beginUpgrade(_ endpoint: SessionEndpoint) -> Bool {
        let now = NIODeadline.now().uptimeNanoseconds
        let isAccepted = self.state.withLock { $0.beginUpgrade(endpoint, now: now) }
        if isAccepted { self.updateWheel() } else { self.server.metrics?.upgrade(.refused) }
        return isAccepted
    }

    func confirmProbe(_ endpoint: SessionEndpoint) {
        let now = NIODeadline.now().uptimeNanoseconds
        let poll = self.state.withLock { $0.confirmProbe(endpoint, now: now) }
        if let poll { self.endpoint(poll, .noop) }
    }

    /// Makes `endpoint` the session's transport. Returns false if the session has ended meanwhile.
    func completeUpgrade(_ endpoint: SessionEndpoint) -> Bool {
        guard let result = self.state.withLock({ $0.completeUpgrade(endpoint) }) else { return false }
        self.server.metrics?.sessionMoved()
        self.server.metrics?.upgrade(.completed)
        self.log("session upgraded", .websocket)
        if let poll = result.poll { self.endpoint(poll, .close) }
        // A drain that was meant for the GET finds the new endpoint; one that nobody ordered is ordered here.
        endpoint.loop.schedule(self)
        return true
    }

    func endUpgrade(_ endpoint: SessionEndpoint) {
        if self.state.withLock({ $0.endUpgrade(endpoint) }) { self.server.metrics?.upgrade(.failed) }
    }

    private func endpoint(_ endpoint: SessionEndpoint, _ end: SessionEnd) {
        if endpoint.loop.eventLoop.inEventLoop {
            endpoint.sessionEnded(end)
        } else {
            endpoint.loop.eventLoop.execute { endpoint.sessionEnded(end) }
        }
    }

    // MARK: Polling

    func beginPoll(_ endpoint: SessionEndpoint) -> SessionState.Poll {
        let now = NIODeadline.now().uptimeNanoseconds
        let poll = self.state.withLock { $0.beginPoll(endpoint, now: now) }
        if case .wait = poll { self.updateWheel() }
        return poll
    }

    func takePoll(
        for endpoint: SessionEndpoint,
        maxBytes: Int,
        into frames: inout [ByteBuffer],
        completions: inout [@Sendable (Bool) -> Void]
    ) -> Bool {
        self.state.withLock { state in
            state.takePoll(for: endpoint, maxBytes: maxBytes, into: &frames, completions: &completions)
        }
    }

    func endPoll(_ endpoint: SessionEndpoint) -> Bool { self.state.withLock { $0.endPoll(endpoint) } }

    func beginPost(_ endpoint: SessionEndpoint) -> SessionState.Post {
        self.state.withLock { $0.beginPost(endpoint) }
    }

    func receivedPost(_ endpoint: SessionEndpoint) { self.state.withLock { $0.receivedPost(endpoint) } }

    func endPost(_ endpoint: SessionEndpoint) -> Bool { self.state.withLock { $0.endPost(endpoint) } }
}
