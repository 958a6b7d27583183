import SocketIO
import SocketIOCore

/// The sockets of the cluster.
extension RedisEmitting {
    /// Has the sockets join rooms.
    public func socketsJoin(_ rooms: Room...) { self.socketsJoin(rooms) }

    /// Has the sockets join rooms.
    public func socketsJoin(_ rooms: [Room]) {
        let target = self.emitterOperator
        target.line.reporting { try target.send(.join(rooms, target.target)) }
    }

    /// Has the sockets leave rooms.
    public func socketsLeave(_ rooms: Room...) { self.socketsLeave(rooms) }

    /// Has the sockets leave rooms.
    public func socketsLeave(_ rooms: [Room]) {
        let target = self.emitterOperator
        target.line.reporting { try target.send(.leave(rooms, target.target)) }
    }

    /// Disconnects the sockets; with `close` their connections too.
    public func disconnectSockets(close: Bool = false) {
        let target = self.emitterOperator
        target.line.reporting { try target.send(.disconnect(target.target, close: close)) }
    }

    /// The sockets of all servers. With ``timeout(_:)`` it waits that long, else as long as a question may take; what is returned
    /// names the servers that have not answered by then.
    ///
    /// - Throws: ``SocketIOError`` with code `cluster_unavailable` if Redis can't be reached.
    public func fetchSockets() async throws -> ClusterAnswer<RedisEmitterSocket> {
        let target = self.emitterOperator
        let answer = try await target.namespace.fetchSockets(target.target)
        // A socket that has moved, or an answer that has come twice, counts once.
        var ids: Set<String> = []
        return answer.with(
            answer.elements.filter { ids.insert($0.id).inserted }.map { RedisEmitterSocket($0, target) })
    }

    /// The ids of the sockets of all servers that answer in time.
    public func allSockets() async throws -> Set<String> { Set(try await self.fetchSockets().map(\.id)) }

    /// How many servers there are, and how many sockets they have; as ``fetchSockets()``.
    public func count() async throws -> RedisEmitterCount {
        let target = self.emitterOperator
        let (answer, servers) = try await target.namespace.fetchSocketsAndCount(target.target)
        return RedisEmitterCount(
            servers: servers,
            sockets: Set(answer.elements.lazy.map(\.id)).count,
            missingServerCount: answer.missingServerCount,
            missingServers: answer.missingServers
        )
    }

    /// How many servers have the namespace.
    ///
    /// - Throws: ``SocketIOError`` with code `cluster_unavailable` if Redis can't be reached.
    public func serverCount() async throws -> Int {
        let target = self.emitterOperator
        return try await target.namespace.countServers(within: target.target.flags.timeout)
    }
}

/// How many there are in a cluster.
public struct RedisEmitterCount: Sendable, Hashable {
    /// Servers that have the namespace.
    public var servers: Int
    /// Sockets of the servers that have answered.
    public var sockets: Int
    /// How many servers have not answered in time: their sockets are not counted.
    public var missingServerCount: Int
    /// Which they are, as far as it is known; see ``ClusterAnswer/missingServers``.
    public var missingServers: [String]

    /// Whether all servers have answered.
    public var isComplete: Bool { self.missingServerCount == 0 }
}

/// A socket of a server, as it was when it was asked for. What is done with it goes through the cluster.
public struct RedisEmitterSocket: EventEmitting {
    public let id: String
    public let handshake: Handshake
    /// The rooms it was in.
    public let rooms: Set<Room>
    /// Its values, encoded; ``data(_:)`` decodes one.
    public let data: [String: SocketIOValue]
    private let target: RedisEmitterOperator

    init(_ description: SocketDescription, _ target: RedisEmitterOperator) {
        self.id = description.id
        self.handshake = description.handshake
        self.rooms = description.rooms
        self.data = description.data
        self.target = RedisEmitterOperator(emitter: target.emitter, namespace: target.namespace)
            .to(Room(description.id)).with { $0.flags.expectsSingleResponse = true }
    }

    /// The value of a key; nil if there is none, or one of another type.
    public func data<Value>(_ key: SocketDataKey<Value>) -> Value? { try? self.data[key.name]?.decode(Value.self) }

    public func emit<each A: Encodable>(_ event: String, _ arguments: repeat each A) {
        self.target.emit(event, repeat each arguments)
    }

    /// Sends an event and waits for the acknowledgement, the first argument of which is returned.
    ///
    /// - Parameter timeout: How long to wait; nil: 10 seconds.
    /// - Throws: ``BroadcastAckError`` when none has come in time or the socket is gone.
    public func emitWithAck<each A: Encodable, R: Decodable & Sendable>(
        _ event: String,
        _ arguments: repeat each A,
        timeout: Duration? = nil,
        as type: R.Type = R.self
    ) async throws -> R {
        let target = timeout.map { self.target.timeout($0) } ?? self.target
        let answers = try await target.emitWithAck(event, repeat each arguments, as: type)
        guard let answer = answers.first else {
            throw BroadcastAckError(answers: [], missing: [self.id], missingElsewhere: 0)
        }
        return answer
    }

    /// Has it join rooms.
    public func join(_ rooms: Room...) { self.target.socketsJoin(rooms) }

    /// Has it leave a room.
    public func leave(_ room: Room) { self.target.socketsLeave(room) }

    /// Disconnects it; with `close` its connection too.
    public func disconnect(close: Bool = false) { self.target.disconnectSockets(close: close) }
}
