import EngineIO
import EngineIOCore
import NIOCore
import SocketIOCore
import Synchronization

/// One client connection: the sockets of all namespaces that the client has joined over it.
///
/// `@unchecked Sendable`: the stored variables are used inside the gate of the session only, which lets one thing at a time
/// happen to it; ``sockets`` alone is read from elsewhere and has a lock.
public final class ClientConnection: EngineIOSessionHandler, @unchecked Sendable {
    /// The Engine.IO session. Its id is a secret; do not send it to others.
    public let session: EngineIOSession
    private let server: SocketIOServer
    private var decoder: PacketDecoder
    private let joined = Mutex<Joined>(Joined())
    /// Namespaces that are being joined: their middlewares run.
    private var joining: Set<String> = []
    /// Their sockets.
    private var joiningSockets: [String: Socket] = [:]
    /// Namespaces of which an event is passing through middlewares, with the packets that have come behind it.
    private var passing: [String: [Packet]] = [:]
    /// Async handlers that are running.
    private let runningHandlers = Atomic<Int>(0)
    /// Namespaces that the server has disconnected: what the client had sent before it knew is ignored.
    private var left: Set<String> = []
    private var isClosing = false
    private var connectDeadline: UInt64?
    private var attachmentsSince: UInt64?
    /// The deadline that the session was given last, until it passes.
    private var armed: UInt64?

    private struct Joined {
        /// The socket of the namespace `/`, which is looked up most.
        var main: Socket?
        var others: [String: Socket] = [:]
        /// All of them in the order in which they were joined, which is that of their ends.
        var inOrder: [Socket] = []

        subscript(namespace: String) -> Socket? { namespace == "/" ? self.main : self.others[namespace] }

        mutating func add(_ socket: Socket) {
            let name = socket.namespace.name
            if name == "/" { self.main = socket } else { self.others[name] = socket }
            self.inOrder.append(socket)
        }

        mutating func remove(_ socket: Socket) -> Bool {
            let name = socket.namespace.name
            guard self[name] === socket else { return false }
            if name == "/" { self.main = nil } else { self.others[name] = nil }
            self.inOrder.removeAll { $0 === socket }
            return true
        }
    }

    init(session: EngineIOSession, server: SocketIOServer) {
        self.session = session
        self.server = server
        self.decoder = PacketDecoder(limits: server.packetLimits)
        let deadline = NIODeadline.now().uptimeNanoseconds &+ server.configuration.connectTimeout.nanoseconds
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

    private var socketsInOrder: [Socket] { self.joined.withLock { $0.inOrder } }

    // MARK: What the session tells

    public func session(_ session: EngineIOSession, receivedText text: ByteBuffer, on loop: LoopContext) {
        guard !self.isClosing else { return }
        do {
            if let packet = try self.decoder.decode(text: text) {
                self.receive(packet, on: loop)
            } else if self.decoder.isAwaitingAttachments {
                self.startAttachmentsTimer()
            }
        } catch {
            self.protocolError(error)
        }
    }

    public func session(_ session: EngineIOSession, receivedBinary data: ByteBuffer, on loop: LoopContext) {
        guard !self.isClosing else { return }
        do {
            guard let packet = try self.decoder.decode(binary: data) else { return }
            self.attachmentsSince = nil
            self.receive(packet, on: loop)
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
                self.server.logger.debug(
                    "connection closed: no namespace joined in time", metadata: ["socketio.limit": "connectTimeout"])
                return self.closeByServer()
            }
            self.arm(deadline)
        }
        if let since = self.attachmentsSince {
            let deadline = since &+ self.server.configuration.attachmentsTimeout.nanoseconds
            guard deadline > now else {
                self.server.logger.debug(
                    "connection closed: attachments withheld", metadata: ["socketio.limit": "attachmentsTimeout"])
                return self.protocolError(SocketIOError(.illegalAttachments, "attachments have not come in time"))
            }
            self.arm(deadline)
        }
    }

    /// Has the session call back at `deadline`, unless it will earlier: then the rest is seen to.
    private func arm(_ deadline: UInt64) {
        if let armed = self.armed, armed <= deadline { return }
        self.armed = deadline
        self.session.setHandlerDeadline(deadline)
    }

    /// One look at the clock for each packet with attachments; the timer is set for the first and looks for itself later.
    private func startAttachmentsTimer() {
        let now = NIODeadline.now().uptimeNanoseconds
        self.attachmentsSince = now
        self.arm(now &+ self.server.configuration.attachmentsTimeout.nanoseconds)
    }

    // MARK: Packets

