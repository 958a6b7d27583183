import EngineIOCore
import NIOCore
import NIOHTTP1

/// The requests of one HTTP connection, answered one at a time; one of them may turn it into a WebSocket. How the requests come
/// and the answers leave is its transport's matter.
///
/// While a GET waits for packets the connection is still read, so that its end is noticed at once.
final class HTTPHandler: SessionEndpoint, @unchecked Sendable {
    enum Activity {
        /// Between two requests.
        case idle
        /// The body of a request is being received.
        case receiving(Target)
        /// Somebody is asked about the request; the answer comes later.
        case waiting
        /// A GET waits for packets.
        case polling(EngineIOSession)
        /// A POST's packets are being handled by another connection's turn.
        case posting(EngineIOSession)
        /// The last answer was given; what still comes is thrown away.
        case lingering
        case upgraded
    }

    enum Target {
        case post(EngineIOSession)
        case engine
        case fallback
        /// Another path, for which nobody answers.
        case unknown
    }

    let server: EngineIOServer
    /// nil once the connection has ended or belongs to a WebSocket.
    var transport: (any HTTPTransport)?
    var activity = Activity.idle
    var head: RequestHead?
    var body = ByteBuffer()
    private(set) var mustClose = false
    /// Counts requests, so that an answer that comes too late is known.
    var serial = 0
    /// The first response of the session that this request has opened gets the initial headers.
    var isHandshake = false
    /// The connection is being closed; with TLS that takes a while.
    private var isCut = false
    private var deadline = UInt64.max
    /// In the wheel of the loop; void once the connection has ended or is a WebSocket's.
    private var ticket = WheelTicket()
    /// Asks the application about the request.
    var decision: Task<Void, Never>?
    /// Sessions opened over this connection.
    private var handshakes = 0

    init(server: EngineIOServer, loop: LoopContext) {
        self.server = server
        super.init(loop: loop)
    }

    func begin(_ transport: any HTTPTransport) {
        self.transport = transport
        self.ticket.hold(self)
        self.restartDeadline()
    }

    /// No request is under way, and the next one may be another server's: begins anew with that of ours.
    func rest() {
        self.transport = nil
        self.deadline = .max
        self.ticket.void()
        self.ticket = WheelTicket()
    }

    func transportEnded() {
        self.transport = nil
        self.ticket.void()
        self.endRead()
    }

    // MARK: Requests

    /// Whether the next part of a request may be given.
    var isReceiving: Bool {
        switch self.activity {
        case .idle, .receiving: self.transport != nil && !self.isCut
        case .waiting, .polling, .posting, .lingering, .upgraded: false
        }
    }

    /// Whether nothing more will be read.
    var isFinished: Bool {
        switch self.activity {
        case .lingering, .upgraded: true
        case .idle, .receiving, .waiting, .polling, .posting: self.transport == nil || self.isCut
        }
    }

    /// A request begins.
    func receive(_ head: RequestHead) {
        guard case .idle = self.activity, let transport = self.transport else { return }
        guard transport.isWritable else {
            // Nobody asks for more before the last answer was read; who does could fill our memory with answers.
            self.server.logger.debug("connection closed: requests without an end, and their answers are not read")
            return self.cut()
        }
        self.serial += 1
        self.head = head
        // What follows a request for another protocol may not be HTTP.
        self.mustClose = !head.isKeepAlive || head.method == .connect || head.facts.contains(.hasUpgrade)
        self.isHandshake = false
        self.restartDeadline()
        guard let target = self.target(of: head) else { return }
        self.activity = .receiving(target)
        self.invite(head)
    }

    /// A client that asks before it sends a body is told to go on.
    private func invite(_ head: RequestHead) {
        // One that is not looked at is invited too: without it the request comes to no end.
        if head.facts.contains(.expectsContinue), !head.isHTTP10 { self.transport?.inviteBody() }
    }

    /// A part of its body.
    func receive(_ bytes: ByteBuffer) {
        guard case .receiving(let target) = self.activity else { return }
        switch target {
        case .engine, .unknown:
            // Nothing but a POST has a body that counts.
            return
        case .post, .fallback:
            if self.body.readableBytes + bytes.readableBytes > self.server.configuration.maxPayload {
                return self.refuseBody(target)
            }
            if self.body.readableBytes == 0 {
                self.body = bytes
            } else {
                self.body.writeImmutableBuffer(bytes)
            }
        }
    }

    /// It is complete.
    func receiveEnd() {
        guard case .receiving(let target) = self.activity, let head = self.head else { return }
        switch target {
        case .engine: self.route(head)
        case .post(let session): self.post(session)
        case .fallback: self.answerByFallback(head)
        case .unknown: self.respond(.notFound)
        }
    }

