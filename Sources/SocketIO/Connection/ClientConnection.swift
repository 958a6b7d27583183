import EngineIO
import EngineIOCore
import NIOCore
import SocketIOCore
import Synchronization
import Tracing

/// One client connection: the sockets of all namespaces that the client has joined over it.
///
/// `@unchecked Sendable`: the stored variables are used inside the gate of the session only, which lets one thing at a time
/// happen to it; ``sockets`` alone is read from elsewhere and has a lock.
public final class ClientConnection: EngineIOSessionHandler, @unchecked Sendable {
    /// The Engine.IO session. Its id is a secret; do not send it to others.
    public let session: EngineIOSession
    let server: SocketIOServer
    // Never used by two at once, as all that the gate protects; checking each access at run time has a price.
    @exclusivity(unchecked) var decoder: PacketDecoder
    /// Reads packets in another form in its place; nil with the default form.
    let formDecoder: (any PacketFormDecoder)?
    let joined = Mutex<JoinedSockets>(JoinedSockets())
    /// The socket of the namespace `/` among them, without the lock.
    var mainSocket: Socket?
    /// Namespaces that are being joined: their middlewares run.
    var joining: Set<String> = []
    /// Their spans, with tracing.
    var connectSpans: [String: any Span] = [:]
    /// Their sockets.
    var joiningSockets: [String: Socket] = [:]
    /// Namespaces of which an event is passing through middlewares, with the packets that have come behind it.
    var passing: [String: [Packet]] = [:]
    /// What has come while too many handlers run, in order, and what all packets cost that wait here or in ``passing``.
    var waiting = WaitingPackets()
    var waitingBytes = 0
    let hasWaiting = Atomic<Bool>(false)
    let isResuming = Atomic<Bool>(false)
    /// Async handlers that are running.
    let runningHandlers = Atomic<Int>(0)
    /// Namespaces that the server has disconnected: what the client had sent before it knew is ignored.
    var left: Set<String> = []
    /// Namespaces in which it was looked for a session of the client.
    var recoveredNamespaces: Set<String> = []
    var isClosing = false
    /// Whether the client speaks protocol 4 of Socket.IO.
    let isVersion4: Bool
    /// Whether events are limited by time.
    let countsEvents: Bool
    /// What limits CONNECT packets by time.
    let connectRate: EventRate?
    /// What sockets that have left have spent of their rates; nil as long as none has.
    var spentRate: EventRate?
    var connectDeadline: UInt64?
    var attachmentsSince: UInt64?
    /// The deadline that the session was given last, until it passes.
    private var armed: UInt64?

    init(session: EngineIOSession, server: SocketIOServer) {
        self.session = session
        self.server = server
        self.isVersion4 = session.protocolVersion == 3
        self.countsEvents = server.configuration.eventRate != nil
        var limits = server.packetLimits
        // The query is counted apart from the name.
        if self.isVersion4 { limits.maxNamespaceLength += QueryParameters.maxBytes }
        self.decoder = PacketDecoder(limits: limits)
        self.formDecoder = server.form?.makeDecoder(server.packetLimits)
        let now = NIODeadline.now().uptimeNanoseconds
        self.connectRate = server.configuration.connectRate.map { EventRate($0, TokenBucket($0.tokens, now: now)) }
        let deadline = now &+ server.configuration.connectTimeout.nanoseconds
        self.connectDeadline = deadline
        self.arm(deadline)
    }

    /// The sockets of this connection, by namespace.
    public var sockets: [String: Socket] {
        self.joined.withLock { joined in
            var all = joined.others
            if let main = joined.main { all["/"] = main }
            return all
        }
    }

    var socketsInOrder: [Socket] { self.joined.withLock { $0.inOrder } }

    // MARK: What the session tells

    public func session(_ session: EngineIOSession, receivedText text: ByteBuffer, on loop: LoopContext) {
        guard !self.isClosing else { return }
        if let decoder = self.formDecoder { return self.receive(text, isBinary: false, decoder, on: loop) }
        do {
            if let packet = try self.decoder.decode(text: text) {
                self.receive(self.isVersion4 ? try self.version5(packet) : packet, on: loop)
            } else if self.decoder.isAwaitingAttachments {
                self.startAttachmentsTimer()
            }
        } catch {
            self.protocolError(error)
        }
    }

    public func session(_ session: EngineIOSession, receivedBinary data: ByteBuffer, on loop: LoopContext) {
        guard !self.isClosing else { return }
        if let decoder = self.formDecoder { return self.receive(data, isBinary: true, decoder, on: loop) }
        do {
            guard let packet = try self.decoder.decode(binary: data) else { return }
            self.attachmentsSince = nil
            self.receive(self.isVersion4 ? try self.version5(packet) : packet, on: loop)
        } catch {
            self.protocolError(error)
        }
    }

    public func sessionClosed(_ session: EngineIOSession, reason: EngineIOCloseReason, on loop: LoopContext) {
        self.closeSockets(DisconnectReason(reason), on: loop)
    }

    public func sessionDeadlinePassed(_ session: EngineIOSession, on loop: LoopContext) {
        self.armed = nil
        guard !self.isClosing else { return }
        let now = NIODeadline.now().uptimeNanoseconds
        if let deadline = self.connectDeadline {
            guard deadline > now else {
                self.server.observation?.metrics?.exceeded(.connectTimeout)
                self.server.logger.debug(
                    "connection closed: no namespace joined in time",
                    metadata: self.metadata(["socketio.limit": "connectTimeout"]))
                return self.closeByServer()
            }
            self.arm(deadline)
        }
        if self.attachmentsSince != nil, self.session.hasWaitingMessages {
            // They may have come and wait here because of a rate.
            self.attachmentsSince = now
        }
        if let since = self.attachmentsSince {
            let deadline = since &+ self.server.configuration.attachmentsTimeout.nanoseconds
            guard deadline > now else {
                self.server.observation?.metrics?.exceeded(.attachmentsTimeout)
                self.server.logger.debug(
                    "connection closed: attachments withheld",
                    metadata: self.metadata(["socketio.limit": "attachmentsTimeout"]))
                return self.protocolError(SocketIOError(.illegalAttachments, "attachments have not come in time"))
            }
            self.arm(deadline)
        }
    }

    /// Has the session call back at `deadline`, unless it will earlier: then the rest is seen to.
    func arm(_ deadline: UInt64) {
        if let armed = self.armed, armed <= deadline { return }
        self.armed = deadline
        self.session.setHandlerDeadline(deadline)
    }

    /// One look at the clock for each packet with attachments; the timer is set for the first and looks for itself later.
    func startAttachmentsTimer() {
        let now = NIODeadline.now().uptimeNanoseconds
        self.attachmentsSince = now
        self.arm(now &+ self.server.configuration.attachmentsTimeout.nanoseconds)
    }
}
