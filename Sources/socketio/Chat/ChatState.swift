/// Who is where, and what was said last. A value; ``Chat`` guards it.
struct ChatState: Sendable {
    struct Place: Sendable {
        var room: String
        var name: String
    }

    struct ChatRoom: Sendable {
        /// Names by socket id, in no order.
        var names: [String: String] = [:]
        var history: [ChatMessage] = []
    }

    static let maxRooms = 1000
    static let maxHistory = 50

    private(set) var rooms: [String: ChatRoom] = [:]
    private var places: [String: Place] = [:]
    private var lastMessage = 0

    /// Where a socket is.
    func place(of id: String) -> Place? { self.places[id] }

    func users(in room: String) -> [String] { self.rooms[room]?.names.values.sorted() ?? [] }

    /// Lets a socket enter a room, which it leaves another for. Returns why it can't, or nil.
    mutating func enter(_ id: String, name: String, room: String) -> String? {
        let names = self.rooms[room]?.names ?? [:]
        if names.contains(where: { $0.key != id && $0.value == name }) { return "That name is taken in this room." }
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
        if self.rooms[place.room]?.names.isEmpty == true { self.rooms[place.room] = nil }
        return place
    }

    mutating func post(_ text: String, in place: Place, at date: String) -> ChatMessage {
        self.lastMessage += 1
        let message = ChatMessage(id: String(self.lastMessage), name: place.name, text: text, at: date)
        self.rooms[place.room]?.history.append(message)
        if let count = self.rooms[place.room]?.history.count, count > Self.maxHistory {
            self.rooms[place.room]?.history.removeFirst(count - Self.maxHistory)
        }
        return message
    }

    func history(of room: String) -> [ChatMessage] { self.rooms[room]?.history ?? [] }

    func overview(connections: Int) -> Overview {
        let rooms = self.rooms.map { Overview.ChatRoom(name: $0.key, users: $0.value.names.values.sorted()) }
        return Overview(rooms: rooms.sorted { $0.name < $1.name }, connections: connections)
    }
}
