import EngineIO
import EngineIOCore
import NIOCore
import SocketIOCore

/// Events are counted when they come, before they wait for anything.
extension ClientConnection {
    /// The rate of a new socket. Who has left a namespace and joins one does not begin with a full bucket: else that would be
    /// the way around the limit.
    func makeEventRate() -> EventRate? {
        guard let limit = self.server.configuration.eventRate else { return nil }
        var bucket = TokenBucket(limit.tokens, now: NIODeadline.now().uptimeNanoseconds)
        if let spent = self.spentRate { bucket.lower(to: spent.bucket) }
        return EventRate(limit, bucket)
    }

    /// A socket has left; what it has spent counts for the next.
    func keepRate(of socket: Socket) {
        guard let rate = socket.eventRate else { return }
        if let spent = self.spentRate { spent.bucket.lower(to: rate.bucket) } else { self.spentRate = rate }
    }

    /// Whether an event may be handled.
    func admits(_ packet: Packet, on loop: LoopContext) -> Bool {
        guard let socket = self.joined.withLock({ $0[packet.namespace] }), let rate = socket.eventRate,
            !socket.isGone.load(ordering: .relaxed)
        else { return true }
        guard !rate.isOver else { return false }
        if rate.bucket.take(1, at: loop.coarseTime) || rate.bucket.take(1, at: loop.readClock()) {
            // The next one finds the connection closed until there is a token for it.
            if rate.limit.policy == .wait, !rate.bucket.has(1) { self.pause(rate, .eventRate, on: loop) }
            return true
        }
        switch rate.limit.policy {
        case .wait:
            // It has come already, before the pause began. Those behind it wait for longer.
            rate.bucket.spend(1)
            self.pause(rate, .eventRate, on: loop)
            return true
        case .drop:
            self.tell(.dropped, packet.eventName, socket, rate)
        case .disconnect:
            rate.isOver = true
            self.tell(.disconnected, packet.eventName, socket, rate)
            self.disconnectAll()
        }
        return false
    }

    /// Messages of this client wait until there is a token. If another rate needs longer, they do as well.
    func pause(_ rate: EventRate, _ limit: EngineIOLimit, on loop: LoopContext) {
        let now = loop.readClock()
        rate.bucket.refill(at: now)
        let delay = rate.bucket.pause(for: 1)
        guard delay > 0 else { return }
        self.session.pauseMessages(until: now &+ delay, because: limit)
    }

    private func tell(
        _ action: EngineIOLimitReport.Action, _ event: String, _ socket: Socket, _ rate: EventRate
    ) {
        let request = self.session.request
        if !rate.isLogged {
            rate.isLogged = true
            self.server.logger.info(
                "over a limit: \(action)",
                metadata: self.metadata([
                    "socketio.limit": "\(EngineIOLimit.eventRate)",
                    "socketio.namespace": "\(socket.namespace.name)",
                ]))
        }
        self.server.engine?.tell(
            EngineIOLimitReport(limit: .eventRate, action: action, request: request))
        let exceeded = RateLimitExceeded(limit: .eventRate, rate: rate.limit, event: event)
        socket.report(
            SocketIOError(.rateLimited, "too many events of a socket (\(exceeded))", cause: exceeded), event: event)
    }
}

/// While messages wait, acknowledgements are let through, unless attachments are due: a handler may be waiting for one.
extension ClientConnection: OvertakingHandler {
    package func mayOvertake(text: ByteBuffer) -> Bool {
        text.getInteger(at: text.readerIndex, as: UInt8.self) == UInt8(ascii: "3")
            && !self.decoder.isAwaitingAttachments
    }
}
