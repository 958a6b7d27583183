import SocketIOCore

/// In which rooms a session was, and from where to where. A packet that is on its way when the connection breaks is missed although the
/// socket has left the room since, and one that was sent before the socket joined is not. ``Attendance`` answers questions about it.
package struct RoomHistory: Sendable, Hashable {
    /// A time in a room that is over: behind `from`, up to `to`.
    package struct Stay: Sendable, Hashable {
        package var room: Room
        package var from: RecoveryPosition
        package var to: RecoveryPosition

        package init(room: Room, from: RecoveryPosition, to: RecoveryPosition) {
            self.room = room
            self.from = from
            self.to = to
        }
    }

    /// Where the session began: what was sent before is nothing to it.
    package var start: RecoveryPosition
    /// The rooms it is in, that of its own id not among them, and since when.
    package var since: [Room: RecoveryPosition] = [:]
    package var past: [Stay] = []
    /// Stays up to here were forgotten: there were too many.
    package var forgottenUpTo = RecoveryPosition()

    package init(start: RecoveryPosition) { self.start = start }

    mutating func join(_ room: Room, at position: RecoveryPosition) {
        if self.since[room] == nil { self.since[room] = position }
    }

    /// - Parameter oldest: Nothing up to there can be missed any more.
    mutating func leave(_ room: Room, at position: RecoveryPosition, oldest: RecoveryPosition) {
        guard let from = self.since.removeValue(forKey: room), from < position else { return }
        if self.past.count >= Self.maxStays {
            self.past.removeAll { $0.to <= oldest }
            let surplus = self.past.count - Self.maxStays / 2
            if surplus > 0 {
                // They lie in the order of their ends.
                self.forgottenUpTo = self.past[surplus - 1].to
                self.past.removeFirst(surplus)
            }
        }
        self.past.append(Stay(room: room, from: from, to: position))
    }

    static var maxStays: Int { 256 }
}
