import RESP
import SocketIOCore

/// The channels of one namespace.
struct ClassicChannels: Sendable {
    /// Broadcasts; those to one room are published to a channel that begins so.
    let broadcast: String
    let request: String
    let response: String
    /// Answers for this server only.
    let ownResponse: String
    /// What only servers of this package say to each other; no pattern of the reference matches it.
    let peers: String

    init(key: String, namespace: String, uid: String) {
        self.broadcast = "\(key)#\(namespace)#"
        self.request = "\(key)-request#\(namespace)#"
        self.response = "\(key)-response#\(namespace)#"
        self.ownResponse = "\(self.response)\(uid)#"
        self.peers = "swift-socketio#\(key)#\(namespace)#"
    }

    /// Subscribed in the reference's order. The request channel is no pattern: Redis counts servers by it.
    var subscribed: [RedisChannel] {
        [
            RedisChannel(.pattern, Self.escape(self.broadcast) + "*"),
            RedisChannel(.channel, self.request),
            RedisChannel(.channel, self.response),
            RedisChannel(.channel, self.ownResponse),
        ]
    }

    func room(_ room: Room) -> String { "\(self.broadcast)\(room.name)#" }

    /// The room that a channel of a broadcast names; nil if it is for all, or names the room without a name.
    func room(of channel: String) -> Room? {
        let name = channel.utf8.dropFirst(self.broadcast.utf8.count).dropLast()
        return name.isEmpty ? nil : Room(String(decoding: name, as: UTF8.self))
    }

    func response(to uid: String) -> String { "\(self.response)\(uid)#" }

    /// Matches the channels of answers for one server.
    var responsePattern: String { Self.escape(self.response) + "*#" }

    /// The server whose channel that is; nil if it is of another namespace.
    func uid(ofResponseChannel channel: String) -> String? {
        guard channel.hasPrefix(self.response), channel.hasSuffix("#") else { return nil }
        let uid = String(decoding: channel.utf8.dropFirst(self.response.utf8.count).dropLast(), as: UTF8.self)
        return ClassicID.isID(uid) ? uid : nil
    }

    /// The text as a pattern that matches nothing else.
    static func escape(_ text: String) -> String {
        // Redis goes by bytes: a character that something is combined with is special too.
        let special = Array("*?[\\".utf8)
        guard text.utf8.contains(where: special.contains) else { return text }
        let escaped = text.utf8.flatMap { special.contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] }
        return String(decoding: escaped, as: UTF8.self)
    }
}

/// The ids of servers and requests.
enum ClassicID {
    private static let length = 6
    private static let characters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    static func make() -> String {
        var random = SystemRandomNumberGenerator()
        var bits = random.next() as UInt64
        return String(
            decoding: (0..<Self.length).map { _ in
                defer { bits >>= 6 }
                return Self.characters[Int(bits & 63)]
            },
            as: UTF8.self
        )
    }

    static func isID(_ text: String) -> Bool {
        text.utf8.count == Self.length && text.utf8.allSatisfy { Self.characters.contains($0) }
    }
}
