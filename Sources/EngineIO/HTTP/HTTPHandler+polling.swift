import EngineIOCore
import NIOCore
import NIOHTTP1

extension HTTPHandler {
    /// What one answer to a GET holds at most, about; more waits for the next.
    private static let answerBytes = 1 << 20
    private static let ok = ByteBuffer(staticString: "ok")
    private static let okHeaders: HTTPHeaders = ["content-type": "text/html", "cache-control": "no-store"]

    func poll(_ session: EngineIOSession) {
        self.activity = .polling(session)
        switch session.beginPoll(self) {
        case .wait: break
        case .drain: self.answerPoll(session)
        case .close:
            self.respond(payload: "6\u{1E}1")
            session.end(reason: .forcedClose, .close)
        case .conflict:
            self.activity = .waiting
            self.server.metrics?.rejected(.overlap)
            self.server.logger.debug("two GETs at the same time", metadata: session.metadata())
            session.end(reason: .transportError, .close)
            self.respond(status: .badRequest)
        case .mismatch:
            self.activity = .waiting
            self.refuse(.badRequest, ["name": "TRANSPORT_MISMATCH"], isUpgrade: false)
        case .unknown:
            self.activity = .waiting
            self.refuse(.unknownSession, [:], isUpgrade: false)
        }
    }

    /// Answers the GET that waits here with what the outbox holds.
    func answerPoll(_ session: EngineIOSession) {
        var frames = self.loop.frames
        self.loop.frames = []
        var completions: [@Sendable (Bool) -> Void] = []
        let isAnswered = session.takePoll(
            for: self, maxBytes: Self.answerBytes, into: &frames, completions: &completions)
        if isAnswered {
            self.respond(frames: frames)
            for completion in completions { completion(true) }
            session.tellReady()
        }
        frames.removeAll(keepingCapacity: frames.count <= 1024)
        self.loop.frames = frames
    }

    /// The body of a POST has arrived.
    func post(_ session: EngineIOSession) {
        let body = self.body
        self.body = ByteBuffer()
        let other = session.dialect.map { self.body(body, in: $0) }
        self.loop.counts.polling.bytesReceived &+= body.readableBytes
        session.receivedPost(self)
        guard session.enterGate() else {
            // Another connection of this session has the turn: wait for it, then answer.
            self.activity = .posting(session)
            let serial = self.serial
            return session.enqueue { loop in
                self.dispatch(body, other, to: session, on: loop)
                if session.throttle != nil, self.confirmsLater(session, serial) { return }
                self.loop.eventLoop.execute {
                    guard self.serial == serial, case .posting = self.activity else { return }
                    self.confirmPost(session)
                }
            }
        }
        self.dispatch(body, other, to: session, on: self.loop)
        let isWaiting = session.throttle != nil && self.confirmsLater(session, self.serial)
        if isWaiting { self.activity = .posting(session) }
        session.leaveGate(on: self.loop)
        if !isWaiting { self.confirmPost(session) }
    }

    /// If packets wait because their client has sent too many, the answer does too: until then the client sends no more. Inside
    /// the gate, on any loop.
    private func confirmsLater(_ session: EngineIOSession, _ serial: Int) -> Bool {
        session.whenReleased {
            self.loop.eventLoop.execute {
                guard self.serial == serial, case .posting = self.activity else { return }
                self.confirmPost(session)
            }
        }
    }

    /// - Parameter other: the body if its session has a dialect.
    private func dispatch(
        _ body: ByteBuffer, _ other: DialectBody?, to session: EngineIOSession, on loop: LoopContext
    ) {
        if let other { self.dispatch(other, to: session, on: loop) } else { self.dispatch(body, to: session, on: loop) }
    }

    /// Hands the packets of a body over; whoever calls holds the gate. Uses nothing of this connection.
    func dispatch(_ body: ByteBuffer, to session: EngineIOSession, on loop: LoopContext) {
        var decoder = PayloadDecoder(body, maxPackets: self.server.configuration.maxPacketsPerPayload)
        do {
            while let packet = try decoder.next() {
                loop.counts.polling.packetsReceived &+= 1
                guard case .goOn = session.receive(packet, fromPolling: true, isInside: true, on: loop) else { return }
            }
        } catch {
            session.parseError(error.message)
        }
    }

    private func confirmPost(_ session: EngineIOSession) {
        _ = session.endPost(self)
        if case .lingering = self.activity { return }
        self.respond(status: .ok, headers: Self.okHeaders, body: .bytes(Self.ok))
    }
}
