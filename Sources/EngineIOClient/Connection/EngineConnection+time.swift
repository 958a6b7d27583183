import EngineIOCore
import NIOCore

/// The timers of a connection.
struct Timers {
    var connect: LoopTimer?
    var upgrade: LoopTimer?
    var request: LoopTimer?
    var liveness: LoopTimer?
    var close: LoopTimer?

    mutating func cancelAll() {
        for timer in [self.connect, self.upgrade, self.request, self.liveness, self.close] { timer?.cancel() }
        self = Timers()
    }
}

extension EngineConnection {
    static var now: UInt64 { NIODeadline.now().uptimeNanoseconds }

    func schedule(
        _ duration: Duration, _ action: @escaping @Sendable (EngineConnection) -> Void
    ) -> LoopTimer {
        LoopTimer(on: self.eventLoop, in: duration) { [weak self] in
            if let self, self.state.phase != .closed { action(self) }
        }
    }

    /// Pings and what was heard only move the deadline; the timer looks again when it fires.
    func armLiveness() {
        self.timers.liveness?.cancel()
        guard let deadline = self.liveness?.deadline else { return }
        self.timers.liveness = LoopTimer(on: self.eventLoop, at: .uptimeNanoseconds(deadline)) { [weak self] in
            self?.checkLiveness()
        }
    }

    private func checkLiveness() {
        guard case .open = self.state.phase, let liveness = self.liveness else { return }
        guard Self.now >= liveness.deadline else { return self.armLiveness() }
        let origin = self.configuration.url.origin
        let advice =
            liveness.hasBeenPinged
            ? "is the network there?"
            : "it has never sent a ping: does it speak protocol 4 (Socket.IO 3 or newer)?"
        self.end(
            "ping timeout",
            EngineClientError(.pingTimeout, "nothing has been heard of \(origin) for too long; \(advice)"))
    }

    func heard() { self.liveness?.heard(now: Self.now) }

    /// The machine has another network: finds out soon whether the connection still works. If the server does not answer within
    /// ``EngineClientConfiguration/probeTimeout``, the connection ends with `ping timeout`.
    package func networkChanged() {
        guard case .open = self.state.phase else { return }
        let timeout = UInt64(clamping: TimeAmount(self.configuration.probeTimeout).nanoseconds)
        self.liveness?.probe(timeout: timeout, now: Self.now)
        self.armLiveness()
        if let webSocket = self.webSocket {
            webSocket.ping()
        } else {
            // A pong that nobody asked for does no harm, and the answer to its POST is the sign of life.
            self.outbox.appendPong(ByteBuffer())
            self.advance()
        }
    }
}
