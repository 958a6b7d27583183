import SocketIOCore

/// What can address many sockets: the server, namespaces, dynamic namespaces, and operators.
public protocol Broadcasting: EventEmitting {
    /// An operator that addresses everybody, or whom it has been narrowed down to.
    var broadcastOperator: BroadcastOperator { get }
}

extension Broadcasting {
    /// Narrows down to the sockets in any of these rooms. Each socket gets a packet once.
    public func to(_ rooms: Room...) -> BroadcastOperator { self.to(rooms) }

    /// Narrows down to the sockets in any of these rooms.
    public func to(_ rooms: [Room]) -> BroadcastOperator { self.broadcastOperator.with { $0.rooms += rooms } }

    /// As ``to(_:)-(Room...)``.
    public func `in`(_ rooms: Room...) -> BroadcastOperator { self.to(rooms) }

    /// Leaves out the sockets in any of these rooms.
    public func except(_ rooms: Room...) -> BroadcastOperator { self.except(rooms) }

    /// Leaves out the sockets in any of these rooms.
    public func except(_ rooms: [Room]) -> BroadcastOperator { self.broadcastOperator.with { $0.except += rooms } }

    /// The packet is dropped for clients that can't be written to right now.
    public var volatile: BroadcastOperator { self.broadcastOperator.with { $0.flags.volatile = true } }

    /// For what only the latest state counts of: an earlier event with the same key that still waits for a client, because it does
    /// not read, is dropped, and this one waits behind all others. Keys are those of a socket. Sockets of other servers of a
    /// cluster get every event. It has no effect on ``emitWithAck(_:_:as:)`` and with connection state recovery, which has a client
    /// get every event.
    public func conflating(_ key: String) -> BroadcastOperator {
        self.broadcastOperator.with { $0.flags.conflationKey = key }
    }

    /// Only sockets of this server.
    public var local: BroadcastOperator { self.broadcastOperator.with { $0.flags.local = true } }

    /// Whether compression is wanted. Kept for servers of a cluster that compress; this one does not.
    public func compress(_ isWanted: Bool) -> BroadcastOperator {
        self.broadcastOperator.with { $0.flags.compress = isWanted }
    }

    /// How long acknowledgements and queries may take.
    public func timeout(_ timeout: Duration) -> BroadcastOperator {
        self.broadcastOperator.with { $0.flags.timeout = timeout }
    }

    /// Sends an event to the sockets. The packet is encoded once.
    public func emit<each A: Encodable>(_ event: String, _ arguments: repeat each A) {
        let target = self.broadcastOperator
        target.scope.forEachNamespace { namespace in
            do {
                let packet = BroadcastPacket(
                    event: event,
                    encoded: try PacketEncoder.event(event, namespace: namespace.name, id: nil, repeat each arguments)
                )
                if target.target.flags.local {
                    namespace.local.broadcast(packet, to: target.target)
                } else {
                    namespace.adapter.broadcast(packet, to: target.target)
                }
            } catch {
                namespace.report(error, socket: nil, event: event)
            }
        }
    }

    /// Sends the event `message`.
    public func send<each A: Encodable>(_ arguments: repeat each A) { self.emit("message", repeat each arguments) }

    /// Sends an event to the sockets and waits for the first argument of each acknowledgement.
    ///
    /// With ``timeout(_:)`` it waits that long, else 10 seconds. Sockets that are disconnected meanwhile count as missing.
    /// - Throws: ``BroadcastAckError``, with the answers that came and the ids of the sockets that did not answer.
    public func emitWithAck<each A: Encodable, R: Decodable & Sendable>(
        _ event: String,
        _ arguments: repeat each A,
        as type: R.Type = R.self
    ) async throws -> [R] {
        let target = self.broadcastOperator
        let collectors = try target.scope.namespaces.map { namespace in
            let packet = BroadcastPacket(
                event: event,
                encoded: try PacketEncoder.event(event, namespace: namespace.name, id: nil, repeat each arguments)
            )
            let collector = AckCollector()
            if target.target.flags.local {
                collector.expectServers(1)
                namespace.local.broadcastWithAck(packet, to: target.target, collector: collector)
            } else {
                namespace.adapter.broadcastWithAck(packet, to: target.target, collector: collector)
            }
            return collector
        }
        let timeout = target.target.flags.timeout ?? .seconds(10)
        guard let namespace = target.scope.namespaces.first, let tracing = namespace.observation?.tracing else {
            return try await AckCollector.collect(collectors, timeout: timeout).map { try $0.decode(type) }
        }
        return try await tracing.exchange("socketio.broadcast_with_ack", event, namespace.name) {
            try await AckCollector.collect(collectors, timeout: timeout).map { try $0.decode(type) }
        }
    }

    /// Sends an event to the sockets and waits for their acknowledgements; see ``emitWithAck(_:_:as:)``.
    public func emitWithAck<R, each A>(
        _ event: AckEvent<R, repeat each A>,
        _ arguments: repeat each A
    ) async throws -> [R] {
        try await self.emitWithAck(event.name, repeat each arguments, as: R.self)
    }

    // MARK: Sockets of the whole cluster

