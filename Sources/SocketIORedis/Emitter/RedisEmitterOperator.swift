import SocketIO
import SocketIOCore

/// Addresses sockets of a namespace of a cluster. A value: narrowing it down makes another one.
public struct RedisEmitterOperator: RedisEmitting {
    let emitter: RedisEmitter
    let namespace: EmitterNamespace
    /// Whom it addresses.
    public internal(set) var target: BroadcastTarget

    init(emitter: RedisEmitter, namespace: EmitterNamespace, target: BroadcastTarget = .init()) {
        self.emitter = emitter
        self.namespace = namespace
        self.target = target
    }

    public var emitterOperator: RedisEmitterOperator { self }

    var line: EmitterLine { self.namespace.line }

    /// Another operator. Each room is named once, as in the sets of the reference.
    func with(_ change: (inout BroadcastTarget) -> Void) -> RedisEmitterOperator {
        var copy = self
        change(&copy.target)
        copy.target.removeDuplicates()
        return copy
    }

    func packet<each A: Encodable>(_ event: String, _ arguments: repeat each A) throws -> BroadcastPacket {
        let encoded = try PacketEncoder.event(event, namespace: self.namespace.name, id: nil, repeat each arguments)
        return BroadcastPacket(event: event, encoded: encoded)
    }

    func packet(_ event: String, arguments: [SocketIOValue]) throws -> BroadcastPacket {
        try BroadcastPacket(event: event, arguments: arguments, namespace: self.namespace.name)
    }

    func send(_ message: EmitterMessage) throws { try self.line.send(self.namespace.wire.command(message)) }

    func publish(_ packet: BroadcastPacket) async throws -> Int? {
        let message = EmitterMessage.broadcast(packet, self.target)
        return try await self.namespace.publish(message, timeout: self.target.flags.timeout)
    }

    func collect(_ packet: BroadcastPacket) async throws -> [AckAnswer] {
        try await self.namespace.collect(packet, self.target)
    }
}
