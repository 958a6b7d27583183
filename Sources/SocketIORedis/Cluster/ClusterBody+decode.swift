import NIOCore
import SocketIO
import SocketIOCore

extension ClusterBody {
    /// Reads what a message of another server says. Nil for heartbeats and the like, which say nothing to us.
    ///
    /// - Throws: ``SocketIOError`` if something is missing or of another form.
    init?(_ type: ClusterMessageType, _ data: MessageField?) throws(SocketIOError) {
        switch type {
        case .initialHeartbeat, .heartbeat, .adapterClose: return nil
        default: break
        }
        guard let data else { throw .malformed("a message without data") }
        let fields = try Fields(data)
        switch type {
        case .initialHeartbeat, .heartbeat, .adapterClose: return nil
        case .broadcast: self = .broadcast(try fields.event(), requestID: fields.requestID, try fields.target())
        case .socketsJoin: self = .socketsJoin(try fields.rooms(), try fields.target())
        case .socketsLeave: self = .socketsLeave(try fields.rooms(), try fields.target())
        case .disconnectSockets:
            self = .disconnectSockets(try fields.target(), close: fields.close?.value?.boolValue ?? false)
        case .fetchSockets: self = .fetchSockets(try fields.target(), requestID: try fields.neededRequestID())
        case .fetchSocketsResponse:
            guard let sockets = fields.sockets?.value?.arrayValue else { throw .malformed("an answer without sockets") }
            self = .fetchSocketsResponse(
                sockets.compactMap { SocketDescription($0) }, requestID: try fields.neededRequestID())
        case .serverSideEmit:
            guard let packet = fields.packet else { throw .malformed("a message without a packet") }
            self = .serverSideEmit(ClusterEvent(packet), requestID: fields.requestID)
        case .serverSideEmitResponse:
            self = .serverSideEmitResponse(try fields.answer(), requestID: try fields.neededRequestID())
        case .broadcastClientCount:
            guard let count = fields.clientCount?.integer, count >= 0 else {
                throw .malformed("an answer without a number of clients")
            }
            self = .broadcastClientCount(count, requestID: try fields.neededRequestID())
        case .broadcastAck: self = .broadcastAck(try fields.answer(), requestID: try fields.neededRequestID())
        }
    }
}

/// The members of a message's `data`.
private struct Fields {
    var packet: MessageField?
    var opts: MessageField?
    var requestID: String?
    var roomsField: MessageField?
    var close: MessageField?
    var sockets: MessageField?
    var clientCount: MessageField?

    init(_ data: MessageField) throws(SocketIOError) {
        var fields = (
            packet: MessageField?.none, opts: MessageField?.none, id: String?.none, rooms: MessageField?.none,
            close: MessageField?.none, sockets: MessageField?.none, count: MessageField?.none
        )
        try data.forEachMember { key, field in
            switch key {
            case "packet": fields.packet = field
            case "opts": fields.opts = field
            case "requestId": fields.id = field.string
            case "rooms": fields.rooms = field
            case "close": fields.close = field
            case "sockets": fields.sockets = field
            case "clientCount": fields.count = field
            default: break
            }
        }
        self.packet = fields.packet
        self.opts = fields.opts
        self.requestID = fields.id
        self.roomsField = fields.rooms
        self.close = fields.close
        self.sockets = fields.sockets
        self.clientCount = fields.count
    }

    func neededRequestID() throws(SocketIOError) -> String {
        guard let id = self.requestID else { throw .malformed("a message without a request id") }
        return id
    }

    /// The event of a broadcast: the data of its packet.
    func event() throws(SocketIOError) -> ClusterEvent {
        var data: MessageField?
        var hasID = false
        try self.packet?.forEachMember { key, field in
            if key == "data" { data = field }
            if key == "id" { hasID = field.integer != nil }
        }
        guard let data else { throw .malformed("a broadcast without an event") }
        return ClusterEvent(data, hasID: hasID)
    }

    /// The first argument of an answer; nil if there is none.
    func answer() throws(SocketIOError) -> SocketIOValue? {
        guard let packet = self.packet else { return nil }
        guard let value = packet.value else { throw .malformed("an answer that can't be decoded") }
        return value
    }

    func rooms() throws(SocketIOError) -> [Room] {
        guard let rooms = self.roomsField?.value?.arrayValue else { throw .malformed("a message without rooms") }
        return rooms.compactMap { Room($0) }
    }

    /// Emitters and older versions leave things out, but not the rooms. No rooms at all are everybody, so a list with anything else
    /// in it is refused as a whole: `[null]` is what Node.js makes of `to(undefined)`, and means nobody.
    func target() throws(SocketIOError) -> BroadcastTarget {
        guard let opts = self.opts?.value?.objectValue else { throw .malformed("a message without opts") }
        guard let elements = opts["rooms"]?.arrayValue else { throw .malformed("a target without rooms") }
        let rooms = elements.compactMap { Room($0) }
        guard rooms.count == elements.count else { throw .malformed("a room that has no name") }
        var target = BroadcastTarget(
            rooms: rooms,
            except: opts["except"]?.arrayValue?.compactMap { Room($0) } ?? []
        )
        let flags = opts["flags"]
        target.flags.volatile = flags?["volatile"]?.boolValue ?? false
        target.flags.compress = flags?["compress"]?.boolValue
        target.flags.broadcast = flags?["broadcast"]?.boolValue ?? false
        if let timeout = flags?["timeout"]?.doubleValue, timeout >= 0 {
            // What came over a network may be any number.
            target.flags.timeout = .milliseconds(min(timeout, 86_400_000))
        }
        return target
    }
}