    /// The sockets, those of other servers included. With ``timeout(_:)`` it waits that long, else as long as the adapter does;
    /// what is returned names the servers that have not answered by then.
    public func fetchSockets() async throws -> ClusterAnswer<RemoteSocket> {
        let target = self.broadcastOperator
        var sockets = ClusterAnswer<RemoteSocket>([])
        for namespace in target.scope.namespaces {
            let found =
                target.target.flags.local
                ? ClusterAnswer(namespace.local.describeSockets(target.target))
                : try await namespace.adapter.fetchSockets(target.target)
            sockets.add(found.converted { RemoteSocket($0, namespace: namespace) })
        }
        return sockets
    }

    /// The ids of the sockets, those of other servers included.
    public func allSockets() async throws -> Set<String> { Set(try await self.fetchSockets().map(\.id)) }

    /// Has the sockets join rooms.
    public func socketsJoin(_ rooms: Room...) { self.socketsJoin(rooms) }

    /// Has the sockets join rooms.
    public func socketsJoin(_ rooms: [Room]) {
        let target = self.broadcastOperator
        target.scope.forEachNamespace { namespace in
            if target.target.flags.local {
                namespace.local.socketsJoin(rooms, target.target)
            } else {
                namespace.adapter.socketsJoin(rooms, target.target)
            }
        }
    }

    /// Has the sockets leave rooms.
    public func socketsLeave(_ rooms: Room...) { self.socketsLeave(rooms) }

    /// Has the sockets leave rooms.
    public func socketsLeave(_ rooms: [Room]) {
        let target = self.broadcastOperator
        target.scope.forEachNamespace { namespace in
            if target.target.flags.local {
                namespace.local.socketsLeave(rooms, target.target)
            } else {
                namespace.adapter.socketsLeave(rooms, target.target)
            }
        }
    }

    /// Disconnects the sockets; with `close` their connections too.
    public func disconnectSockets(close: Bool = false) {
        let target = self.broadcastOperator
        target.scope.forEachNamespace { namespace in
            if target.target.flags.local {
                namespace.local.disconnectSockets(target.target, close: close)
            } else {
                namespace.adapter.disconnectSockets(target.target, close: close)
            }
        }
    }

    /// Sends an event to the other servers of the cluster, where listeners of the namespace hear it. Alone, a server has nobody
    /// to send it to.
    public func serverSideEmit<each A: Encodable>(_ event: String, _ arguments: repeat each A) {
        self.broadcastOperator.scope.forEachNamespace { namespace in
            do {
                let encoded = try PacketEncoder.event(
                    event, namespace: namespace.name, id: nil, repeat each arguments)
                namespace.adapter.serverSideEmit(BroadcastPacket(event: event, encoded: encoded))
            } catch {
                namespace.report(error, socket: nil, event: event)
            }
        }
    }

    /// Sends an event to the other servers of the cluster and waits for the first argument of each answer. A server without a
    /// listener for it does not answer. With ``timeout(_:)`` it waits that long, else as long as the adapter does; what is
    /// returned names the servers that have not answered by then.
    public func serverSideEmitWithAck<each A: Encodable, R: Decodable & Sendable>(
        _ event: String,
        _ arguments: repeat each A,
        as type: R.Type = R.self
    ) async throws -> ClusterAnswer<R> {
        let target = self.broadcastOperator
        var answers = ClusterAnswer<R>([])
        for namespace in target.scope.namespaces {
            let encoded = try PacketEncoder.event(event, namespace: namespace.name, id: nil, repeat each arguments)
            let values = try await namespace.adapter.serverSideEmitWithAck(
                BroadcastPacket(event: event, encoded: encoded),
                timeout: target.target.flags.timeout
            )
            answers.add(try values.converted { try $0.decode(type) })
        }
        return answers
    }
}

/// Addresses sockets of a namespace. A value: narrowing it down makes another one.
public struct BroadcastOperator: Broadcasting {
    enum Scope: Sendable {
        case namespace(Namespace)
        case parent(ParentNamespace)

        var namespaces: [Namespace] {
            switch self {
            case .namespace(let namespace): [namespace]
            case .parent(let parent): parent.children
            }
        }

        @inline(__always)
        func forEachNamespace(_ body: (Namespace) -> Void) {
            switch self {
            case .namespace(let namespace): body(namespace)
            case .parent(let parent): for namespace in parent.children { body(namespace) }
            }
        }
    }

    let scope: Scope
    /// Whom it addresses.
    public internal(set) var target: BroadcastTarget

    init(scope: Scope, target: BroadcastTarget = .init()) {
        self.scope = scope
        self.target = target
    }

    public var broadcastOperator: BroadcastOperator { self }

    func with(_ change: (inout BroadcastTarget) -> Void) -> BroadcastOperator {
        var copy = self
        change(&copy.target)
        return copy
    }
}

extension Namespace: Broadcasting {
    public var broadcastOperator: BroadcastOperator { BroadcastOperator(scope: .namespace(self)) }
}

extension ParentNamespace: Broadcasting {
    public var broadcastOperator: BroadcastOperator { BroadcastOperator(scope: .parent(self)) }
}
