import EngineIOClient
import SocketIOCore

/// What a namespace of a client does: joining, what waits to be sent, acknowledgements, recovery. A value that is told what
/// happened and says what is to be done, in order; it knows no time and no transport.
struct NamespaceState: Sendable {
    enum Phase: Sendable, Equatable {
        /// It is not to be joined.
        case inactive
        /// For a connection, or for the next try of a reconnection's `auth`.
        case waiting
        /// `auth` is being asked for.
        case authenticating
        /// CONNECT was sent.
        case joining
        case connected
    }

    enum Action: Sendable {
        /// ``NamespaceState/authenticated(_:_:)`` is to be called with what `auth` gives, and this number.
        case authenticate(Int)
        /// `auth` is to be asked for again after a while, by ``NamespaceState/opened()``.
        case authenticateLater
        case transmit(EncodedPacket, isEvent: Bool)
        case deliver(Packet)
        case complete(AckCompletion, Result<ArgumentReader, any Error>)
        case startTimer(ackID: Int, Duration)
        case stopTimer(ackID: Int)
        case connected
        case disconnected(Disconnection)
        /// The server, or `auth`, has refused: nothing more is tried.
        case refused(any Error)
        /// Nothing more is tried, for a reason that was told.
        case gaveUp(any Error)
        /// An attempt has failed; another will follow.
        case failed(any Error)
        case report(any Error)
        /// The server breaks the protocol: the connection is to be ended.
        case violation(SocketIOError)
    }

    struct Options: Sendable {
        var namespace: String
        var retries: Int?
        var ackTimeout: Duration?
        var buffer: SocketIOClientConfiguration.OfflineBuffer
        var maxEarlyBytes: Int
    }

    let options: Options
    var phase = Phase.inactive
    private(set) var id: String?
    /// Whether this connection goes on where the last one has ended.
    private(set) var recovered = false
    /// Counts the connections, so that an acknowledgement goes to the one that has asked for it.
    private(set) var session = 0

    private var authNumber = 0
    /// A CONNECT of this connection was not answered yet.
    private var isJoinPending = false
    /// Whether it was connected since it was last asked to.
    private var wasConnected = false
    private var pid: String?
    private var offset: String?
    /// Events that came before the answer to CONNECT.
    private var early: [Packet] = []
    private var earlyBytes = 0

    var buffer: OutgoingBuffer
    var queue: RetryQueue
    var acks: [Int: AckCompletion] = [:]
    /// Largest message that the server takes.
    var maxMessageBytes = Int.max
    /// Whether binary messages are sent as base64 now.
    var usesBase64 = false

    init(_ options: Options) {
        self.options = options
        self.buffer = OutgoingBuffer(options.buffer)
        self.queue = RetryQueue(options.buffer)
    }

    var isActive: Bool { self.phase != .inactive }

    // MARK: Joining

    /// The application wants to be connected.
    mutating func activate(isOpen: Bool) -> [Action] {
        guard self.phase == .inactive else { return [] }
        self.wasConnected = false
        if self.isJoinPending {
            // The server has not said yet what it thinks of the last one; a second is against the protocol.
            self.phase = .joining
            return []
        }
        self.phase = .waiting
        return isOpen ? self.opened() : []
    }

    /// There is a connection.
    mutating func opened() -> [Action] {
        guard self.phase == .waiting else { return [] }
        self.phase = .authenticating
        self.authNumber &+= 1
        return [.authenticate(self.authNumber)]
    }

    /// What `auth` has given.
    mutating func authenticated(_ number: Int, _ auth: Result<SocketIOValue?, any Error>) -> [Action] {
        guard self.phase == .authenticating, number == self.authNumber else { return [] }
        do {
            let packet = try PacketEncoder.connect(
                namespace: self.options.namespace, auth: try self.connectData(try auth.get()))
            self.phase = .joining
            self.isJoinPending = true
            return [.transmit(packet, isEvent: false)]
        } catch {
            let error = SocketIOError(.authFailed, "auth gave nothing to send, the attempt has failed", cause: error)
            if self.wasConnected {
                self.phase = .waiting
                return [.failed(error), .authenticateLater]
            }
            return self.refuse(error)
        }
    }

    /// Nothing more is tried: who waits for an acknowledgement is told so. Events that nobody waits for are kept.
    private mutating func refuse(_ error: any Error) -> [Action] { self.stop(error, .refused(error)) }

    private mutating func stop(_ error: any Error, _ first: Action) -> [Action] {
        self.phase = .inactive
        self.forgetEarly()
        var actions = [first]
        for outgoing in self.buffer.takeAwaited() + self.queue.takeAwaited() {
            let told = SocketIOError(.disconnected, "the client could not connect", cause: error)
            self.fail(outgoing, told, into: &actions)
        }
        return actions
    }

    /// What is known of the session to be recovered, and the members of `auth`, which win.
    private func connectData(_ auth: SocketIOValue?) throws -> SocketIOValue? {
        guard let pid = self.pid else { return auth.flatMap { $0.isNull ? nil : $0 } }
        var data = SocketIOValue.Object()
        data["pid"] = .string(pid)
        if let offset = self.offset { data["offset"] = .string(offset) }
        switch auth {
        case nil, .null: break
        case .object(let members): for (key, value) in members { data[key] = value }
        default: throw SocketIOError(.invalidPayload, "auth must be an object")
        }
        return .object(data)
    }

    // MARK: Packets

