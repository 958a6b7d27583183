import SocketIOCore
import Synchronization

/// The rooms and sockets of one namespace on this server.
///
/// One lock guards them. It is held while a table is looked up or changed, never while something is sent: a broadcast takes a
/// snapshot of the members and puts its packet into their outboxes afterwards. A broadcast that begins after a join has
/// returned and ends before a leave is called reaches the socket exactly once; one that begins after a leave has returned does
/// not reach it; one that overlaps may. With connection state recovery, packets that are kept are put into the outboxes under
/// the lock: see `LocalAdapter+log.swift`.
public final class LocalAdapter: Sendable {
    let table = Mutex<RoomTable>(RoomTable())
    private let listeners = Mutex<[@Sendable (RoomEvent) -> Void]>([])
    private let untold = Mutex(Untold())
    private let hasListeners = Atomic<Bool>(false)
    let maxRoomsPerSocket: Int
    /// What clients need to go on where they have stopped; nil if they can't.
    let recovery: NamespaceRecovery?
    /// How packets are written; nil: the default form.
    let form: (any PacketForm)?
    /// Called, outside the lock, when sessions of clients that were away are over.
    let onSessionsExpired: @Sendable () -> Void
    /// Called, outside the lock, with why an event could not be sent.
    let onUnsent: @Sendable (any Error, _ event: String) -> Void

    init(
        maxRoomsPerSocket: Int,
        recovery: NamespaceRecovery? = nil,
        form: (any PacketForm)? = nil,
        onSessionsExpired: @escaping @Sendable () -> Void = {},
        onUnsent: @escaping @Sendable (any Error, _ event: String) -> Void = { _, _ in }
    ) {
        self.maxRoomsPerSocket = maxRoomsPerSocket
        self.recovery = recovery
        self.form = form
        self.onSessionsExpired = onSessionsExpired
        self.onUnsent = onUnsent
    }

    // MARK: Room events

    /// Calls `listener` for each change of rooms from now on, soon after the change and outside any lock. The calls come one at a
    /// time in the order of the changes, on a thread that changes rooms.
    public func onRoomEvent(_ listener: @escaping @Sendable (RoomEvent) -> Void) {
        self.listeners.withLock { $0.append(listener) }
        self.hasListeners.store(true, ordering: .releasing)
    }

    /// Changes the table under the lock; tells the listeners outside it.
    func change<Result: Sendable>(
        _ body: (inout RoomTable, inout RoomTable.Events, _ recordsEvents: Bool) -> Result
    ) -> Result {
        let records = self.hasListeners.load(ordering: .acquiring)
        guard records else {
            var none: RoomTable.Events = []
            return self.table.withLock { table in body(&table, &none, false) }
        }
        let (result, mustTell) = self.table.withLock { table in
            var events: RoomTable.Events = []
            let result = body(&table, &events, true)
            guard !events.isEmpty else { return (result, false) }
            // Queued under the lock of the table, so that their order is that of the changes.
            return (result, self.untold.withLock { $0.append(events) })
        }
        if mustTell { self.tell() }
        return result
    }

    /// Room events that wait to be told; whoever finds nobody telling does it.
    private struct Untold: Sendable {
        var events: RoomTable.Events = []
        var isTelling = false

        mutating func append(_ events: RoomTable.Events) -> Bool {
            self.events += events
            defer { self.isTelling = true }
            return !self.isTelling
        }

        mutating func take() -> RoomTable.Events {
            defer { self.events = [] }
            if self.events.isEmpty { self.isTelling = false }
            return self.events
        }
    }

    private func tell() {
        while true {
            let events = self.untold.withLock { $0.take() }
            guard !events.isEmpty else { return }
            let listeners = self.listeners.withLock { $0 }
            for event in events { for listener in listeners { listener(event) } }
        }
    }

    // MARK: Sockets

    /// Adds a socket with the rooms that it has joined so far, which `connect` returns. It is called in the same critical
    /// section, so that no broadcast is sent to the socket before what it sends, and no room joined meanwhile is lost.
    /// Returns false when these are more rooms than it may be in; then it has joined those that fitted.
    func add(_ socket: Socket, connect: () -> Set<Room>) -> Bool {
        self.change { table, events, records in
            table.insert(socket, events: &events, recordsEvents: records)
            self.recovery?.began(socket)
            var fits = true
            for room in connect() {
                let joined = table.join(
                    socket.id, room, limit: self.maxRoomsPerSocket, events: &events, recordsEvents: records)
                if joined { self.recovery?.joined(room, socket.id) }
                fits = fits && joined
            }
            return fits
        }
    }

    /// Returns false when the socket is in as many rooms as it may be; then it has joined those that fitted.
    /// Nothing happens if it is not here any more, even if another one has its id: those of clients of protocol 4 come again.
    func join(_ socket: Socket, _ rooms: some Sequence<Room>) -> Bool {
        let id = socket.id
        return self.change { table, events, records in
            var fits = true
            guard table.has(socket) else { return true }
            for room in rooms {
                let joined = table.join(
                    id, room, limit: self.maxRoomsPerSocket, events: &events, recordsEvents: records)
                if joined { self.recovery?.joined(room, id) }
                fits = fits && joined
            }
            return fits
        }
    }

