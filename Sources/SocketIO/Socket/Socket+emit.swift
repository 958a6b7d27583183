import EngineIO
import NIOCore
import SocketIOCore

extension Socket: EventEmitting {
    /// Sends an event. It never waits; what can't be sent is reported to the error hook: a reserved name, an argument that
    /// can't be encoded. After the disconnection nothing is sent, unless the client may come back: then it gets the event if it
    /// does so in time (``ConnectionStateRecovery``).
    public func emit<each A: Encodable>(_ event: String, _ arguments: repeat each A) {
        self.emit(event, isVolatile: false, repeat each arguments)
    }

    /// An event that takes the place of the last one with this key, if that still waits.
    func emit<each A: Encodable>(_ event: String, key: String, isVolatile: Bool, _ arguments: repeat each A) {
        // Its client may come back for each of them.
        guard self.namespace.local.recovery == nil else {
            return self.emit(event, isVolatile: isVolatile, repeat each arguments)
        }
        do {
            let packet = try PacketEncoder.event(event, namespace: self.namespace.name, repeat each arguments)
            if self.hasOutgoingListeners.load(ordering: .relaxed) { self.tellOutgoing(packet) }
            guard !self.isGone.load(ordering: .relaxed) else { return }
            if let form = self.namespace.local.form {
                return self.send(packet, isVolatile: isVolatile, key: self.outboxKey(key), as: form)
            }
            self.note(self.session.send(frames: packet.frames, isVolatile: isVolatile, key: self.outboxKey(key)))
        } catch {
            self.report(error, event: event)
        }
    }

    /// Keys are those of a socket: its connection may have others.
    private func outboxKey(_ key: String) -> String {
        self.namespace.name == "/" ? key : self.namespace.name + "," + key
    }

    func emit<each A: Encodable>(_ event: String, isVolatile: Bool, _ arguments: repeat each A) {
        let recovery = self.namespace.local.recovery
        let here = recovery == nil ? LoopContext.current : nil
        do {
            let packet = try PacketEncoder.event(
                event, namespace: self.namespace.name, scratch: here?.takeScratch(), repeat each arguments)
            if let recovery, !isVolatile { return self.emitKept(packet, event, recovery) }
            if let recovery, packet.endsInText {
                let broadcast = BroadcastPacket(event: event, encoded: packet)
                return self.namespace.local.emitUnkept(broadcast, to: self, isVolatile: isVolatile, recovery)
            }
            self.send(packet, isVolatile: isVolatile, on: here)
        } catch {
            self.report(error, event: event)
        }
    }

    /// Sends an event with any number of arguments.
    public func emit(_ event: String, arguments: [SocketIOValue]) {
        do {
            let packet = try PacketEncoder.event(event, namespace: self.namespace.name, id: nil, values: arguments)
            if let recovery = self.namespace.local.recovery { return self.emitKept(packet, event, recovery) }
            self.send(packet)
        } catch {
            self.report(error, event: event)
        }
    }

    /// Sends the event `message`.
    public func send<each A: Encodable>(_ arguments: repeat each A) { self.emit("message", repeat each arguments) }

    /// For the next event only: it is dropped if the client can't be written to right now.
    public var volatile: SocketEmitter { SocketEmitter(socket: self, isVolatile: true) }

    /// For the next event: an earlier one with the same key that still waits for the client is dropped; see ``SocketEmitter/conflating(_:)``.
    public func conflating(_ key: String) -> SocketEmitter { SocketEmitter(socket: self).conflating(key) }

    /// Suspends until the client has room: until at most `bytes` wait for it to read them. Who sends a client much calls this in front
    /// of each part; what waits then never exceeds `bytes` by more than a part.
    ///
    /// - Throws: ``SocketIOError`` with code `disconnected`; `CancellationError` when the task is cancelled.
    public func ready(below bytes: Int = 64 << 10) async throws {
        guard !self.isGone.load(ordering: .relaxed) else { throw Self.isDisconnected }
        do { try await self.session.ready(below: bytes) } catch is EngineIOSessionClosedError {
            throw Self.isDisconnected
        }
        guard !self.isGone.load(ordering: .relaxed) else { throw Self.isDisconnected }
    }

    /// For the next event: whether it is to be compressed. Kept for servers of a cluster that compress; this one does not.
    public func compress(_ isWanted: Bool) -> SocketEmitter { SocketEmitter(socket: self) }

    /// For the next event: how long its acknowledgement may take.
    public func timeout(_ timeout: Duration) -> SocketEmitter { SocketEmitter(socket: self, timeout: timeout) }

    /// Sends to all sockets of the namespace but this one.
    public var broadcast: BroadcastOperator {
        var target = BroadcastTarget(except: [Room(self.id)])
        target.flags.broadcast = true
        return BroadcastOperator(scope: .namespace(self.namespace), target: target)
    }

    /// Sends to the sockets in these rooms but this one.
    public func to(_ rooms: Room...) -> BroadcastOperator { self.broadcast.to(rooms) }

