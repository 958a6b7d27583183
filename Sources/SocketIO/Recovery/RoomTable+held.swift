import SocketIOCore

/// Rooms that clients who are away were in. They exist as long as these may come back: packets to them are kept, and adapters
/// that listen for single rooms go on listening.
extension RoomTable {
    func isHeld(_ room: Room) -> Bool { !self.held.isEmpty && self.held[room] != nil }

    mutating func hold(_ rooms: [Room]) {
        for room in rooms { self.held[room, default: 0] += 1 }
    }

    mutating func release(_ rooms: [Room], events: inout Events, recordsEvents: Bool) {
        for room in rooms {
            guard let count = self.held[room] else { continue }
            if count > 1 {
                self.held[room] = count - 1
            } else {
                self.held[room] = nil
                if recordsEvents, !self.exists(room) { events.append(.deleted(room)) }
            }
        }
    }

    /// Whether a room has a member, or somebody who may come back.
    func exists(_ room: Room) -> Bool {
        self.rooms[room] != nil || self.sockets[room.name] != nil || self.isHeld(room)
    }

    /// Whether a socket of that id is here, or may come back.
    func exists(id: String) -> Bool { self.sockets[id] != nil || self.isHeld(Room(id)) }

    /// Whether anybody is there for a packet, or may come back for it.
    func isWanted(_ target: BroadcastTarget) -> Bool {
        if target.rooms.isEmpty { return !self.all.isEmpty || !self.held.isEmpty }
        return target.rooms.contains { self.exists($0) }
    }
}
