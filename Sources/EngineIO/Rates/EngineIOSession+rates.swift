import EngineIOCore
import Logging
import NIOCore

/// What a session's client sends is held to the rates that are set. Everything here happens inside the gate.
extension EngineIOSession {
    /// Whether a message may be handled now. If not, it has been kept, or thrown away, or is the end of the session.
    func admits(_ item: InboundItem, on loop: LoopContext) -> Bool {
        guard let throttle = self.throttle else { return true }
        guard !throttle.isRefusing else { return false }
        if throttle.isHolding { return self.overtakes(item, throttle) || self.hold(item, throttle) }
        if let pause = throttle.pause {
            let now = loop.readClock()
            if now < pause.until {
                if self.overtakes(item, throttle) { return true }
                self.beginHolding(pause.limit, throttle, delay: pause.until - now, now: now)
                return self.hold(item, throttle)
            }
            throttle.pause = nil
        }
        guard throttle.rates != nil else { return true }
        let size = item.messageBytes
        if throttle.rates?.receive(bytes: size, now: loop.coarseTime) == .take { return true }
        // By a time that may be a little old. This one is exact, and asked for when there seems to be too much only.
        let now = loop.readClock()
        switch throttle.rates?.receive(bytes: size, now: now) ?? .take {
        case .take: return true
        case .drop(let limit):
            self.tell(limit, .dropped, throttle)
            return false
        case .disconnect(let limit):
            self.disconnect(limit, throttle)
            return false
        case .wait(let limit, let delay):
            if self.overtakes(item, throttle) { return true }
            self.beginHolding(limit, throttle, delay: delay, now: now)
            return self.hold(item, throttle)
        }
    }

    /// The application takes no message before `time` (nanoseconds of `NIODeadline`): what comes earlier waits, but for what
    /// ``OvertakingHandler`` lets pass. Only for servers whose configuration says so (`holdsMessages`).
    package func pauseMessages(until time: UInt64, because limit: EngineIOLimit) {
        guard let throttle = self.throttle, (throttle.pause?.until ?? 0) < time else { return }
        throttle.pause = (limit, time)
    }

    /// Whether messages wait. Inside the gate.
    package var hasWaitingMessages: Bool { self.throttle?.isHolding ?? false }

    /// Has `body` done behind what waits now, or at once. Inside the gate.
    func inOrder(_ body: @escaping @Sendable (LoopContext) -> Void, on loop: LoopContext) {
        guard let throttle = self.throttle, throttle.isHolding else { return body(loop) }
        throttle.append(.call(body))
    }

    /// Has `body` called when nothing waits any more. Returns false, and calls nothing, if nothing waits. Inside the gate.
    func whenReleased(_ body: @escaping @Sendable () -> Void) -> Bool {
        guard let throttle = self.throttle, throttle.isHolding else { return false }
        throttle.whenReleased(body)
        return true
    }

    // MARK: Waiting

    private func overtakes(_ item: InboundItem, _ throttle: InboundThrottle) -> Bool {
        guard case .text(let text) = item, let handler = self.handler as? any OvertakingHandler,
            handler.mayOvertake(text: text)
        else { return false }
        throttle.rates?.spend(bytes: item.messageBytes)
        return true
    }

    private func beginHolding(_ limit: EngineIOLimit, _ throttle: InboundThrottle, delay: UInt64, now: UInt64) {
        throttle.begin(limit)
        self.state.withLock { $0.setHeld(true, now: now) }
        self.tell(limit, .delayed, throttle)
        self.wait(delay, throttle)
    }

    /// Always false: it is not handled now.
    private func hold(_ item: InboundItem, _ throttle: InboundThrottle) -> Bool {
        let most = self.server.limits.maxInboundQueueBytes
        // A message alone may be of any size that the transport allows.
        if throttle.heldBytes > 0, throttle.heldBytes + item.byteCount > most {
            self.disconnect(.maxInboundQueueBytes, throttle)
        } else {
            throttle.append(item.copied)
        }
        return false
    }

    private func wait(_ delay: UInt64, _ throttle: InboundThrottle) {
        // An hour at most: then it is looked again.
        let delay = Int64(clamping: min(max(delay, 1_000_000), 3_600_000_000_000))
        throttle.timer = self.loop.eventLoop.scheduleTask(in: .nanoseconds(delay)) {
            self.submit(.call { loop in self.release(on: loop) })
        }
    }

    /// Hands over what may be by now.
    private func release(on loop: LoopContext) {
        guard let throttle = self.throttle, throttle.isHolding else { return }
        throttle.timer = nil
        while let item = throttle.next {
            if case .call(let body) = item {
                throttle.removeNext()
                body(loop)
                continue
            }
            guard let handler = self.handler, !self.isEnding, !throttle.isRefusing else {
                return self.endHolding(throttle)
            }
            let now = loop.readClock()
            if let pause = throttle.pause {
                if now < pause.until { return self.wait(pause.until - now, throttle) }
                throttle.pause = nil
            }
            switch throttle.rates?.receive(bytes: item.messageBytes, now: now) ?? .take {
            case .take:
                throttle.removeNext()
                self.deliver(item, to: handler, on: loop)
            case .wait(_, let delay): return self.wait(delay, throttle)
            case .drop(let limit):
                throttle.removeNext()
                self.tell(limit, .dropped, throttle)
            case .disconnect(let limit): return self.disconnect(limit, throttle)
            }
        }
        self.endHolding(throttle)
    }

    /// The session has ended, or nothing waits any more.
    func endHolding(_ throttle: InboundThrottle) {
        guard let limit = throttle.limit else { return }
        self.state.withLock { $0.setHeld(false, now: NIODeadline.now().uptimeNanoseconds) }
        let (messages, waiters) = throttle.end()
        if messages > 0 { self.tell(limit, .dropped, throttle, count: messages) }
        for waiter in waiters { waiter() }
    }

    private func deliver(_ item: InboundItem, to handler: any EngineIOSessionHandler, on loop: LoopContext) {
        switch item {
        case .text(let text): handler.session(self, receivedText: text, on: loop)
        case .binary(let data): handler.session(self, receivedBinary: data, on: loop)
        case .call, .deadline, .closed: break
        }
    }

    // MARK: Consequences

    private func disconnect(_ limit: EngineIOLimit, _ throttle: InboundThrottle) {
        throttle.isRefusing = true
        self.tell(limit, .disconnected, throttle)
        self.end(reason: .transportError, .code(1008))
    }

    private func tell(
        _ limit: EngineIOLimit, _ action: EngineIOLimitReport.Action, _ throttle: InboundThrottle, count: Int = 1
    ) {
        if throttle.logged.insert(limit).inserted || action == .disconnected {
            self.server.logger.info(
                "over a limit: \(action)",
                metadata: self.metadata(["socketio.limit": "\(limit)"]))
        }
        self.server.tell(
            EngineIOLimitReport(limit: limit, action: action, count: count, request: self.request))
    }
}
