import EngineIO
import NIOCore
import SocketIOCore
import Synchronization

extension Socket {
    /// Sends an event and waits for the client's acknowledgement, the first argument of which is returned.
    ///
    /// - Parameter timeout: How long to wait; nil waits until the socket is disconnected. An answer that comes later is
    ///   ignored.
    /// - Throws: ``SocketIOError`` with the codes `ackTimeout`, `disconnected`, `typeMismatch` or `missingArgument` for an
    ///   answer of another shape, or the reasons for which the event can't be sent; `CancellationError` when the task is
    ///   cancelled.
    public func emitWithAck<each A: Encodable, R: Decodable & Sendable>(
        _ event: String,
        _ arguments: repeat each A,
        timeout: Duration? = nil,
        as type: R.Type = R.self
    ) async throws -> R {
        let id = self.namespace.nextAckID()
        let packet = try PacketEncoder.event(event, namespace: self.namespace.name, id: id, repeat each arguments)
        guard let tracing = self.namespace.observation?.tracing else {
            var reader = try await self.send(packet, ackID: id, timeout: timeout)
            return try reader.next(type)
        }
        return try await tracing.exchange(
            "socketio.emit_with_ack", event, self.namespace.name, socket: self.loggedID
        ) {
            var reader = try await self.send(packet, ackID: id, timeout: timeout)
            return try reader.next(type)
        }
    }

    /// Sends an event and waits for the client's acknowledgement; see ``emitWithAck(_:_:timeout:as:)``.
    public func emitWithAck<R, each A>(
        _ event: AckEvent<R, repeat each A>,
        _ arguments: repeat each A,
        timeout: Duration? = nil
    ) async throws -> R {
        try await self.emitWithAck(event.name, repeat each arguments, timeout: timeout, as: R.self)
    }

    private func send(_ packet: EncodedPacket, ackID id: Int, timeout: Duration?) async throws -> ArgumentReader {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                self.await(ackID: id, timeout: timeout) { continuation.resume(with: $0) }
                if Task.isCancelled { return self.failAck(id, CancellationError()) }
                guard let form = self.namespace.local.form else { return self.send(packet) }
                do { try self.sendOrThrow(packet, as: form) } catch { self.failAck(id, error) }
            }
        } onCancel: {
            self.failAck(id, CancellationError())
        }
    }

    /// Has `complete` called once: with the acknowledgement, or with the reason why there is none.
    func await(
        ackID id: Int,
        timeout: Duration?,
        complete: @escaping @Sendable (Result<ArgumentReader, any Error>) -> Void
    ) {
        let complete = self.namespace.observation?.awaitingAck(complete) ?? complete
        let isAccepted = self.state.withLock { state in
            guard state.phase != .disconnected else { return false }
            state.acks[id] = PendingAck(complete: complete)
            return true
        }
        guard isAccepted else { return complete(.failure(Self.isDisconnected)) }
        guard let timeout else { return }
        let timer = self.session.loop.eventLoop.scheduleTask(in: .nanoseconds(Int64(clamping: timeout.nanoseconds))) {
            self.failAck(id, SocketIOError(.ackTimeout, "operation has timed out"))
        }
        let isOver = self.state.withLock { state in
            guard state.acks[id] != nil else { return true }
            state.acks[id]?.timer = timer
            return false
        }
        if isOver { timer.cancel() }
    }

    func failAck(_ id: Int, _ error: any Error) {
        guard let ack = self.state.withLock({ $0.acks.removeValue(forKey: id) }) else { return }
        ack.timer?.cancel()
        ack.complete(.failure(error))
    }

    /// An acknowledgement has come. One that nobody waits for is ignored.
    func receiveAck(_ id: Int, _ arguments: ArgumentReader) {
        guard let ack = self.state.withLock({ $0.acks.removeValue(forKey: id) }) else { return }
        ack.timer?.cancel()
        ack.complete(.success(arguments))
    }

    /// A broadcast's packet for this socket, with an acknowledgement wanted.
    func deliver(
        _ packet: EncodedPacket,
        ackID: Int,
        isVolatile: Bool,
        event: BroadcastPacket,
        collector: AckCollector
    ) {
        self.await(ackID: ackID, timeout: nil) { [id = self.id] result in
            switch result {
            case .success(let reader): collector.receive(AckAnswer(id: id, reader: reader, value: .null))
            case .failure: collector.giveUp(id)
            }
        }
        self.deliver(packet.frames, isVolatile: isVolatile, event: event)
    }

    /// Acknowledgements that are being waited for (for tests).
    package var pendingAckCount: Int { self.state.withLock { $0.acks.count } }

    static let isDisconnected = SocketIOError(.disconnected, "socket has been disconnected")
}

/// Sends the acknowledgement of one event, once.
final class AckSender: Sendable {
    private let socket: Socket
    private let id: Int
    private let isSent = Atomic<Bool>(false)

    init(socket: Socket, id: Int) {
        self.socket = socket
        self.id = id
    }

    func send<each V: Encodable>(_ value: repeat each V) {
        guard self.claim() else { return }
        let here = LoopContext.current
        do {
            let packet = try PacketEncoder.ack(
                id: self.id, namespace: self.socket.namespace.name, scratch: here?.takeScratch(), repeat each value)
            self.socket.send(packet, on: here)
        } catch {
            self.socket.report(error)
        }
    }

    func send(_ values: any AcknowledgementValues) {
        guard self.claim() else { return }
        do {
            self.socket.send(try values.acknowledgement(id: self.id, namespace: self.socket.namespace.name))
        } catch {
            self.socket.report(error)
        }
    }

    func send(values: [SocketIOValue]) {
        guard self.claim() else { return }
        do {
            self.socket.send(
                try PacketEncoder.ack(id: self.id, namespace: self.socket.namespace.name, values: values))
        } catch {
            self.socket.report(error)
        }
    }

    private func claim() -> Bool {
        self.isSent.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged
    }
}