    /// A packet has come. Events of a joined namespace do not come here; see ``accept(_:)``.
    mutating func receive(_ packet: Packet) -> [Action] {
        switch packet.type {
        case .connect: return self.answered(packet)
        case .connectError:
            guard self.isJoinPending else { return [] }
            self.isJoinPending = false
            return self.phase == .joining ? self.refuse(Self.refusal(packet)) : []
        case .disconnect:
            let wasConnected = self.phase == .connected
            guard wasConnected || self.phase == .joining else { return [] }
            self.isJoinPending = false
            guard wasConnected else {
                return self.refuse(SocketIOError(.disconnected, "the server has disconnected the client"))
            }
            self.phase = .inactive
            return self.leaveSession(Disconnection(.ioServerDisconnect, error: nil, willReconnect: false))
        case .event, .binaryEvent:
            if self.accept(packet) { return [.deliver(packet)] }
            return self.keepEarly(packet)
        case .ack, .binaryAck:
            guard self.phase == .connected, let id = packet.id else { return [] }
            return self.acknowledged(id, packet.arguments)
        }
    }

    /// Whether an event is to be delivered at once; what recovery needs of it is noted.
    mutating func accept(_ packet: Packet) -> Bool {
        guard self.phase == .connected else { return false }
        self.noteOffset(packet)
        return true
    }

    /// Servers that can recover a session append an offset to each event that asks for no acknowledgement.
    private mutating func noteOffset(_ packet: Packet) {
        guard self.pid != nil, packet.id == nil, let offset = packet.arguments.lastString else { return }
        self.offset = offset
    }

    private mutating func keepEarly(_ packet: Packet) -> [Action] {
        guard self.phase == .joining else { return [] }
        let size = packet.attachments.reduce(packet.payload?.readableBytes ?? 0) { $0 + $1.readableBytes }
        guard size <= self.options.maxEarlyBytes - self.earlyBytes else {
            return [
                .violation(SocketIOError(.limitExceeded, "more than maxEarlyBytes came before the answer to CONNECT"))
            ]
        }
        self.earlyBytes += size
        self.early.append(packet)
        return []
    }

    private mutating func forgetEarly() {
        self.early = []
        self.earlyBytes = 0
    }

    /// The server's answer to CONNECT.
    private mutating func answered(_ packet: Packet) -> [Action] {
        guard self.isJoinPending else { return [] }
        self.isJoinPending = false
        var reader = packet.arguments
        guard !reader.isAtEnd, let answer = try? reader.next(ConnectAnswer.self) else {
            return self.phase == .joining ? self.refuse(Self.oldServer) : []
        }
        guard self.phase == .joining else {
            // It was left before the server had answered.
            return [.transmit(PacketEncoder.disconnect(namespace: self.options.namespace), isEvent: false)]
        }
        self.phase = .connected
        self.wasConnected = true
        self.session &+= 1
        self.id = answer.sid
        self.recovered = answer.pid != nil && answer.pid == self.pid
        if answer.pid != self.pid { self.offset = nil }
        self.pid = answer.pid

        let early = self.early
        self.forgetEarly()
        var actions: [Action] = []
        for packet in early {
            self.noteOffset(packet)
            actions.append(.deliver(packet))
        }
        for outgoing in self.buffer.takeAll() { self.transmit(outgoing, into: &actions) }
        self.sendNext(into: &actions)
        actions.append(.connected)
        return actions
    }

    private struct ConnectAnswer: Decodable {
        var sid: String
        var pid: String?
    }

    private static func refusal(_ packet: Packet) -> ConnectError {
        guard let data = try? packet.connectData() else { return ConnectError("") }
        // Servers of protocol 4 send the bare text.
        return ConnectError(data["message"]?.stringValue ?? data.stringValue ?? "", data: data["data"])
    }

    private static let oldServer = SocketIOError(
        .unsupportedProtocol,
        "the server speaks an older protocol: it is Socket.IO 2 or before; update it, or use a client of its version")

    // MARK: The end

    /// The connection is gone.
    mutating func closed(_ reason: DisconnectReason, _ error: (any Error)?, willReconnect: Bool) -> [Action] {
        self.isJoinPending = false
        self.forgetEarly()
        switch self.phase {
        case .inactive, .waiting: return []
        case .authenticating, .joining:
            self.phase = .waiting
            return [.failed(error ?? SocketIOError(.disconnected, "the connection has ended (\(reason))"))]
        case .connected:
            self.phase = .waiting
            return self.leaveSession(Disconnection(reason, error: error, willReconnect: willReconnect))
        }
    }

    /// There will be no more attempts.
    mutating func gaveUp(_ error: any Error) -> [Action] {
        self.phase == .inactive ? [] : self.stop(error, .gaveUp(error))
    }

    /// The application wants to be disconnected: who waits for anything is told so. Events that nobody waits for are kept for
    /// the next connection.
    mutating func leave() -> [Action] {
        var actions: [Action] = []
        let wasConnected = self.phase == .connected
        self.phase = .inactive
        self.forgetEarly()
        if wasConnected {
            actions.append(
                .transmit(PacketEncoder.disconnect(namespace: self.options.namespace), isEvent: false))
            actions += self.leaveSession(Disconnection(.ioClientDisconnect, error: nil, willReconnect: false))
        }
        for outgoing in self.buffer.takeAwaited() + self.queue.takeAwaited() {
            self.fail(outgoing, Self.disconnected, into: &actions)
        }
        return actions
    }

    /// The client is gone: nothing is kept.
    mutating func release() -> [Action] {
        var actions = self.leave()
        for outgoing in self.buffer.takeAll() + self.queue.takeAll() {
            self.fail(outgoing, nil, into: &actions)
        }
        return actions
    }

    private mutating func leaveSession(_ disconnection: Disconnection) -> [Action] {
        self.id = nil
        self.recovered = false
        var actions: [Action] = [.disconnected(disconnection)]
        self.loseAcks(into: &actions)
        return actions
    }

    static let disconnected = SocketIOError(
        .disconnected, "the connection was lost before the acknowledgement came; the event may have arrived")
}
