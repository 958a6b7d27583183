import EngineIOClient
import EngineIOCore
import Logging
import MessagePack
import NIOCore
import SocketIOCore
import Synchronization

/// A connection to a server, which the clients of several namespaces may share; it comes and goes, the manager stays.
///
/// `@unchecked Sendable`: what is not under a lock or constant is touched on `eventLoop` only.
final class Manager: @unchecked Sendable {
    let settings: ConnectionSettings
    let eventLoop: any EventLoop
    let executor: LoopTaskExecutor
    private let makeEngine: EngineFactory
    private let random: @Sendable () -> Double
    private let engineConfiguration: EngineClientConfiguration
    private let cookies = CookieJar()

    /// What other threads have for the loop, in the order in which they have called.
    private let inbox = Mutex<Inbox>(Inbox())
    /// The namespaces that have a client.
    private let claims = Mutex<Set<String>>([])
    private let currentTransport = Mutex<SocketIOClientConfiguration.Transport?>(nil)

    // On the loop only.
    private(set) var state: ManagerState
    private var namespaces: [String: ClientNamespace] = [:]
    private var attempt: EngineAttempt?
    private var decoder: PacketDecoder
    /// Another form of packets than the default one, its decoder for the connection that is open, and whether that waits for more of
    /// a packet. Nil: the default form.
    private let form: (any PacketForm)?
    private var formDecoder: (any PacketFormDecoder)?
    private var isAwaitingMore = false
    private var timer: LoopTimer?
    private var hasUpgraded = false
    private var needsFlush = false
    /// Engines that were closed and still send what waits.
    private var closingCount = 0
    private var closeWaiters: [@Sendable () -> Void] = []
    /// Who has set it flushes at the end.
    private var isInBatch = false
    /// What the state has said is being done: until it is, who wants the connection is not asked. (The first of several namespaces
    /// to give up would have the others dial again.)
    private var isApplying = false
    /// Largest message that the server takes, as it has said last.
    private(set) var maxPayload = Int.max

    init(
        _ settings: ConnectionSettings,
        makeEngine: @escaping EngineFactory = { EngineConnection($0, cookies: $1, eventLoop: $2, handler: $3) },
        random: @escaping @Sendable () -> Double = { Double.random(in: 0...1) }
    ) {
        self.settings = settings
        self.eventLoop = settings.eventLoop
        self.executor = LoopTaskExecutor(eventLoop: self.eventLoop)
        self.makeEngine = makeEngine
        self.random = random
        self.engineConfiguration = settings.engine()
        self.state = ManagerState(settings.configuration.reconnection)
        self.decoder = PacketDecoder(limits: settings.packetLimits, copiesPendingText: true)
        self.form = settings.configuration.parser.form
    }

    deinit { ManagerRegistry.remove(ObjectIdentifier(self), self.settings.key) }

    var logger: Logger { self.settings.configuration.logger }

    /// The transport of the connection that is open.
    var transport: SocketIOClientConfiguration.Transport? { self.currentTransport.withLock { $0 } }

    // MARK: Namespaces

    /// Takes a namespace for a client; false if it has one.
    func claim(_ namespace: String) -> Bool { self.claims.withLock { $0.insert(namespace).inserted } }

    func unclaim(_ namespace: String) { _ = self.claims.withLock { $0.remove(namespace) } }

    func attach(_ namespace: ClientNamespace) { self.namespaces[namespace.name] = namespace }

    func detach(_ namespace: ClientNamespace) {
        if self.namespaces[namespace.name] === namespace { self.namespaces[namespace.name] = nil }
        self.activityChanged()
    }

    /// A namespace has begun or ceased to want the connection.
    func activityChanged() {
        guard !self.isApplying else { return }
        self.apply(self.state.want(self.namespaces.values.contains { $0.isActive }))
    }

    /// Something has happened.
    func change(_ body: (inout ManagerState) -> [ManagerState.Action]) { self.apply(body(&self.state)) }

    // MARK: Doing what the state says

    func apply(_ actions: [ManagerState.Action]) {
        guard !actions.isEmpty else { return }
        let isOutermost = !self.isApplying
        self.isApplying = true
        self.batch {
            for action in actions { self.apply(action) }
            for namespace in self.inOrder {
                namespace.publishState()
                namespace.endHopelessWaits()
            }
            guard isOutermost else { return }
            self.isApplying = false
            self.activityChanged()
        }
    }

