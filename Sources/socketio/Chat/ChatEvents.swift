import SocketIO

/// The events between the chat page and its server; the page's script says the same.
enum ChatEvents {
    static let join = AckEvent<JoinReply, JoinRequest>("join")
    static let message = AckEvent<Reply, MessageRequest>("message")
    static let typing = Event<TypingRequest>("typing")
    static let leave = AckEvent<Reply>("leave")

    static let posted = Event<ChatMessage>("message")
    static let typed = Event<TypingNotice>("typing")
    static let users = Event<RoomUsers>("users")
    static let notice = Event<Notice>("notice")
    static let overview = Event<Overview>("overview")
}

struct JoinRequest: Codable, Sendable {
    var name: String
    var room: String
}

struct JoinReply: Codable, Sendable {
    var ok: Bool
    var error: String?
    var users: [String]?
    var history: [ChatMessage]?
}

struct MessageRequest: Codable, Sendable { var text: String }

struct TypingRequest: Codable, Sendable { var active: Bool }

struct Reply: Codable, Sendable {
    var ok: Bool
    var error: String?
}

struct ChatMessage: Codable, Sendable {
    var id: String
    var name: String
    var text: String
    var at: String
}

struct TypingNotice: Codable, Sendable {
    var name: String
    var active: Bool
}

struct RoomUsers: Codable, Sendable {
    var room: String
    var users: [String]
}

struct Notice: Codable, Sendable { var text: String }

struct Overview: Codable, Sendable {
    struct ChatRoom: Codable, Sendable {
        var name: String
        var users: [String]
    }

    var rooms: [ChatRoom]
    var connections: Int
}
