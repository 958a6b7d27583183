import SocketIO
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The chat that `socketio serve` runs: rooms and names in `/`, an overview for those who know the token in `/admin`.
///
/// With several processes, each tells the others who is on it. What depends on that, the lists of users and the overview, each
/// tells its own clients; what happens goes to all.
final class Chat: Sendable {
    let io: SocketIOServer
    private let adminToken: String
    let isClustered: Bool
    let state = Mutex(ChatState(id: String(RandomToken.make().prefix(12))))
    /// Whether the others are going to be told soon.
    let isTelling = Atomic<Bool>(false)
    let heartbeat = Mutex<Task<Void, Never>?>(nil)

    init(io: SocketIOServer, adminToken: String, isClustered: Bool = false) {
        self.io = io
        self.adminToken = adminToken
        self.isClustered = isClustered
    }

    func start() {
        if self.isClustered { self.joinCluster() }
        self.io.onConnection { socket in
            socket.on(ChatEvents.join) { request in self.join(socket, request) }
            socket.on(ChatEvents.message) { request in self.post(socket, request) }
            socket.on(ChatEvents.typing) { request in self.typing(socket, request) }
            socket.on(ChatEvents.leave) {
                self.leave(socket)
                return Reply(ok: true)
            }
            socket.onDisconnect { (_: DisconnectReason) in
                self.leave(socket)
                self.hasChanged()
            }
            self.hasChanged()
        }

        struct Credentials: Decodable { var token: String }
        let admin = self.io.of("/admin")
        admin.use { socket in
            let given = try? socket.handshake.auth(as: Credentials.self).token
            guard let given, Self.areEqual(given, self.adminToken) else { throw ConnectError("The token is wrong.") }
        }
        admin.onConnection { socket in socket.emit(ChatEvents.overview, self.overview) }
    }

    // MARK: What clients ask for

    private func join(_ socket: Socket, _ request: JoinRequest) -> JoinReply {
        guard let name = Self.clean(request.name, limit: 32), let room = Self.clean(request.room, limit: 32) else {
            return JoinReply(ok: false, error: "Names and rooms have 1 to 32 characters.")
        }
        let (previous, refusal) = self.state.withLock { state in
            let previous = state.place(of: socket.id)
            return (previous, state.enter(socket.id, name: name, room: room))
        }
        if let refusal { return JoinReply(ok: false, error: refusal) }
        if let previous, previous.room != room || previous.name != name {
            socket.leave(Self.room(previous.room))
            self.announce("\(previous.name) has left.", previous.room)
        }
        socket.join(Self.room(room))
        if previous?.room != room || previous?.name != name {
            socket.to(Self.room(room)).emit(ChatEvents.notice, Notice(text: "\(name) has joined."))
        }
        let (users, history) = self.state.withLock { ($0.users(in: room), $0.history(of: room)) }
        socket.to(Self.room(room)).local.emit(ChatEvents.users, RoomUsers(room: room, users: users))
        self.hasChanged()
        return JoinReply(ok: true, users: users, history: history)
    }

    private func post(_ socket: Socket, _ request: MessageRequest) -> Reply {
        guard let text = Self.clean(request.text, limit: 2000) else {
            return Reply(ok: false, error: "A message has 1 to 2000 characters.")
        }
        let date = Date().formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true))
        let posted = self.state.withLock { state in
            state.place(of: socket.id).map { (state.post(text, in: $0, at: date + "Z"), $0.room) }
        }
        guard let (message, room) = posted else { return Reply(ok: false, error: "Join a room first.") }
        if self.isClustered { self.io.main.serverSideEmit(ChatClusterEvents.posted, room, message) }
        self.io.to(Self.room(room)).emit(ChatEvents.posted, message)
        return Reply(ok: true)
    }

    private func typing(_ socket: Socket, _ request: TypingRequest) {
        guard let place = self.state.withLock({ $0.place(of: socket.id) }) else { return }
        socket.to(Self.room(place.room)).volatile
            .emit(ChatEvents.typed, TypingNotice(name: place.name, active: request.active))
    }

    private func leave(_ socket: Socket) {
        guard let place = self.state.withLock({ $0.leave(socket.id) }) else { return }
        socket.leave(Self.room(place.room))
        self.announce("\(place.name) has left.", place.room)
        self.hasChanged()
    }

    private func announce(_ text: String, _ room: String) {
        self.io.to(Self.room(room)).emit(ChatEvents.notice, Notice(text: text))
        self.tellUsers(room)
    }

    /// Tells this server's clients who is in a room.
    func tellUsers(_ room: String) {
        let users = self.state.withLock { $0.users(in: room) }
        self.io.to(Self.room(room)).local.emit(ChatEvents.users, RoomUsers(room: room, users: users))
    }

    /// Somebody has come, gone or moved.
    private func hasChanged() {
        self.tellAdmins()
        if self.isClustered { self.tellOthersSoon() }
    }

    // MARK: The overview

    private var overview: Overview {
        let connections = self.io.main.local.socketCount
        return self.state.withLock { $0.overview(connections: connections) }
    }

    func tellAdmins() {
        self.io.of("/admin").local.emit(ChatEvents.overview, self.overview)
    }

    // MARK: Texts

    /// Rooms of the chat must not be mistaken for the room of a socket's own id.
    private static func room(_ name: String) -> Room { Room("chat:\(name)") }

    /// The text without white space around it; nil if nothing is left, or too much.
    static func clean(_ text: String, limit: Int) -> String? {
        var text = Substring(text)
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        guard !text.isEmpty, text.count <= limit, text.utf8.count <= limit * 16 else { return nil }
        return String(text)
    }

    /// Compares without telling by its duration how much is right.
    private static func areEqual(_ left: String, _ right: String) -> Bool {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
