import SocketIO
import SocketIOCore

extension ClusterBody {
    /// Writes the message's `data`, keys in the reference's order.
    func write(to writer: inout some FieldWriter) throws(SocketIOError) {
        switch self {
        case .broadcast(let event, let requestID, let target):
            writer.openObject(requestID == nil ? 2 : 3)
            writer.key("packet")
            writer.openObject(2)
            writer.key("type")
            writer.integer(2)
            writer.key("data")
            try writer.event(event)
            writer.closeObject()
            if let requestID { writer.member("requestId", requestID) }
            target.write(to: &writer)
        case .socketsJoin(let rooms, let target), .socketsLeave(let rooms, let target):
            writer.openObject(2)
            target.write(to: &writer)
            writer.member("rooms", rooms)
        case .disconnectSockets(let target, let close):
            writer.openObject(2)
            target.write(to: &writer)
            writer.key("close")
            writer.bool(close)
        case .fetchSockets(let target, let requestID):
            writer.openObject(2)
            target.write(to: &writer)
            writer.member("requestId", requestID)
        case .fetchSocketsResponse(let sockets, let requestID):
            writer.openObject(2)
            writer.member("requestId", requestID)
            writer.key("sockets")
            writer.openArray(sockets.count)
            for socket in sockets { try writer.value(socket.value) }
            writer.closeArray()
        case .serverSideEmit(let event, let requestID):
            writer.openObject(requestID == nil ? 1 : 2)
            if let requestID { writer.member("requestId", requestID) }
            writer.key("packet")
            try writer.event(event)
        case .serverSideEmitResponse(let value, let requestID), .broadcastAck(let value, let requestID):
            writer.openObject(value == nil ? 1 : 2)
            writer.member("requestId", requestID)
            if let value {
                writer.key("packet")
                try writer.value(value)
            }
        case .broadcastClientCount(let count, let requestID):
            writer.openObject(2)
            writer.member("requestId", requestID)
            writer.key("clientCount")
            writer.integer(count)
        }
        writer.closeObject()
    }
}

extension FieldWriter {
    fileprivate mutating func member(_ key: String, _ text: String) {
        self.key(key)
        self.string(text)
    }

    /// Rooms, each once: the reference has them in sets.
    fileprivate mutating func member(_ key: String, _ rooms: [Room]) {
        let rooms = rooms.distinct
        self.key(key)
        self.openArray(rooms.count)
        for room in rooms { self.string(room.name) }
        self.closeArray()
    }
}

extension BroadcastTarget {
    /// Writes `opts`. `local` never leaves a server, and `broadcast` is no flag of the reference's servers.
    fileprivate func write(to writer: inout some FieldWriter) {
        writer.key("opts")
        writer.openObject(3)
        writer.member("rooms", self.rooms)
        writer.member("except", self.except)
        writer.key("flags")
        let flags = self.flags
        let count = (flags.compress == nil ? 0 : 1) + (flags.volatile ? 1 : 0) + (flags.timeout == nil ? 0 : 1)
        writer.openObject(count + (flags.expectsSingleResponse ? 1 : 0))
        if flags.expectsSingleResponse {
            writer.key("expectSingleResponse")
            writer.bool(true)
        }
        if let compress = flags.compress {
            writer.key("compress")
            writer.bool(compress)
        }
        if flags.volatile {
            writer.key("volatile")
            writer.bool(true)
        }
        if let timeout = flags.timeout {
            writer.key("timeout")
            writer.integer(timeout.milliseconds)
        }
        writer.closeObject()
        writer.closeObject()
    }
}

extension [Room] {
    /// Without repetitions, in order.
    var distinct: [Room] {
        guard self.count > 1 else { return self }
        var seen = Set<Room>(minimumCapacity: self.count)
        return self.filter { seen.insert($0).inserted }
    }
}

extension Duration {
    /// In whole milliseconds, within what a timer can wait.
    var milliseconds: Int {
        let (seconds, attoseconds) = self.components
        guard seconds < 1_000_000_000_000 else { return 1_000_000_000_000_000 }
        guard seconds >= 0 else { return 0 }
        return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
    }
}
