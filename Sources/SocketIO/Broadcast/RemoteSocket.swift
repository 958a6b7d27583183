import SocketIOCore

/// A socket of any server of the cluster, as it was when it was asked for. What is done with it goes through the cluster.
public struct RemoteSocket: EventEmitting {
    public let id: String
    public let handshake: Handshake
    /// The rooms it was in.
    public let rooms: Set<Room>
    /// Its values, encoded; ``data(_:)`` decodes one.
    public let data: [String: SocketIOValue]
    private let target: BroadcastOperator

    init(_ description: SocketDescription, namespace: Namespace) {
        self.id = description.id
        self.handshake = description.handshake
        self.rooms = description.rooms
        self.data = description.data
        self.target = namespace.to(Room(description.id)).with { $0.flags.expectsSingleResponse = true }
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

extension Socket {
    func describe() -> SocketDescription {
        SocketDescription(id: self.id, handshake: self.handshake, rooms: self.rooms, data: self.data.snapshot)
    }

    func tellError(_ error: any Error) {
        let handlers = self.listeners.withLock { $0.errors }
        for handler in handlers { handler(error) }
    }
}
