import SocketIO

/// The events between the servers of a chat that runs in several processes.
enum ChatClusterEvents {
    /// Who is on a server now: all of it, so that a message that was lost does no harm.
    static let here = "chat:here"
    /// A message, for the history.
    static let posted = "chat:posted"
    /// Asked by a server that has just begun.
    static let hello = "chat:hello"
}

/// Who is on a server.
struct ChatPresence: Codable, Sendable {
    /// The server's id.
    var server: String
    var rooms: [Overview.ChatRoom]
    var connections: Int
    /// Greater than in what the server has said before: answers to questions may come later than news.
    var number: Int
}

/// What a server that has just begun is told.
struct ChatSnapshot: Codable, Sendable {
    struct History: Codable, Sendable {
        var room: String
        var messages: [ChatMessage]
    }

    var presence: ChatPresence
    var history: [History]
}
