import RESP
import SocketIO
import SocketIOCore

/// What can address sockets of a cluster without being a server: a ``RedisEmitter``, and operators that narrow it down.
public protocol RedisEmitting: EventEmitting {
    /// An operator that addresses everybody, or whom it has been narrowed down to.
    var emitterOperator: RedisEmitterOperator { get }
}

extension RedisEmitting {
    /// Narrows down to the sockets in any of these rooms. Each socket gets a packet once.
    public func to(_ rooms: Room...) -> RedisEmitterOperator { self.to(rooms) }

    /// Narrows down to the sockets in any of these rooms.
    public func to(_ rooms: [Room]) -> RedisEmitterOperator { self.emitterOperator.with { $0.rooms += rooms } }

    /// As ``to(_:)-(Room...)``.
    public func `in`(_ rooms: Room...) -> RedisEmitterOperator { self.to(rooms) }

    /// As ``to(_:)-([Room])``.
    public func `in`(_ rooms: [Room]) -> RedisEmitterOperator { self.to(rooms) }

    /// Leaves out the sockets in any of these rooms.
    public func except(_ rooms: Room...) -> RedisEmitterOperator { self.except(rooms) }

    /// Leaves out the sockets in any of these rooms.
    public func except(_ rooms: [Room]) -> RedisEmitterOperator { self.emitterOperator.with { $0.except += rooms } }

    /// The packet is dropped for clients that can't be written to right now.
    public var volatile: RedisEmitterOperator { self.emitterOperator.with { $0.flags.volatile = true } }

    /// Whether compression is wanted, for servers that compress.
    public func compress(_ isWanted: Bool) -> RedisEmitterOperator {
        self.emitterOperator.with { $0.flags.compress = isWanted }
    }

    /// How long acknowledgements, questions and ``publish(_:_:)`` may take.
    public func timeout(_ timeout: Duration) -> RedisEmitterOperator {
        self.emitterOperator.with { $0.flags.timeout = timeout }
    }

    // MARK: Events

    /// Sends an event to the sockets, without waiting; what can't be sent is told to the emitter's `onError`.
    public func emit<each A: Encodable>(_ event: String, _ arguments: repeat each A) {
        let target = self.emitterOperator
        target.line.reporting {
            try target.send(.broadcast(try target.packet(event, repeat each arguments), target.target))
        }
    }

    /// Sends an event with any number of arguments.
    public func emit(_ event: String, arguments: [SocketIOValue]) {
        let target = self.emitterOperator
        target.line.reporting {
            try target.send(.broadcast(try target.packet(event, arguments: arguments), target.target))
        }
    }

    /// Sends the event `message`.
    public func send<each A: Encodable>(_ arguments: repeat each A) { self.emit("message", repeat each arguments) }

    /// Sends an event to the sockets and waits until Redis has it. With ``timeout(_:)`` it waits that long, else as long as a
    /// question may take.
    ///
    /// - Returns: How many servers have listened, as Redis counts them: with `sharded`, for an event to one room that has a channel
    ///   of its own, those with members of it; else all servers of the namespace. Nil with `streams`: servers read the stream
    ///   when they can.
    /// - Throws: ``SocketIOError`` if the event can't be encoded, or if Redis does not take it or does not answer in time (code
    ///   `cluster_unavailable`); it may still be sent then.
    @discardableResult
    public func publish<each A: Encodable>(_ event: String, _ arguments: repeat each A) async throws -> Int? {
        let target = self.emitterOperator
        return try await target.publish(try target.packet(event, repeat each arguments))
    }

    /// As ``publish(_:_:)``, with any number of arguments.
    @discardableResult
    public func publish(_ event: String, arguments: [SocketIOValue]) async throws -> Int? {
        let target = self.emitterOperator
        return try await target.publish(try target.packet(event, arguments: arguments))
    }

    /// As ``publish(_:_:)``, for an event of a key.
    @discardableResult
    public func publish<each A>(_ event: Event<repeat each A>, _ arguments: repeat each A) async throws -> Int? {
        try await self.publish(event.name, repeat each arguments)
    }

    // MARK: Acknowledgements

    /// Sends an event to the sockets and waits for the first argument of each acknowledgement.
    ///
    /// With ``timeout(_:)`` it waits that long, else 10 seconds.
    /// - Throws: ``BroadcastAckError``, with the answers that came and the ids of the servers that did not say how many of their
    ///   sockets were asked; ``SocketIOError`` with code `cluster_unavailable` if Redis can't be reached.
    public func emitWithAck<each A: Encodable, R: Decodable & Sendable>(
        _ event: String,
        _ arguments: repeat each A,
        as type: R.Type = R.self
    ) async throws -> [R] {
        let target = self.emitterOperator
        return try await target.collect(try target.packet(event, repeat each arguments)).map { try $0.decode(type) }
    }

    /// As ``emitWithAck(_:_:as:)``, with any number of arguments.
    public func emitWithAck(_ event: String, arguments: [SocketIOValue]) async throws -> [SocketIOValue] {
        let target = self.emitterOperator
        return try await target.collect(try target.packet(event, arguments: arguments))
            .map { try $0.decode(SocketIOValue.self) }
    }

    /// Sends an event to the sockets and waits for their acknowledgements; see ``emitWithAck(_:_:as:)``.
    public func emitWithAck<R, each A>(
        _ event: AckEvent<R, repeat each A>,
        _ arguments: repeat each A
    ) async throws -> [R] {
        try await self.emitWithAck(event.name, repeat each arguments, as: R.self)
    }

    // MARK: Servers

    /// Sends an event to the servers, where listeners of the namespace hear it.
    public func serverSideEmit<each A: Encodable>(_ event: String, _ arguments: repeat each A) {
        let target = self.emitterOperator
        target.line.reporting { try target.send(.serverSideEvent(try target.packet(event, repeat each arguments))) }
    }

    /// Sends an event to the servers and waits for the first argument of each answer. A server without a listener for it does not
    /// answer. With ``timeout(_:)`` it waits that long, else as long as a question may take; what is returned names the servers
    /// that have not answered by then.
    public func serverSideEmitWithAck<each A: Encodable, R: Decodable & Sendable>(
        _ event: String,
        _ arguments: repeat each A,
        as type: R.Type = R.self
    ) async throws -> ClusterAnswer<R> {
        let target = self.emitterOperator
        let packet = try target.packet(event, repeat each arguments)
        let answer = try await target.namespace.askServers(packet, timeout: target.target.flags.timeout)
        return try answer.with(answer.elements.map { try $0.decode(type) })
    }
}
