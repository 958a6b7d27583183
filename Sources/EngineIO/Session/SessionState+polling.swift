import NIOCore

/// GETs that wait and POSTs that are under way.
extension SessionState {

    enum Poll: Sendable {
        /// The GET waits.
        case wait
        /// There are packets: drain at once.
        case drain
        /// Answer with a noop and a close packet: the session has ended with this.
        case close
        /// Another GET waits already: the new one gets 400, the old one a close packet, and the session ends.
        case conflict
        /// The session does not poll (any more).
        case mismatch
        case unknown
    }

    mutating func beginPoll(_ endpoint: SessionEndpoint, now: UInt64) -> Poll {
        guard self.phase != .closed else { return .unknown }
        guard case .polling = self.transport else { return .mismatch }
        guard self.poll == nil else { return .conflict }
        if self.outbox.isEmpty {
            if self.phase == .closing { return .close }
            if case .probing(_, isConfirmed: true) = self.upgrade { self.noopDeadline = now &+ 100_000_000 }
            self.poll = endpoint
            return .wait
        }
        self.poll = endpoint
        self.count()
        return .drain
    }

    enum PollAnswer: Sendable {
        case packets
        case close
    }

    /// Takes the packets for the GET that waits at `endpoint` into `frames`, about `maxBytes` of them, and ends the waiting.
    mutating func takePoll(
        for endpoint: SessionEndpoint,
        maxBytes: Int,
        into frames: inout [ByteBuffer],
        completions: inout [@Sendable (Bool) -> Void]
    ) -> Bool {
        guard self.poll === endpoint, !self.outbox.isEmpty else { return false }
        self.poll = nil
        self.noopDeadline = nil
        var bytes = 0
        let count = self.outbox.count
        while bytes < maxBytes, let packet = self.outbox.popFirst() {
            bytes += packet.byteCount
            frames.append(packet.frames)
            if let completion = packet.completion { completions.append(completion) }
        }
        endpoint.loop.counts.polling.packetsSent &+= count - self.outbox.count
        self.count()
        return true
    }

    /// Ends the waiting of `endpoint`'s GET without packets. Returns false if it did not wait.
    mutating func endPoll(_ endpoint: SessionEndpoint) -> Bool {
        guard self.poll === endpoint else { return false }
        self.poll = nil
        self.noopDeadline = nil
        self.count()
        return true
    }

    enum Post: Sendable {
        case accepted
        case conflict
        case mismatch
        case unknown
    }

    mutating func beginPost(_ endpoint: SessionEndpoint) -> Post {
        guard self.phase != .closed else { return .unknown }
        guard case .polling = self.transport else { return .mismatch }
        guard self.post == nil else { return .conflict }
        self.post = endpoint
        self.postIsReceived = false
        return .accepted
    }

    mutating func receivedPost(_ endpoint: SessionEndpoint) {
        if self.post === endpoint { self.postIsReceived = true }
    }

    mutating func endPost(_ endpoint: SessionEndpoint) -> Bool {
        guard self.post === endpoint else { return false }
        self.post = nil
        return true
    }

    /// The session was opened by a WebSocket: `endpoint`.
    mutating func attach(_ endpoint: SessionEndpoint) {
        self.transport = .websocket(endpoint)
        self.isScheduled = true
        self.count()
    }
}