    /// What has come is no request.
    func fail(_ error: HTTPRequestError) {
        self.server.metrics?.rejected(.malformed)
        self.server.logger.debug("request refused: malformed", metadata: ["socketio.error": "\(error)"])
        let activity = self.activity
        self.transport?.send(
            HTTPResponse(
                status: HTTPResponseStatus(statusCode: error.status), headers: ["connection": "close"], body: .empty))
        self.linger()
        if case .receiving(.post(let session)) = activity, session.endPost(self) {
            session.end(reason: .transportError, .close)
        }
    }

    /// More was pipelined behind a request that waits than is kept.
    func overflow() {
        self.server.logger.debug("connection closed: too much was pipelined")
        self.cut()
    }

    /// Ends the connection without an answer; what is to follow happens when the channel has ended.
    private func cut() {
        self.isCut = true
        self.transport?.close()
    }

    // MARK: Answers

    /// Ends the present request's turn after its answer has been written.
    func finishRequest() {
        // The answer may have met the end of the connection: then nothing more is served on it.
        guard let transport = self.transport, !self.isCut else { return }
        if self.mustClose { return self.linger() }
        self.head = nil
        self.body = ByteBuffer()
        self.activity = .idle
        self.restartDeadline()
        transport.resume()
    }

    /// Ends the connection after an answer, although more may come from the client: what comes is read and thrown away for
    /// some time, since closing at once would reset the connection and could destroy the answer on its way.
    func linger() {
        guard let transport = self.transport else { return }
        self.activity = .lingering
        self.restartDeadline()
        transport.closeOutput {
            self.deadline = NIODeadline.now().uptimeNanoseconds &+ 2_000_000_000
            self.loop.wake(self.ticket, at: self.deadline)
        }
    }

    /// Notes that this connection opens a session. After some it is closed with the answer: a limit on connections is then one
    /// on sessions too.
    func countHandshake() {
        self.handshakes += 1
        if self.handshakes >= 16 { self.mustClose = true }
    }

    private func restartDeadline() {
        let isArmed = self.deadline != .max
        self.deadline = NIODeadline.now().uptimeNanoseconds &+ self.server.requestTimeout
        if !isArmed { self.loop.wake(self.ticket, at: self.deadline) }
    }

    /// The connection is a WebSocket from now on.
    func upgraded() {
        self.activity = .upgraded
        self.deadline = .max
        self.transport = nil
        self.ticket.void()
    }

    // MARK: The session's calls

    override func drain(_ session: EngineIOSession) {
        guard case .polling(let current) = self.activity, current === session else { return }
        self.answerPoll(session)
    }

    override func sessionEnded(_ end: SessionEnd) {
        switch self.activity {
        case .polling:
            switch end {
            case .noop: self.respond(payload: "6")
            case .close, .code: self.respond(payload: "1")
            case .cut: self.cut()
            }
        case .receiving, .posting:
            self.activity = .lingering
            self.cut()
        case .idle, .waiting, .lingering, .upgraded:
            break
        }
    }

    // MARK: The end of the connection

    func connectionEnded() {
        let activity = self.activity
        self.activity = .lingering
        self.isCut = true
        self.decision?.cancel()
        switch activity {
        case .polling(let session):
            if session.endPoll(self) {
                self.server.logger.debug("poll connection closed prematurely", metadata: session.metadata())
                session.end(reason: .transportError, .cut)
            }
        case .receiving(.post(let session)), .posting(let session):
            if session.endPost(self) {
                self.server.logger.debug("data request connection closed prematurely", metadata: session.metadata())
                session.end(reason: .transportError, .close)
            }
        case .receiving, .idle, .waiting, .lingering, .upgraded: break
        }
        self.endRead()
    }
}

extension HTTPHandler: WheelClient {
    func wheelFired(now: UInt64) -> UInt64? {
        guard self.deadline != .max, self.transport != nil else { return nil }
        guard self.deadline <= now else { return self.deadline }
        switch self.activity {
        case .polling, .posting:
            // The session has its own timers.
            self.deadline = now &+ self.server.requestTimeout
            return self.deadline
        case .waiting:
            self.server.metrics?.rejected(.noAnswer)
            self.server.metrics?.exceeded(.requestTimeout)
            self.server.logger.warning(
                "request refused: the application has not answered", metadata: ["socketio.limit": "requestTimeout"])
            self.deadline = now &+ self.server.requestTimeout
            self.decision?.cancel()
            self.respond(status: .serviceUnavailable, closing: true)
            return self.deadline
        case .receiving(.post(let session)):
            self.server.metrics?.exceeded(.requestTimeout)
            self.server.logger.debug(
                "connection closed: a request took too long", metadata: ["socketio.limit": "requestTimeout"])
            if session.endPost(self) { session.end(reason: .transportError, .close) }
        case .idle, .receiving, .lingering: break
        case .upgraded: return nil
        }
        self.cut()
        return nil
    }
}