    private func receive(_ packet: Packet, on loop: LoopContext) {
        if !self.passing.isEmpty, self.waits(packet) { return }
        let socket = self.joined.withLock { $0[packet.namespace] }
        guard let socket else { return self.receiveWithoutSocket(packet, on: loop) }
        switch packet.type {
        case .event, .binaryEvent:
            socket.receive(packet.eventName, packet.arguments, ackID: packet.id, on: loop)
        case .ack, .binaryAck:
            if let id = packet.id { socket.receiveAck(id, packet.arguments) }
        case .disconnect:
            if socket.beginDisconnect() { socket.finishDisconnect(.clientNamespaceDisconnect, on: loop) }
            self.left.remove(packet.namespace)
        case .connect where socket.disconnected:
            // Left by both sides at the same time, and the server's handlers are still to be called: it is joined after them.
            self.session.enqueue { loop in
                if !self.isClosing { self.receive(packet, on: loop) }
            }
        case .connect, .connectError:
            self.violation("\(packet.type) for a namespace that is joined")
        }
    }

    /// Keeps a packet back that must not overtake an event which is passing through middlewares. Acknowledgements go on: a
    /// middleware may be waiting for one.
    private func waits(_ packet: Packet) -> Bool {
        guard let count = self.passing[packet.namespace]?.count else { return false }
        switch packet.type {
        case .ack, .binaryAck: return false
        default: break
        }
        if count >= self.server.configuration.maxRunningHandlers {
            self.overload()
        } else {
            self.passing[packet.namespace]?.append(packet)
        }
        return true
    }

    /// An event of this namespace begins to pass through middlewares; called inside the gate.
    func beginPassing(_ namespace: String) { self.passing[namespace] = [] }

    /// It has passed: what has come behind it follows.
    func endPassing(_ namespace: String, on loop: LoopContext) {
        var packets = (self.passing.removeValue(forKey: namespace) ?? [])[...]
        while let packet = packets.popFirst() {
            if self.isClosing { return }
            self.receive(packet, on: loop)
            // The next one has begun to pass: the rest stays behind it.
            if self.passing[namespace] != nil { return self.passing[namespace, default: []] += packets }
        }
    }

    /// Counts an async handler; returns false, and the connection is closed, when too many are running.
    func beginHandler() -> Bool {
        let count = self.runningHandlers.wrappingAdd(1, ordering: .relaxed).newValue
        guard count > self.server.configuration.maxRunningHandlers else { return true }
        self.endHandler()
        self.session.enqueue { _ in self.overload() }
        return false
    }

    func endHandler() { self.runningHandlers.wrappingSubtract(1, ordering: .relaxed) }

    private func overload() {
        guard !self.isClosing else { return }
        self.server.logger.info(
            "connection closed: its events come faster than they are handled",
            metadata: ["socketio.limit": "maxRunningHandlers"]
        )
        self.closeByServer()
    }

    private func receiveWithoutSocket(_ packet: Packet, on loop: LoopContext) {
        let namespace = packet.namespace
        if packet.type == .connect, !self.joining.contains(namespace) {
            self.left.remove(namespace)
            return self.connect(packet, on: loop)
        }
        if self.left.contains(namespace), packet.type != .connectError { return }
        self.violation("\(packet.type) for a namespace that is not joined")
    }

    private func violation(_ what: String) {
        self.server.logger.debug("connection closed: \(what)")
        self.closeByServer()
    }

    private func protocolError(_ error: any Error) {
        self.server.logger.debug("connection closed: invalid packet", metadata: ["socketio.error": "\(error)"])
        for socket in self.socketsInOrder { socket.tellError(error) }
        self.closeByServer()
    }

    /// Closes the connection because of what the client did.
    private func closeByServer() {
        guard !self.isClosing else { return }
        self.isClosing = true
        self.decoder.reset()
        if !self.session.close() {
            // The transport waits for the client's next poll; the sockets do not.
            self.session.enqueue { loop in self.closeSockets(.forcedServerClose, on: loop) }
        }
    }

    private func closeSockets(_ reason: DisconnectReason, on loop: LoopContext) {
        self.isClosing = true
        self.decoder.reset()
        self.server.remove(self)
        self.passing = [:]
        // Those whose middlewares still run: what they wait for will not come.
        for socket in self.joiningSockets.values { socket.refuse() }
        self.joiningSockets = [:]
        for socket in self.socketsInOrder where socket.beginDisconnect() { socket.finishDisconnect(reason, on: loop) }
    }

    // MARK: Joining

