import EngineIOCore
import NIOCore

/// Lets one thing at a time happen to a session: messages, timers, calls from elsewhere and the end, in the order in which
/// they came. Who finds it taken leaves its part behind; who holds it does that part on leaving.
struct InboundGate: Sendable {
    var isTaken = false
    var queue: [InboundItem] = []
    var queuedBytes = 0

    mutating func enter() -> Bool {
        guard !self.isTaken else { return false }
        self.isTaken = true
        return true
    }

    mutating func append(_ item: InboundItem) {
        self.queuedBytes += item.byteCount
        self.queue.append(item)
    }

    /// What has come while the gate was taken; nil, and the gate is free, if nothing has.
    mutating func leave() -> [InboundItem]? {
        guard !self.queue.isEmpty else {
            self.isTaken = false
            return nil
        }
        defer {
            self.queue = []
            self.queuedBytes = 0
        }
        return self.queue
    }
}

enum InboundItem: Sendable {
    case text(ByteBuffer)
    case binary(ByteBuffer)
    case call(@Sendable (LoopContext) -> Void)
    case deadline
    case closed(EngineIOCloseReason)

    /// The item with bytes of its own: those of a read lie in a buffer that is larger than they are.
    var copied: InboundItem {
        switch self {
        case .text(let bytes): .text(ByteBuffer(bytes: bytes.readableBytesView))
        case .binary(let bytes): .binary(ByteBuffer(bytes: bytes.readableBytesView))
        case .call, .deadline, .closed: self
        }
    }

    var byteCount: Int {
        switch self {
        case .text(let bytes), .binary(let bytes): bytes.readableBytes + 128
        case .call, .deadline, .closed: 0
        }
    }
}

extension EngineIOSession {
    /// Takes the gate for a read on `loop`, if it is free; then ``leaveGate(on:)`` must follow.
    func enterGate() -> Bool { self.gate.withLock { $0.enter() } }

    func leaveGate(on loop: LoopContext) {
        while let items = self.gate.withLock({ $0.leave() }) {
            for item in items { self.handle(item, on: loop) }
        }
    }

    /// Leaves a message for the holder of the gate, or for the next turn of the session's loop. Over the limit of what may
    /// wait the session ends.
    func submitMessage(_ item: InboundItem) {
        // A message alone may be of any size that the transport allows.
        let isOver = self.gate.withLock { gate in
            gate.queuedBytes > 0 && gate.queuedBytes + item.byteCount > self.limits.maxInboundQueueBytes
        }
        if isOver {
            self.server.metrics?.exceeded(.maxInboundQueueBytes)
            self.server.logger.info(
                "session closed: more is received than its handlers take and maxInboundQueueBytes is reached",
                metadata: self.metadata(["socketio.limit": "maxInboundQueueBytes"])
            )
            return self.end(reason: .transportError, .close)
        }
        self.submit(item.copied)
    }

    /// Has `item` done, in its turn, by who holds the gate or on the session's loop; never inside this call.
    func submit(_ item: InboundItem) {
        let mustRun = self.gate.withLock { gate in
            gate.append(item)
            return gate.enter()
        }
        if mustRun { self.loop.executor.execute { self.leaveGate(on: self.loop) } }
    }

    /// Calls `body` in turn with the session's messages, on an event loop, never inside this call. After the session has
    /// ended it is still called.
    package func enqueue(_ body: @escaping @Sendable (LoopContext) -> Void) {
        self.submit(.call(body))
    }

    /// Hands an item to the handler; the caller holds the gate.
    func handle(_ item: InboundItem, on loop: LoopContext) {
        if case .call(let body) = item { return body(loop) }
        guard let handler = self.handler else { return }
        switch item {
        case .text(let text):
            if !self.isEnding, self.throttle == nil || self.admits(item, on: loop) {
                handler.session(self, receivedText: text, on: loop)
            }
        case .binary(let data):
            if !self.isEnding, self.throttle == nil || self.admits(item, on: loop) {
                handler.session(self, receivedBinary: data, on: loop)
            }
        case .deadline: handler.sessionDeadlinePassed(self, on: loop)
        case .closed(let reason):
            if let throttle = self.throttle { self.endHolding(throttle) }
            self.handler = nil
            handler.sessionClosed(self, reason: reason, on: loop)
        case .call: break
        }
    }

    private var limits: SessionLimits { self.server.limits }
}
