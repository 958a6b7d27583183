import SocketIOCore

/// Who is in which room of a namespace, on this server. A value; ``LocalAdapter`` guards it with one lock.
///
/// The room of a socket's own id is not stored: it is the socket's entry in `sockets`.
struct RoomTable: Sendable {
    struct Entry: Sendable {
        let socket: Socket
        /// The rooms that the socket has joined, and its position in each.
        var rooms: [Room: Int] = [:]
        /// Its position among all.
        var position: Int
    }

    private(set) var sockets: [String: Entry] = [:]
    private(set) var rooms: [Room: MemberList] = [:]
    private(set) var all = MemberList()
    /// How many sessions of clients that are away were in a room; see `RoomTable+held.swift`.
    var held: [Room: Int] = [:]

    /// What has changed, for the listeners to room events.
    typealias Events = [RoomEvent]

    /// Whether this socket is here, and not another one with its id.
    func has(_ socket: Socket) -> Bool { self.sockets[socket.id]?.socket === socket }

    // MARK: Changes

    mutating func insert(_ socket: Socket, events: inout Events, recordsEvents: Bool) {
        guard self.sockets[socket.id] == nil else { return }
        self.sockets[socket.id] = Entry(socket: socket, position: self.all.append(socket))
        if recordsEvents {
            let own = Room(socket.id)
            if self.rooms[own] == nil, !self.isHeld(own) { events.append(.created(own)) }
            events.append(.joined(own, socketID: socket.id))
        }
    }

    /// Has a socket join a room. Nothing happens if the socket is not in the table or in the room already. Returns false if
    /// the socket may be in no more rooms.
    mutating func join(
        _ id: String,
        _ room: Room,
        limit: Int,
        events: inout Events,
        recordsEvents: Bool
    ) -> Bool {
        guard let index = self.sockets.index(forKey: id) else { return true }
        if room.name == id || self.sockets.values[index].rooms[room] != nil { return true }
        guard self.sockets.values[index].rooms.count < limit else { return false }
        if recordsEvents, !self.exists(room) { events.append(.created(room)) }
        // Of the entry nothing but the socket is held meanwhile: a copy of its rooms would have them copied at the next line.
        let socket = self.sockets.values[index].socket
        let position = self.rooms[room, default: MemberList()].append(socket)
        self.sockets.values[index].rooms[room] = position
        if recordsEvents { events.append(.joined(room, socketID: id)) }
        return true
    }

    mutating func leave(_ id: String, _ room: Room, events: inout Events, recordsEvents: Bool) {
        guard let index = self.sockets.index(forKey: id),
            let position = self.sockets.values[index].rooms.removeValue(forKey: room)
        else { return }
        self.removeMember(at: position, of: room)
        if recordsEvents {
            events.append(.left(room, socketID: id))
            if !self.exists(room) { events.append(.deleted(room)) }
        }
    }

    /// Takes a socket out of all rooms and out of the table. Returns the rooms, its own included, or nil if it was not there.
    mutating func remove(_ id: String, events: inout Events, recordsEvents: Bool) -> Set<Room>? {
        guard let entry = self.sockets.removeValue(forKey: id) else { return nil }
        if let moved = self.all.remove(at: entry.position) { self.sockets[moved.id]?.position = entry.position }
        for (room, position) in entry.rooms {
            self.removeMember(at: position, of: room)
            if recordsEvents {
                events.append(.left(room, socketID: id))
                if !self.exists(room) { events.append(.deleted(room)) }
            }
        }
        let own = Room(id)
        if recordsEvents {
            events.append(.left(own, socketID: id))
            if self.rooms[own] == nil, !self.isHeld(own) { events.append(.deleted(own)) }
        }
        return Set(entry.rooms.keys).union([own])
    }

    private mutating func removeMember(at position: Int, of room: Room) {
        guard let index = self.rooms.index(forKey: room) else { return }
        let moved = self.rooms.values[index].remove(at: position)
        if let moved { self.sockets[moved.id]?.rooms[room] = position }
        if self.rooms.values[index].isEmpty { self.rooms.remove(at: index) }
    }

    // MARK: Questions

    func rooms(of id: String) -> Set<Room> {
        guard let entry = self.sockets[id] else { return [] }
        return Set(entry.rooms.keys).union([Room(id)])
    }

    /// The sockets that a target names, each once.
    func select(_ target: BroadcastTarget) -> Selection {
        let excluded = self.excluded(by: target.except)
        if target.rooms.isEmpty { return Selection(chunks: self.all.chunks, excluded: excluded) }
        if target.rooms.count == 1 {
            let room = target.rooms[0]
            guard let own = self.sockets[room.name]?.socket else {
                return Selection(chunks: self.rooms[room]?.chunks ?? [], excluded: excluded)
            }
            // Others may have joined a room named like a socket.
            return Selection(chunks: [[own]] + (self.rooms[room]?.chunks ?? []), excluded: excluded)
        }
        var seen = Set<ObjectIdentifier>()
        var list: [Socket] = []
        for room in target.rooms {
            if let own = self.sockets[room.name]?.socket, seen.insert(ObjectIdentifier(own)).inserted {
                list.append(own)
            }
            for chunk in self.rooms[room]?.chunks ?? [] {
                for socket in chunk where seen.insert(ObjectIdentifier(socket)).inserted { list.append(socket) }
            }
        }
        return Selection(chunks: [list], excluded: excluded)
    }

    private func excluded(by rooms: [Room]) -> Set<ObjectIdentifier> {
        guard !rooms.isEmpty else { return [] }
        var excluded = Set<ObjectIdentifier>()
        for room in rooms {
            if let own = self.sockets[room.name]?.socket { excluded.insert(ObjectIdentifier(own)) }
            for chunk in self.rooms[room]?.chunks ?? [] {
                for socket in chunk { excluded.insert(ObjectIdentifier(socket)) }
            }
        }
        return excluded
    }

    /// Sockets as they were at one moment.
    struct Selection: Sendable {
        let chunks: [[Socket]]
        let excluded: Set<ObjectIdentifier>

        @inline(__always)
        func forEach(_ body: (Socket) -> Void) {
            if self.excluded.isEmpty {
                for chunk in self.chunks { for socket in chunk { body(socket) } }
            } else {
                for chunk in self.chunks {
                    for socket in chunk where !self.excluded.contains(ObjectIdentifier(socket)) { body(socket) }
                }
            }
        }
    }
}

/// A change of rooms on this server; see ``LocalAdapter/onRoomEvent(_:)``. A socket's own room is told too.
public enum RoomEvent: Sendable, Hashable {
    /// The room got its first member.
    case created(Room)
    case joined(Room, socketID: String)
    case left(Room, socketID: String)
    /// The room has lost its last member.
    case deleted(Room)
}