    /// As ``to(_:)``.
    public func `in`(_ rooms: Room...) -> BroadcastOperator { self.broadcast.to(rooms) }

    /// Sends to all sockets of the namespace but this one and those in these rooms.
    public func except(_ rooms: Room...) -> BroadcastOperator { self.broadcast.except(rooms) }

    // MARK: The way out

    /// - Parameter here: the context of the loop on whose thread this is called, if the packet lies in its scratch storage.
    func send(_ packet: EncodedPacket, isVolatile: Bool = false, on here: LoopContext? = nil) {
        if self.hasOutgoingListeners.load(ordering: .relaxed) { self.tellOutgoing(packet) }
        guard !self.isGone.load(ordering: .relaxed) else { return }
        if let form = self.namespace.local.form {
            self.send(packet, isVolatile: isVolatile, as: form)
            here?.giveBack(scratch: packet.frames)
            return
        }
        guard let here, packet.frames.readableBytes <= LoopContext.maxCopiedBytes else {
            return self.note(self.session.send(frames: packet.frames, isVolatile: isVolatile))
        }
        self.note(self.session.send(copying: packet.frames, isVolatile: isVolatile, on: here))
        here.giveBack(scratch: packet.frames)
    }

    /// An outbox that is full ends the session, and the application hears of it.
    func note(_ result: EngineIOSession.SendResult) {
        if let error = Self.error(of: result) { self.report(error) }
    }

    /// What the application is told of.
    static func error(of result: EngineIOSession.SendResult) -> SocketIOError? {
        let limit: String
        switch result {
        case .accepted, .dropped, .closed: return nil
        case .overflow: limit = "maxOutboxBytes"
        case .totalOverflow: limit = "maxTotalOutboxBytes"
        }
        return SocketIOError(.limitExceeded, "the client does not read, and \(limit) is reached")
    }

    /// A broadcast's packet for this socket.
    func deliver(_ frames: ByteBuffer, isVolatile: Bool, key: String? = nil, event: BroadcastPacket) {
        // A socket stays in its rooms until its handlers for the end were called; nothing may follow its DISCONNECT.
        guard !self.isGone.load(ordering: .relaxed) else { return }
        if self.hasOutgoingListeners.load(ordering: .relaxed) { self.tellOutgoing(event.encoded) }
        self.note(self.session.send(frames: frames, isVolatile: isVolatile, key: key.map { self.outboxKey($0) }))
    }
}

/// A socket with options for one event. A value: nothing of it stays with the socket.
public struct SocketEmitter: EventEmitting, Sendable {
    let socket: Socket
    var isVolatile = false
    var timeoutValue: Duration?
    var key: String?

    init(socket: Socket, isVolatile: Bool = false, timeout: Duration? = nil) {
        self.socket = socket
        self.isVolatile = isVolatile
        self.timeoutValue = timeout
    }

    /// The event is dropped if the client can't be written to right now.
    public var volatile: SocketEmitter { self.with { $0.isVolatile = true } }

    /// For what only the latest state counts of: an earlier event with the same key that still waits for the client, because it
    /// does not read, is dropped, and this one waits behind all others. Keys are those of a socket. It has no effect on
    /// ``emitWithAck(_:_:as:)`` and with connection state recovery, which has a client get every event.
    public func conflating(_ key: String) -> SocketEmitter { self.with { $0.key = key } }

    /// Whether the event is to be compressed; see ``Socket/compress(_:)``.
    public func compress(_ isWanted: Bool) -> SocketEmitter { self }

    /// How long the acknowledgement may take.
    public func timeout(_ timeout: Duration) -> SocketEmitter { self.with { $0.timeoutValue = timeout } }

    private func with(_ change: (inout SocketEmitter) -> Void) -> SocketEmitter {
        var copy = self
        change(&copy)
        return copy
    }

    public func emit<each A: Encodable>(_ event: String, _ arguments: repeat each A) {
        if let key = self.key {
            self.socket.emit(event, key: key, isVolatile: self.isVolatile, repeat each arguments)
        } else {
            self.socket.emit(event, isVolatile: self.isVolatile, repeat each arguments)
        }
    }

    /// Sends the event `message`.
    public func send<each A: Encodable>(_ arguments: repeat each A) { self.emit("message", repeat each arguments) }

    /// Sends an event and waits for the client's acknowledgement; see ``Socket/emitWithAck(_:_:timeout:as:)``.
    public func emitWithAck<each A: Encodable, R: Decodable & Sendable>(
        _ event: String,
        _ arguments: repeat each A,
        as type: R.Type = R.self
    ) async throws -> R {
        try await self.socket.emitWithAck(event, repeat each arguments, timeout: self.timeoutValue, as: type)
    }

    /// Sends an event and waits for the client's acknowledgement.
    public func emitWithAck<R, each A>(
        _ event: AckEvent<R, repeat each A>,
        _ arguments: repeat each A
    ) async throws -> R {
        try await self.emitWithAck(event.name, repeat each arguments, as: R.self)
    }
}