    private func apply(_ action: ManagerState.Action) {
        switch action {
        case .open: self.open()
        case .close:
            self.beginClosing()
            self.giveUpEngine()
        case .cut:
            self.attempt?.engine?.cut()
            self.giveUpEngine()
        case .checkLiveness: self.attempt?.engine?.networkChanged()
        case .startTimer(let delay):
            self.timer?.cancel()
            self.timer = LoopTimer(on: self.eventLoop, in: delay) { [weak self] in
                guard let self else { return }
                self.timer = nil
                self.apply(self.state.delayIsOver())
            }
        case .stopTimer:
            self.timer?.cancel()
            self.timer = nil
        case .opened: for namespace in self.inOrder { namespace.connectionOpened() }
        case .closed(let reason, let error):
            let willReconnect = self.state.phase == .waiting || self.state.phase == .suspended
            for namespace in self.inOrder {
                namespace.connectionClosed(reason, error, willReconnect: willReconnect)
            }
        case .failed(let error): for namespace in self.inOrder { namespace.attemptFailed(error) }
        case .gaveUp(let error): for namespace in self.inOrder { namespace.gaveUp(error) }
        case .reconnectAttempt(let number): self.notify(.reconnectAttempt(number))
        case .reconnectError(let error): self.notify(.reconnectError(error))
        case .reconnected(let attempts): self.notify(.reconnected(attempts))
        case .reconnectFailed: self.notify(.reconnectFailed)
        }
    }

    private var inOrder: [ClientNamespace] { self.namespaces.values.sorted { $0.number < $1.number } }

    private func notify(_ notice: ClientNotice) {
        for namespace in self.inOrder where namespace.isActive { namespace.notify(notice) }
    }

    /// Whether a namespace is joined over the connection.
    var isUsed: Bool { self.namespaces.values.contains { $0.state.phase == .connected } }

    // MARK: The engine

    private func open() {
        self.giveUpEngine()
        self.decoder.reset()
        self.formDecoder = self.form?.makeDecoder(self.settings.packetLimits)
        self.isAwaitingMore = false
        var configuration = self.engineConfiguration
        configuration.hasUpgradedBefore = self.hasUpgraded
        let attempt = EngineAttempt(manager: self)
        self.attempt = attempt
        let engine = self.makeEngine(configuration, self.cookies, self.eventLoop, attempt)
        attempt.engine = engine
        engine.open()
    }

    /// The engine goes on with what waits to be sent after it was given up.
    private func beginClosing() {
        guard let attempt = self.attempt, let engine = attempt.engine else { return }
        self.closingCount += 1
        attempt.onEnd = { [weak self] in self?.endClosing() }
        engine.close()
    }

    private func endClosing() {
        self.closingCount -= 1
        guard self.closingCount == 0 else { return }
        let waiters = self.closeWaiters
        self.closeWaiters = []
        for waiter in waiters { waiter() }
    }

    /// Calls `body` when no connection that was closed has anything to send any more.
    func whenClosed(_ body: @escaping @Sendable () -> Void) {
        if self.closingCount == 0 { body() } else { self.closeWaiters.append(body) }
    }

    private func giveUpEngine() {
        if let engine = self.attempt?.engine { self.hasUpgraded = engine.didUpgrade }
        self.attempt?.giveUp()
        self.attempt = nil
        self.needsFlush = false
        self.currentTransport.withLock { $0 = nil }
    }

    func engineOpened(_ handshake: Handshake) {
        self.noteTransport()
        self.maxPayload = handshake.maxPayload
        self.apply(self.state.opened())
    }

    func engineUpgraded() {
        self.hasUpgraded = true
        self.noteTransport()
        for namespace in self.namespaces.values { namespace.transportChanged() }
        self.notify(.upgraded)
    }

    private func noteTransport() {
        let transport = self.attempt?.engine?.transport
        self.currentTransport.withLock { $0 = transport.map { $0 == .polling ? .polling : .websocket } }
    }

    func enginePinged() { self.notify(.ping) }

    func engineClosed(_ end: EngineEnd) {
        var error: (any Error)? = end.error
        if self.decoder.isAwaitingAttachments || self.isAwaitingMore {
            error = SocketIOError(
                .incompletePacket, "the connection has ended in the middle of a packet; the packet is lost",
                cause: end.error)
        }
        self.giveUpEngine()
        self.apply(self.state.ended(DisconnectReason(rawValue: end.reason), error, random: self.random()))
    }

