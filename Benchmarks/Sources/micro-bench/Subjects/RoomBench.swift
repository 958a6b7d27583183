import BenchSupport
import SocketIO
import Synchronization

/// A server with sockets, whose rooms are measured on the caller's thread. What is emitted is volatile, and no client polls: it
/// ends at the outbox of each member, so that nothing grows and nothing but the index is measured.
final class RoomBench {
    let io: SocketIOServer
    private let port: Int
    private let connected = Connected()

    private final class Connected: Sendable {
        let sockets = Mutex<[Socket]>([])
    }

    init() async throws {
        var configuration = SocketIOConfiguration(port: 0)
        configuration.engine.eventLoopCount = 1
        configuration.engine.maxSessions = 1_000_000
        configuration.maxRoomsPerSocket = 1_000_000
        configuration.engine.pingInterval = .seconds(3600)
        self.io = SocketIOServer(configuration: configuration)
        let connected = self.connected
        self.io.onConnection { socket in connected.sockets.withLock { $0.append(socket) } }
        self.port = try await self.io.start().port ?? 0
    }

    func close() async { await self.io.close(timeout: .zero) }

    /// All sockets, as many as asked for at least.
    func sockets(_ count: Int) throws -> [Socket] {
        let missing = count - self.connected.sockets.withLock { $0.count }
        if missing > 0 { try PollingSessions.open(missing, port: self.port) }
        let sockets = self.connected.sockets.withLock { $0 }
        guard sockets.count >= count else { throw CheckFailure("\(sockets.count) of \(count) sockets have connected") }
        return sockets
    }

    func subjects() throws -> [Subject] {
        let sockets = try self.sockets(1000)
        let io = self.io
        for (index, socket) in sockets.enumerated() {
            socket.join("everybody", Room("a hundred, number \(index / 100)"), Room("own room, number \(index)"))
        }
        let own = Room("own room, number 500")
        let nobody = Room("a room without members")
        let hundred = Room("a hundred, number 3")
        let everybody = Room("everybody")
        return [
            Self.emitting("rooms: to(room) without members", io.to(nobody)),
            Self.emitting("rooms: to(room) with one member", io.to(own)),
            Self.emitting("rooms: to(room) with 100 members, for each", io.to(hundred), operations: 100),
            Self.emitting("rooms: to(two rooms) with 101 members, for each", io.to(hundred, own), operations: 101),
            Self.emitting(
                "rooms: to(room) of 1,000 except a room of 100, for each", io.to(everybody).except(hundred),
                operations: 900),
            Self.joining("rooms: leave and join a room of one", [sockets[500]], own),
            Self.joining("rooms: leave and join a room of 1,000", sockets, everybody),
        ]
    }

    private static func emitting(_ name: String, _ target: BroadcastOperator, operations: Int = 1) -> Subject {
        let target = target.volatile
        return Subject(
            name: name,
            body: { times in for index in 0..<times { target.emit("event", index) } },
            operations: operations)
    }

    /// Members in no order leave and join again.
    private static func joining(_ name: String, _ sockets: [Socket], _ room: Room) -> Subject {
        Subject(name: name) { times in Self.rejoin(times, sockets, room) }
    }

    static func rejoin(_ times: Int, _ sockets: [Socket], _ room: Room) {
        var position = 0
        for _ in 0..<times {
            // 40,503 is a prime: all members have their turn, neighbours do not follow each other.
            position = (position + 40_503) % sockets.count
            let socket = sockets[position]
            socket.leave(room)
            socket.join(room)
        }
    }
}
