import SocketIOCore

extension Socket {
    /// Joins rooms. Nothing happens for those it is in already, or after the disconnection. A socket may be in as many rooms
    /// as ``SocketIOConfiguration/maxRoomsPerSocket`` says; what goes beyond is reported to the error hook with the code
    /// `limitExceeded`.
    public func join(_ rooms: Room...) { self.join(rooms) }

    /// Joins rooms.
    public func join(_ rooms: some Sequence<Room>) {
        let isEarly = self.state.withLock { state in
            guard state.phase == .connecting else { return false }
            state.earlyRooms.formUnion(rooms)
            return true
        }
        if isEarly { return }
        if !self.namespace.local.join(self, rooms) {
            self.reportTooManyRooms()
        }
    }

    func reportTooManyRooms() {
        self.namespace.observation?.metrics?.exceeded(.maxRoomsPerSocket)
        self.report(Self.tooManyRooms)
    }

    static let tooManyRooms = SocketIOError(.limitExceeded, "a socket may be in maxRoomsPerSocket rooms and no more")

    /// Leaves a room. Nothing happens if it is not in it. The room of its own id can't be left.
    ///
    /// With connection state recovery over Redis Streams, what was sent to the room just before is still on its way then, and does not
    /// reach the socket.
    public func leave(_ room: Room) {
        let isEarly = self.state.withLock { state in
            guard state.phase == .connecting else { return false }
            state.earlyRooms.remove(room)
            return true
        }
        if !isEarly { self.namespace.local.leave(self, room) }
    }

    /// The rooms it is in, that of its own id included; empty after the disconnection.
    public var rooms: Set<Room> {
        let early = self.state.withLock { $0.phase == .connecting ? $0.earlyRooms : nil }
        return early ?? self.namespace.local.rooms(of: self)
    }
}
