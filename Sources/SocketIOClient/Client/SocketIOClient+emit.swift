import NIOCore
import SocketIOCore

extension SocketIOClient: EventEmitting {
    /// Sends an event. It never waits. While there is no connection the event is kept and sent after the next (see
    /// ``SocketIOClientConfiguration/offlineBuffer``). What can't be sent is reported to ``onError(_:)``: a reserved name, an argument that
    /// can't be encoded, more than the server takes.
    public func emit<each A: Encodable>(_ event: String, _ arguments: repeat each A) {
        self.emit(event, isVolatile: false, repeat each arguments)
    }

    /// Sends an event with any number of arguments.
    public func emit(_ event: String, arguments: [SocketIOValue]) {
        do {
            let id = self.core.ackIDForRetries
            self.core.send(
                Outgoing(
                    packet: try PacketEncoder.event(event, namespace: self.namespace, id: id, values: arguments),
                    ackID: id))
        } catch {
            self.core.report(error)
        }
    }

    /// Sends the event `message`.
    public func send<each A: Encodable>(_ arguments: repeat each A) { self.emit("message", repeat each arguments) }

    /// For the next event only: it is dropped if it can't leave right now.
    public var volatile: SocketIOClientEmitter { SocketIOClientEmitter(client: self, isVolatile: true) }

    /// For the next event: how long its acknowledgement may take.
    public func timeout(_ timeout: Duration) -> SocketIOClientEmitter {
        SocketIOClientEmitter(client: self, timeoutValue: timeout)
    }

    func emit<each A: Encodable>(_ event: String, isVolatile: Bool, _ arguments: repeat each A) {
        do {
            let id = isVolatile ? nil : self.core.ackIDForRetries
            let packet = try PacketEncoder.event(event, namespace: self.namespace, id: id, repeat each arguments)
            self.core.send(Outgoing(packet: packet, ackID: id, isVolatile: isVolatile))
        } catch {
            self.core.report(error)
        }
    }

    // MARK: With acknowledgement

    /// Sends an event and waits for the server's acknowledgement, the first argument of which is returned.
    ///
    /// - Parameter timeout: how long to wait, from now on, or with ``SocketIOClientConfiguration/retries`` for each try; nil for
    ///   ``SocketIOClientConfiguration/ackTimeout``. An answer that comes later is ignored.
    /// - Throws: ``SocketIOCore/SocketIOError`` with the codes `ackTimeout`, `disconnected` when the connection is lost after the event was
    ///   sent or no connection is tried any more (at once, if the client was disconnected or refused or has given up; before its first
    ///   ``connect(timeout:)`` or ``open()`` the event is kept), `typeMismatch` or `missingArgument` for an answer of another shape, or
    ///   the reasons for which the event can't be sent; `CancellationError` when the task is cancelled.
    public func emitWithAck<each A: Encodable, R: Decodable & Sendable>(
        _ event: String,
        _ arguments: repeat each A,
        timeout: Duration? = nil,
        as type: R.Type = R.self
    ) async throws -> R {
        let id = self.core.makeAckID()
        let packet = try PacketEncoder.event(event, namespace: self.namespace, id: id, repeat each arguments)
        var reader = try await self.core.sendAwaiting(packet, id: id, timeout: timeout)
        return try reader.next(type)
    }

    /// Sends an event and waits for the server's acknowledgement; see ``emitWithAck(_:_:timeout:as:)``.
    public func emitWithAck<R, each A>(
        _ event: AckEvent<R, repeat each A>,
        _ arguments: repeat each A,
        timeout: Duration? = nil
    ) async throws -> R {
        try await self.emitWithAck(event.name, repeat each arguments, timeout: timeout, as: R.self)
    }

    /// Sends an event with any number of arguments and waits for the server's acknowledgement, all arguments of which are returned.
    /// See ``emitWithAck(_:_:timeout:as:)``.
    public func emitWithAck(
        _ event: String,
        arguments: [SocketIOValue],
        timeout: Duration? = nil
    ) async throws -> [SocketIOValue] {
        let id = self.core.makeAckID()
        let packet = try PacketEncoder.event(event, namespace: self.namespace, id: id, values: arguments)
        var reader = try await self.core.sendAwaiting(packet, id: id, timeout: timeout)
        return try reader.remainingValues()
    }
}

extension ClientNamespace {
    /// With retries every event asks for an acknowledgement.
    var ackIDForRetries: Int? { self.retries == nil ? nil : self.makeAckID() }

    /// Hands an event to the loop. Other clients of the time refuse packets with more than 10 attachments.
    func send(_ outgoing: Outgoing) {
        if outgoing.packet.attachmentCount > PacketLimits().maxAttachments {
            self.manager.logger.warning(
                "an event has more attachments than decoders of the reference take",
                metadata: ["socketio.attachments": "\(outgoing.packet.attachmentCount)"])
        }
        if self.manager.enqueue(.send(self, outgoing), bytes: outgoing.byteCount) { return }
        let error = SocketIOError(.limitExceeded, "more than maxOutboundBytes waits to be sent, an event was dropped")
        if let complete = outgoing.complete { complete(.failure(error)) } else { self.report(error) }
    }

    func sendAwaiting(_ packet: EncodedPacket, id: Int, timeout: Duration?) async throws -> ArgumentReader {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                self.send(
                    Outgoing(
                        packet: packet,
                        ackID: id,
                        complete: { continuation.resume(with: $0) },
                        timeout: timeout ?? self.ackTimeout))
                if Task.isCancelled { self.manager.execute { self.cancelAck(id) } }
            }
        } onCancel: {
            self.manager.execute { self.cancelAck(id) }
        }
    }
}

/// A client with options for one event. A value: nothing of it stays with the client.
public struct SocketIOClientEmitter: EventEmitting, Sendable {
    let client: SocketIOClient
    var isVolatile = false
    var timeoutValue: Duration?

    init(client: SocketIOClient, isVolatile: Bool = false, timeoutValue: Duration? = nil) {
        self.client = client
        self.isVolatile = isVolatile
        self.timeoutValue = timeoutValue
    }

    /// The event is dropped if it can't leave right now. Acknowledgements that are asked for are not concerned.
    public var volatile: SocketIOClientEmitter {
        SocketIOClientEmitter(client: self.client, isVolatile: true, timeoutValue: self.timeoutValue)
    }

    /// How long the acknowledgement may take.
    public func timeout(_ timeout: Duration) -> SocketIOClientEmitter {
        SocketIOClientEmitter(client: self.client, isVolatile: self.isVolatile, timeoutValue: timeout)
    }

    public func emit<each A: Encodable>(_ event: String, _ arguments: repeat each A) {
        self.client.emit(event, isVolatile: self.isVolatile, repeat each arguments)
    }

    /// Sends the event `message`.
    public func send<each A: Encodable>(_ arguments: repeat each A) { self.emit("message", repeat each arguments) }

    /// Sends an event and waits for the server's acknowledgement; see ``SocketIOClient/emitWithAck(_:_:timeout:as:)``.
    public func emitWithAck<each A: Encodable, R: Decodable & Sendable>(
        _ event: String,
        _ arguments: repeat each A,
        as type: R.Type = R.self
    ) async throws -> R {
        try await self.client.emitWithAck(event, repeat each arguments, timeout: self.timeoutValue, as: type)
    }

    /// Sends an event and waits for the server's acknowledgement.
    public func emitWithAck<R, each A>(
        _ event: AckEvent<R, repeat each A>,
        _ arguments: repeat each A
    ) async throws -> R {
        try await self.emitWithAck(event.name, repeat each arguments, as: R.self)
    }
}
