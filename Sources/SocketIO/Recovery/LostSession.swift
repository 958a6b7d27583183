import SocketIOCore

/// What is kept of a socket whose connection was lost.
package struct LostSession: Sendable {
    package var sid: String
    /// The private id of the session: who knows it can continue it.
    package var pid: String
    package var history: RoomHistory
    package var data: [String: any Codable & Sendable]
    /// Until when it is kept, in nanoseconds of `NIODeadline`.
    package var deadline: UInt64
    /// Whether it is known where it has begun. Without that a client that has got nothing can't go on.
    package var startIsKnown = true
    /// Whether it is known to be of the namespace that it is continued in. Without that middlewares are never left out.
    package var namespaceIsKnown = true

    package init(
        sid: String, pid: String, history: RoomHistory, data: [String: any Codable & Sendable], deadline: UInt64 = .max
    ) {
        self.sid = sid
        self.pid = pid
        self.history = history
        self.data = data
        self.deadline = deadline
    }

    var ownRoom: Room { Room(self.sid) }

    /// What says whether a packet went to it.
    package var attendance: Attendance { Attendance(self.history, own: self.ownRoom) }

    /// The rooms it was in, its own included.
    package var rooms: [Room] { [self.ownRoom] + self.history.since.keys }
}

/// What a client says that wants to go on.
struct RecoveryRequest: Sendable {
    let pid: String
    /// Of the last event that it has got; nil: it has got none.
    let offset: Offset?

    enum Offset: Sendable {
        case text(String)
        case invalid
    }

    /// Nil if it does not want to.
    init?(_ auth: SocketIOValue) {
        guard let pid = auth["pid"]?.stringValue else { return nil }
        self.pid = pid
        switch auth["offset"] {
        case nil, .null?: self.offset = nil
        case .string(let text)? where text.utf8.count <= 256: self.offset = .text(text)
        default: self.offset = .invalid
        }
    }
}
