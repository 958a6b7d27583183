/// Who is where, and what was said last. A value; ``Chat`` guards it.
struct ChatState: Sendable {
    struct Place: Sendable {
        var room: String
        var name: String
    }

    struct ChatRoom: Sendable {
        /// Names by socket id, in no order; those of this server.
        var names: [String: String] = [:]
        var history: [ChatMessage] = []
    }

    /// Who is on another server.
    struct Server: Sendable {
        var rooms: [String: [String]]
        var connections: Int
        var heard: ContinuousClock.Instant
        /// Of the last word.
        var number: Int
    }

    static let maxRooms = 1000
    static let maxHistory = 50
    static let maxServers = 1000

    /// This server's id, part of the ids of its messages.
    let id: String
    private var lastNumber = 0
    private(set) var rooms: [String: ChatRoom] = [:]
    private(set) var servers: [String: Server] = [:]
    private var places: [String: Place] = [:]
    private var lastMessage = 0

    init(id: String) { self.id = id }

    /// Where a socket of this server is.
    func place(of id: String) -> Place? { self.places[id] }

    func users(in room: String) -> [String] {
        (Array((self.rooms[room]?.names ?? [:]).values) + self.elsewhere(in: room)).sorted()
    }

    private func elsewhere(in room: String) -> [String] { self.servers.values.flatMap { $0.rooms[room] ?? [] } }

    /// Lets a socket enter a room, which it leaves another for. Returns why it can't, or nil.
    mutating func enter(_ id: String, name: String, room: String) -> String? {
        let names = self.rooms[room]?.names ?? [:]
        if names.contains(where: { $0.key != id && $0.value == name }) || self.elsewhere(in: room).contains(name) {
            return "That name is taken in this room."
        }
        if self.rooms[room] == nil, self.rooms.count >= Self.maxRooms { return "There are too many rooms." }
        self.leave(id)
        self.rooms[room, default: ChatRoom()].names[id] = name
        self.places[id] = Place(room: room, name: name)
        return nil
    }

    /// Returns where it was.
    @discardableResult
    mutating func leave(_ id: String) -> Place? {
        guard let place = self.places.removeValue(forKey: id) else { return nil }
        self.rooms[place.room]?.names[id] = nil
        self.forgetIfEmpty(place.room)
        return place
    }

    private mutating func forgetIfEmpty(_ room: String) {
        if self.rooms[room]?.names.isEmpty == true, self.elsewhere(in: room).isEmpty { self.rooms[room] = nil }
    }

    mutating func post(_ text: String, in place: Place, at date: String) -> ChatMessage {
        self.lastMessage += 1
        let message = ChatMessage(id: "\(self.id)-\(self.lastMessage)", name: place.name, text: text, at: date)
        self.remember([message], in: place.room)
        return message
    }

    /// Adds to the history of a room what is not in it yet, in the order of time.
    mutating func remember(_ messages: [ChatMessage], in room: String) {
        guard self.rooms[room] != nil || self.rooms.count < Self.maxRooms else { return }
        var history = self.rooms[room]?.history ?? []
        let known = Set(history.map(\.id))
        for message in messages.suffix(Self.maxHistory) where !known.contains(message.id) {
            let index = history.lastIndex { $0.at <= message.at }.map { $0 + 1 } ?? 0
            history.insert(message, at: index)
        }
        self.rooms[room, default: ChatRoom()].history = history.suffix(Self.maxHistory)
        self.forgetIfEmpty(room)
    }

    func history(of room: String) -> [ChatMessage] { self.rooms[room]?.history ?? [] }

    func overview(connections: Int) -> Overview {
        let names = Set(self.rooms.keys).union(self.servers.values.flatMap(\.rooms.keys))
        let rooms = names.map { Overview.ChatRoom(name: $0, users: self.users(in: $0)) }.filter { !$0.users.isEmpty }
        return Overview(
            rooms: rooms.sorted { $0.name < $1.name },
            connections: self.servers.values.reduce(connections) { $0 + $1.connections }
        )
    }

    // MARK: Other servers

    /// Who is on this server.
    mutating func presence(connections: Int) -> ChatPresence {
        self.lastNumber += 1
        let rooms = self.rooms.filter { !$0.value.names.isEmpty }.map { name, room in
            Overview.ChatRoom(name: name, users: room.names.values.sorted())
        }
        return ChatPresence(server: self.id, rooms: rooms, connections: connections, number: self.lastNumber)
    }

    /// Nobody is on this server any more, whatever it has said before.
    var farewell: ChatPresence { ChatPresence(server: self.id, rooms: [], connections: 0, number: .max) }

    var histories: [ChatSnapshot.History] {
        self.rooms.map { ChatSnapshot.History(room: $0.key, messages: $0.value.history) }
    }

    /// Takes note of who is on another server; returns the rooms where that has changed something, or nil if nothing has changed.
    mutating func hear(_ presence: ChatPresence, at now: ContinuousClock.Instant) -> Set<String>? {
        guard presence.server != self.id else { return nil }
        let old = self.servers[presence.server]
        guard old != nil || self.servers.count < Self.maxServers else { return nil }
        if let old, presence.number <= old.number { return nil }
        var rooms: [String: [String]] = [:]
        for room in presence.rooms.prefix(Self.maxRooms) { rooms[room.name] = room.users }
        self.servers[presence.server] = Server(
            rooms: rooms, connections: max(0, min(presence.connections, 1 << 32)), heard: now,
            number: presence.number)
        let changed = self.changes(from: old?.rooms ?? [:], to: rooms)
        return changed.isEmpty && old?.connections == presence.connections ? nil : changed
    }

    /// Forgets servers of which nothing was heard for some time; as ``hear(_:at:)``.
    mutating func forget(silentSince limit: ContinuousClock.Instant) -> Set<String>? {
        let silent = self.servers.filter { $0.value.heard < limit }
        guard !silent.isEmpty else { return nil }
        var changed: Set<String> = []
        for (id, server) in silent {
            self.servers[id] = nil
            changed.formUnion(self.changes(from: server.rooms, to: [:]))
        }
        return changed
    }

    private mutating func changes(from old: [String: [String]], to new: [String: [String]]) -> Set<String> {
        let changed = Set(old.keys).union(new.keys).filter { old[$0] != new[$0] }
        for room in changed {
            // The history of a room that begins elsewhere begins here too.
            if self.rooms[room] == nil, new[room]?.isEmpty == false, self.rooms.count < Self.maxRooms {
                self.rooms[room] = ChatRoom()
            }
            self.forgetIfEmpty(room)
        }
        return changed
    }
}
