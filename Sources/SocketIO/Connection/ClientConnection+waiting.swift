import EngineIO
import SocketIOCore

/// What a client sends while as many of its async handlers run as may waits for one of them to end, bounded in bytes. Only
/// acknowledgements go on, for which a handler may be waiting; the transport answers pings by itself. What still waits when the
/// connection ends is dropped, and the error hook told.
extension ClientConnection {
    /// As many handlers run as may.
    var isBusy: Bool {
        self.runningHandlers.load(ordering: .sequentiallyConsistent)
            >= max(1, self.server.configuration.maxRunningHandlers)
    }

    /// Keeps a packet back. Returns false for what goes on.
    func waitsForHandlers(_ packet: Packet) -> Bool {
        switch packet.type {
        case .ack, .binaryAck: return false
        default: break
        }
        guard self.admitWaiting(packet) else { return true }
        self.waiting.append(packet.compacted)
        self.noteWaiting()
        return true
    }

    /// Puts packets that have been let through once in front of those that wait.
    func waitAgain(_ packets: some Sequence<Packet>) {
        self.waiting.prepend(packets)
        self.noteWaiting()
    }

    private func noteWaiting() {
        self.hasWaiting.store(true, ordering: .sequentiallyConsistent)
        // The last handler may have ended before it could know that something waits.
        if !self.isBusy { self.resumeWaiting() }
    }

    /// Whether one more packet may wait. If not the connection is closed.
    func admitWaiting(_ packet: Packet) -> Bool {
        // Whatever the size of the last one.
        guard self.waitingBytes <= self.server.configuration.engine.maxInboundQueueBytes else {
            self.overload()
            return false
        }
        self.waitingBytes += packet.waitingCost
        return true
    }

    /// Counts an async handler that starts.
    func beginHandler() { self.runningHandlers.wrappingAdd(1, ordering: .relaxed) }

    func endHandler() {
        self.runningHandlers.wrappingSubtract(1, ordering: .sequentiallyConsistent)
        if self.hasWaiting.load(ordering: .sequentiallyConsistent) { self.resumeWaiting() }
    }

    /// Has what waits go on, inside the gate; one call that is under way does for all.
    private func resumeWaiting() {
        guard
            self.isResuming.compareExchange(expected: false, desired: true, ordering: .sequentiallyConsistent).exchanged
        else { return }
        self.session.enqueue { loop in
            self.isResuming.store(false, ordering: .sequentiallyConsistent)
            self.takeWaiting(on: loop)
        }
    }

    private func takeWaiting(on loop: LoopContext) {
        while !self.isClosing, !self.isBusy, let packet = self.waiting.popFirst() {
            self.waitingBytes -= packet.waitingCost
            self.dispatch(packet, on: loop)
        }
        if self.isClosing { self.dropWaiting() }
        if self.waiting.isEmpty {
            self.hasWaiting.store(false, ordering: .sequentiallyConsistent)
        } else if !self.isBusy {
            self.resumeWaiting()
        }
    }

    func dropWaiting() {
        let count = self.waiting.count
        guard count > 0 else { return }
        self.waiting = WaitingPackets()
        self.server.main.report(
            SocketIOError(.disconnected, "the connection ended while \(count) packets waited for handlers"), socket: nil
        )
    }

    func overload() {
        guard !self.isClosing else { return }
        self.server.engine?.metrics?.exceeded(.maxInboundQueueBytes)
        self.server.logger.info(
            "connection closed: its events come faster than they are handled",
            metadata: self.metadata(["socketio.limit": "maxInboundQueueBytes"])
        )
        self.closeByServer()
    }
}

extension Packet {
    /// What it costs in memory while it waits, about.
    var waitingCost: Int {
        let text = (self.payload?.readableBytes ?? 0) + self.namespace.utf8.count + self.eventName.utf8.count
        return self.attachments.reduce(256 + text) { $0 + $1.readableBytes + 64 }
    }
}

/// Packets that wait, oldest first.
struct WaitingPackets {
    private var packets: [Packet?] = []
    private var head = 0

    var isEmpty: Bool { self.packets.isEmpty }
    var count: Int { self.packets.count - self.head }

    mutating func append(_ packet: Packet) { self.packets.append(packet) }

    mutating func prepend(_ packets: some Sequence<Packet>) {
        self.packets.replaceSubrange(..<self.head, with: packets.map { $0 })
        self.head = 0
    }

    mutating func popFirst() -> Packet? {
        guard self.head < self.packets.count else { return nil }
        // Nothing of it stays until the array moves up.
        let packet = self.packets[self.head].take()
        self.head += 1
        if self.head == self.packets.count {
            self.packets = []
            self.head = 0
        } else if self.head >= 64, self.head * 2 >= self.packets.count {
            self.packets.removeFirst(self.head)
            self.head = 0
        }
        return packet
    }
}