    func leave(_ socket: Socket, _ room: Room) {
        let id = socket.id
        self.change { table, events, records in
            guard table.has(socket) else { return }
            table.leave(id, room, events: &events, recordsEvents: records)
            self.recovery?.left(room, id)
        }
    }

    /// Takes a socket out of everything; returns the rooms it was in, or nil if it was not here.
    @discardableResult
    func remove(_ id: String) -> Set<Room>? {
        self.change { table, events, records in table.remove(id, events: &events, recordsEvents: records) }
    }

    func rooms(of socket: Socket) -> Set<Room> {
        self.table.withLock { $0.has(socket) ? $0.rooms(of: socket.id) : [] }
    }

    /// Number of sockets in the namespace on this server.
    public var socketCount: Int { self.table.withLock { $0.all.count } }

    /// Number of rooms, those of the sockets' own ids not counted.
    public var roomCount: Int { self.table.withLock { $0.rooms.count } }

    /// The names of the rooms, those of the sockets' own ids included.
    public var rooms: Set<Room> {
        self.table.withLock { Set($0.rooms.keys).union($0.sockets.keys.lazy.map { Room($0) }) }
    }

    /// Whether a socket of this server is in the room, or the session of one that is away and for which packets are kept here.
    public func hasMembers(_ room: Room) -> Bool { self.table.withLock { $0.exists(room) } }

    func select(_ target: BroadcastTarget) -> RoomTable.Selection { self.table.withLock { $0.select(target) } }

    func socket(id: String) -> Socket? { self.table.withLock { $0.sockets[id]?.socket } }

    // MARK: The adapter's operations, for this server's sockets

    /// Sends a packet to this server's sockets.
    public func broadcast(_ packet: BroadcastPacket, to target: BroadcastTarget) {
        if let recovery = self.recovery {
            if recovery.logs(target.flags) { return self.broadcastKept(packet, to: target, recovery) }
            if packet.encoded.endsInText { return self.broadcastUnkept(packet, to: target, recovery) }
        }
        if let form = self.form { return self.broadcast(packet, to: target, as: form) }
        let frames = packet.encoded.frames
        let isVolatile = target.flags.volatile
        let key = target.flags.conflationKey
        self.select(target).forEach { socket in
            socket.deliver(frames, isVolatile: isVolatile, key: key, event: packet)
        }
    }

    /// Sends a packet to this server's sockets and asks each for an acknowledgement.
    public func broadcastWithAck(_ packet: BroadcastPacket, to target: BroadcastTarget, collector: AckCollector) {
        var selected: [Socket] = []
        self.select(target).forEach { selected.append($0) }
        let sockets = selected
        guard let namespace = sockets.first?.namespace else { return collector.expectAnswers(from: []) }
        let id = namespace.nextAckID()
        do {
            var numbered = try PacketEncoder.withAckID(packet.encoded, namespace: namespace.name, id: id)
            if let form = self.form { numbered = try form.encode(frames: numbered.frames) }
            collector.expectAnswers(from: sockets.map(\.id))
            for socket in sockets {
                socket.deliver(
                    numbered, ackID: id, isVolatile: target.flags.volatile, event: packet, collector: collector)
            }
            collector.onFinish { for socket in sockets { socket.failAck(id, CancellationError()) } }
        } catch {
            collector.expectAnswers(from: [])
            namespace.report(error, socket: nil)
        }
    }

    /// Sends a packet of another server to this server's sockets and asks each for an acknowledgement: that server collects
    /// them.
    ///
    /// - Parameters:
    ///   - timeout: How long answers are waited for; later ones are not told.
    ///   - onAnswer: Called with the first argument of each answer, nil if it has none, on whatever thread it comes.
    /// - Returns: How many sockets were asked. The first answers may be told before this returns.
    public func broadcastWithAck(
        _ packet: BroadcastPacket,
        to target: BroadcastTarget,
        timeout: Duration,
        onAnswer: @escaping @Sendable (SocketIOValue?) -> Void
    ) -> Int {
        let collector = AckCollector(onAnswer: onAnswer)
        collector.expectServers(1)
        self.broadcastWithAck(packet, to: target, collector: collector)
        let expected = collector.expected
        guard expected > 0 else { return 0 }
        Task {
            let timer = Task {
                try await Task.sleep(for: timeout)
                collector.finish()
            }
            await collector.wait()
            timer.cancel()
            collector.finish()
        }
        return expected
    }

    /// Tells of this server's sockets.
    public func describeSockets(_ target: BroadcastTarget) -> [SocketDescription] {
        var sockets: [Socket] = []
        self.select(target).forEach { sockets.append($0) }
        return sockets.map { $0.describe() }
    }

    /// Has this server's sockets join rooms.
    public func socketsJoin(_ rooms: [Room], _ target: BroadcastTarget) {
        self.select(target).forEach { $0.join(rooms) }
    }

    /// Has this server's sockets leave rooms.
    public func socketsLeave(_ rooms: [Room], _ target: BroadcastTarget) {
        self.select(target).forEach { socket in for room in rooms { socket.leave(room) } }
    }

    /// Disconnects this server's sockets.
    public func disconnectSockets(_ target: BroadcastTarget, close: Bool) {
        self.select(target).forEach { $0.disconnect(close: close) }
    }
}