    func engineReceived(text: ByteBuffer) {
        if let decoder = self.formDecoder { return self.receive(text, isBinary: false, decoder) }
        do throws(SocketIOError) {
            if let packet = try self.decoder.decode(text: text) { self.receive(packet) }
        } catch {
            self.violated(error)
        }
    }

    func engineReceived(binary: ByteBuffer) {
        if let decoder = self.formDecoder { return self.receive(binary.compacted, isBinary: true, decoder) }
        do throws(SocketIOError) {
            // Attachments often outlive the read whose bytes they share.
            if let packet = try self.decoder.decode(binary: binary.compacted) { self.receive(packet) }
        } catch {
            self.violated(error)
        }
    }

    private func receive(_ message: ByteBuffer, isBinary: Bool, _ decoder: any PacketFormDecoder) {
        do throws(SocketIOError) {
            let packet = try decoder.decode(message, isBinary: isBinary)
            self.isAwaitingMore = packet == nil
            if let packet { self.receive(packet) }
        } catch {
            self.violated(error)
        }
    }

    private func receive(_ packet: Packet) { self.namespaces[packet.namespace]?.receive(packet) }

    /// The server breaks the protocol, or does what this side can't bear: the connection ends, and may be tried again.
    func violated(_ error: SocketIOError, reason: DisconnectReason = .parseError) {
        guard let engine = self.attempt?.engine else { return }
        engine.close()
        self.giveUpEngine()
        self.apply(self.state.ended(reason, error, random: self.random()))
    }

    // MARK: Sending

    var isWritable: Bool { self.attempt?.engine?.isWritable ?? false }

    /// Hands a packet to the engine; it leaves at the end of the batch.
    func transmit(_ packet: EncodedPacket) {
        guard let engine = self.attempt?.engine else { return }
        var packet = packet
        if let form = self.form {
            // Whoever sends events has tried it before.
            do { packet = try form.encode(frames: packet.frames) } catch { return self.violated(error) }
        }
        packet.forEachMessage { isBinary, message in
            if isBinary { engine.send(binary: message) } else { engine.send(text: message) }
        }
        if !self.needsFlush {
            self.needsFlush = true
            // What is sent outside a batch leaves with whatever else this turn of the loop brings.
            if !self.isInBatch { self.eventLoop.execute { self.flushIfNeeded() } }
        }
    }

    /// Has what `body` sends leave together.
    private func batch(_ body: () -> Void) {
        guard !self.isInBatch else { return body() }
        self.isInBatch = true
        body()
        self.isInBatch = false
        self.flushIfNeeded()
    }

    private func flushIfNeeded() {
        guard self.needsFlush else { return }
        self.needsFlush = false
        self.attempt?.engine?.flush()
    }

    // MARK: The inbox

    private struct Inbox: Sendable {
        var commands: [Command] = []
        var bytes = 0
    }

    enum Command: Sendable {
        case send(ClientNamespace, Outgoing)
        case ack(ClientNamespace, EncodedPacket, session: Int)
        case run(@Sendable () -> Void)
    }

    /// Has something done on the loop, after what this thread has asked for before. False if too much waits already.
    func enqueue(_ command: Command, bytes: Int = 0) -> Bool {
        let (isAccepted, isFirst) = self.inbox.withLock { inbox in
            guard bytes == 0 || inbox.bytes <= self.settings.configuration.maxOutboundBytes else {
                return (false, false)
            }
            inbox.commands.append(command)
            inbox.bytes &+= bytes
            return (true, inbox.commands.count == 1)
        }
        if isFirst { self.eventLoop.execute { self.takeInbox() } }
        return isAccepted
    }

    func execute(_ body: @escaping @Sendable () -> Void) { _ = self.enqueue(.run(body)) }

    func takeInbox() {
        var commands: [Command] = []
        self.inbox.withLock { inbox in
            swap(&commands, &inbox.commands)
            inbox.bytes = 0
        }
        self.batch {
            var actions: [NamespaceState.Action] = []
            for command in commands {
                switch command {
                case .send(let namespace, let outgoing): namespace.send(outgoing, using: &actions)
                case .ack(let namespace, let packet, let session): namespace.sendAck(packet, session: session)
                case .run(let body): body()
                }
            }
        }
    }
}
