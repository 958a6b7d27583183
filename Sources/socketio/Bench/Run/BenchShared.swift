import NIOCore
import Synchronization

/// What the threads of a run have in common.
final class BenchShared: Sendable {
    /// The table of one thread: written by it, and read by those to whom the replies come.
    final class Flights: Sendable {
        let table = Mutex(FlightTable())
    }

    let plan: BenchPlan
    /// What tells this run's messages from those of others on the same server.
    let run: UInt16
    let flights: [Flights]
    let isWatched: Bool
    /// The clients in each room.
    private let members: Mutex<[Int]>

    /// - Parameter isWatched: whether somebody asks for pulses.
    init(_ plan: BenchPlan, isWatched: Bool) {
        self.plan = plan
        self.isWatched = isWatched
        self.run = UInt16.random(in: 0 ... .max)
        self.flights = (0..<plan.threads).map { _ in Flights() }
        self.members = Mutex(Array(repeating: 0, count: max(1, plan.rooms)))
    }

    func change(members difference: Int, ofRoom room: Int) {
        self.members.withLock { $0[room] += difference }
    }

    /// How many replies a message of a client in this room has.
    func replies(inRoom room: Int) -> Int {
        guard self.plan.mode == .broadcast else { return 1 }
        return max(0, self.members.withLock { $0[room] } - (self.plan.exceptsSender ? 1 : 0))
    }

    func roomName(_ room: Int) -> String { "bench-\(room)" }

    /// Nanoseconds, of the clock of the event loops.
    static var now: Int64 { Int64(clamping: NIODeadline.now().uptimeNanoseconds) }
}

/// When messages are due, and from when they count. Nanoseconds.
struct BenchWindow: Sendable {
    var origin: Int64
    var start: Int64
    var end: Int64

    func contains(_ due: Int64) -> Bool { due >= self.start && due < self.end }
}