    private func connect(_ packet: Packet, on loop: LoopContext) {
        let name = packet.namespace
        let auth: SocketIOValue
        do { auth = try packet.connectData() } catch { return self.protocolError(error) }
        let count = self.joined.withLock { $0.inOrder.count } + self.joining.count
        guard count < self.server.configuration.maxNamespacesPerConnection else {
            self.server.logger.debug(
                "namespace refused", metadata: ["socketio.limit": "maxNamespacesPerConnection"])
            return self.refuse(name, ConnectError("Too many namespaces"))
        }
        self.joining.insert(name)
        if let namespace = self.server.claimNamespace(name) { return self.join(namespace, auth, on: loop) }
        let parents = self.server.parents
        guard !parents.isEmpty else { return self.refuse(name, ConnectError.invalidNamespace) }
        startTask(on: loop.executor) {
            var admitting: ParentNamespace?
            for parent in parents where admitting == nil {
                if await parent.admits(name, auth) { admitting = parent }
            }
            let parent = admitting
            self.session.enqueue { loop in
                guard !self.isClosing else { return }
                guard let parent else { return self.refuse(name, ConnectError.invalidNamespace) }
                guard let namespace = self.server.claimChild(name, of: parent) else {
                    return self.refuse(name, ConnectError("Too many namespaces"))
                }
                self.join(namespace, auth, on: loop)
            }
        }
    }

    private func join(_ namespace: Namespace, _ auth: SocketIOValue, on loop: LoopContext) {
        guard !self.isClosing else { return namespace.unclaim() }
        guard namespace.isReady else {
            // Another client is having it made right now.
            return startTask(on: loop.executor) {
                await Task.yield()
                self.session.enqueue { loop in self.join(namespace, auth, on: loop) }
            }
        }
        let socket = Socket(
            id: SessionID.random(),
            namespace: namespace,
            connection: self,
            handshake: Handshake(self.session.request, auth: auth)
        )
        let middlewares = namespace.middlewares
        guard !middlewares.isEmpty else { return self.finishJoin(socket, nil, on: loop) }
        self.joiningSockets[namespace.name] = socket
        startTask(on: loop.executor) {
            var refusal: (any Error)?
            do {
                for middleware in middlewares { try await middleware(socket) }
            } catch {
                refusal = error
            }
            let error = refusal
            self.session.enqueue { loop in self.finishJoin(socket, error, on: loop) }
        }
    }

    private func finishJoin(_ socket: Socket, _ error: (any Error)?, on loop: LoopContext) {
        let namespace = socket.namespace
        self.joining.remove(namespace.name)
        self.joiningSockets[namespace.name] = nil
        guard !self.isClosing else {
            socket.refuse()
            return namespace.unclaim()
        }
        if let error {
            socket.refuse()
            namespace.unclaim()
            if !(error is ConnectError) { namespace.report(error, socket: socket) }
            return self.refuse(namespace.name, error as? ConnectError ?? ConnectError("Connection refused"))
        }
        self.connectDeadline = nil
        self.joined.withLock { $0.add(socket) }
        let connect = PacketEncoder.connect(namespace: namespace.name, sid: socket.id, pid: nil)
        var staged: EngineIOSession.StagedSend?
        let fits = namespace.local.add(socket) {
            // Under the lock of the namespace: the consequences come after it.
            staged = self.session.stage(frames: connect.frames)
            return socket.state.withLock { state in
                state.phase = .connected
                defer { state.earlyRooms = [] }
                return state.earlyRooms
            }
        }
        if let staged { self.session.complete(staged) }
        if !fits { socket.report(Socket.tooManyRooms) }
        namespace.unclaim()
        namespace.callConnectionHandlers(socket, on: loop)
    }

    private func refuse(_ namespace: String, _ error: ConnectError) {
        self.joining.remove(namespace)
        do {
            let packet = try PacketEncoder.connectError(
                namespace: namespace, message: error.message, data: error.data)
            self.session.send(frames: packet.frames)
        } catch {
            // Data that can't be sent is left out; the refusal is not.
            self.server.main.report(error, socket: nil)
            self.refuse(namespace, ConnectError("Connection refused"))
        }
    }

    // MARK: Leaving

    func remove(_ socket: Socket) {
        let isCurrent = self.joined.withLock { $0.remove(socket) }
        if isCurrent, self.left.count < 1024 { self.left.insert(socket.namespace.name) }
    }

    /// Leaves all namespaces, then closes the connection.
    func disconnectAll() {
        let sockets = self.socketsInOrder.filter { $0.beginDisconnect() }
        for socket in sockets {
            self.session.send(frames: PacketEncoder.disconnect(namespace: socket.namespace.name).frames)
        }
        self.session.enqueue { loop in
            for socket in sockets { socket.finishDisconnect(.serverNamespaceDisconnect, on: loop) }
            self.isClosing = true
        }
        self.session.close()
    }

    /// The server is being closed: the sockets are told, then the connection ends.
    func shutDown() {
        self.session.enqueue { loop in
            self.closeSockets(.serverShuttingDown, on: loop)
            self.session.close()
        }
    }
}

/// Refuses a client that wants to join a namespace: the client gets `connect_error` with this message and data. Thrown by
/// middlewares.
public struct ConnectError: Error, Sendable {
    public var message: String
    public var data: SocketIOValue?

    public init(_ message: String, data: SocketIOValue? = nil) {
        self.message = message
        self.data = data
    }

    static let invalidNamespace = ConnectError("Invalid namespace")
}
