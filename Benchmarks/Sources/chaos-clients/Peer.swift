import Logging
import SocketIOClient
import Synchronization

/// A client that joins rooms and notes what it gets in them.
final class Peer: Sendable {
    /// What has come between two gaps, by rooms.
    struct Segment {
        /// Since when it is in a room: what comes behind must arrive.
        var joined: [String: UInt64] = [:]
        var messages: [String: [UInt64]] = [:]
    }

    struct State {
        var id: String?
        var segments = [Segment()]
        var connections = 0
        var recovered = 0
        var gaps: [String: Int] = [:]
        /// Messages without an offset, or not to be understood.
        var strange = 0
    }

    let rooms: [String]
    let client: SocketIOClient
    let state = Mutex(State())

    init(port: Int, number: Int, rooms: [String]) {
        self.rooms = rooms
        var configuration = SocketIOClientConfiguration()
        configuration.transports = number % 4 == 0 ? [.polling, .websocket] : [.websocket]
        configuration.reconnection.delay = .milliseconds(20)
        configuration.reconnection.maxDelay = .milliseconds(500)
        configuration.forceNew = true
        configuration.logger = Logger(label: "chaos") { _ in SwiftLogNoOpLogHandler() }
        self.client = SocketIOClient("http://127.0.0.1:\(port)", configuration: configuration)
        self.client.onConnect { [weak self] in self?.hasConnected() }
        self.client.on("joined") { [weak self] (room: String, offset: String?) in self?.hasJoined(room, offset) }
        self.client.on("msg") { [weak self] (text: String, _: Int, offset: String?) in self?.received(text, offset) }
    }

    private func hasConnected() {
        let (id, failure) = (self.client.id, self.client.recoveryFailure)
        let missing = self.state.withLock { state in
            state.connections += 1
            if let old = state.id, old == id { state.recovered += 1 }
            if let old = state.id, old != id {
                state.segments.append(Segment())
                state.gaps[failure?.rawValue ?? "not said", default: 0] += 1
            }
            state.id = id
            return self.rooms.filter { state.segments.last?.joined[$0] == nil }
        }
        for room in missing { self.client.emit("join", room) }
    }

    private func hasJoined(_ room: String, _ offset: String?) {
        let position = Position.parse(offset)
        self.state.withLock { state in
            guard let position else { return state.strange += 1 }
            let last = state.segments.count - 1
            if state.segments[last].joined[room] == nil { state.segments[last].joined[room] = position }
        }
    }

    private func received(_ text: String, _ offset: String?) {
        let position = Position.parse(offset)
        self.state.withLock { state in
            guard let position, let room = text.split(separator: "|").first else { return state.strange += 1 }
            let last = state.segments.count - 1
            state.segments[last].messages[String(room), default: []].append(position)
        }
    }

    var isInRooms: Bool {
        self.client.connected
            && self.state.withLock { state in self.rooms.allSatisfy { state.segments.last?.joined[$0] != nil } }
    }
}

/// The id of an entry of a stream, as a number.
enum Position {
    static func parse(_ text: String?) -> UInt64? {
        guard let parts = text?.split(separator: "-"), parts.count == 2, let time = UInt64(parts[0]),
            let sequence = UInt64(parts[1]), time < 1 << 47, sequence < 1 << 16
        else { return nil }
        return time << 16 | sequence
    }
}
