import ArgumentParser
import BenchSupport
import SocketIO

/// Measures whether costs stay flat while there is more of everything. Prints JSON, for `Benchmarks/run-all`.
struct Growth: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Cost of to(room), join and leave with many rooms and members, as JSON."
    )

    @Option(help: "Most members.")
    var members: Int = 100_000

    @Option(help: "Most rooms.")
    var rooms: Int = 1_000_000

    func run() async throws {
        let bench = try await RoomBench()
        var series: [String] = []
        series.append(contentsOf: try self.memberGrowth(bench))
        series.append(contentsOf: try self.roomGrowth(bench))
        series.append(contentsOf: try self.socketGrowth(bench))
        print("{\(series.joined(separator: ",\n"))}")
        await bench.close()
    }

    private static func decades(to most: Int) -> [Int] {
        Array(sequence(first: 1) { $0 * 10 }.prefix { $0 <= most })
    }

    private static func json(_ name: String, _ points: [(Int, Double)]) -> String {
        let list = points.map { "[\($0.0), \(Double(Int($0.1 * 10)) / 10)]" }
        return "\"\(name)\": [\(list.joined(separator: ", "))]"
    }

    /// `to(room)` with ever more rooms of one member each.
    private func roomGrowth(_ bench: RoomBench) throws -> [String] {
        // So many that none is in many rooms.
        let sockets = try bench.sockets(max(1, self.rooms / 100))
        let io = bench.io
        var same: [(Int, Double)] = []
        var turns: [(Int, Double)] = []
        var next = 0
        for count in Self.decades(to: self.rooms) {
            while next < count {
                sockets[next % sockets.count].join(Self.room(next))
                next += 1
            }
            let one = io.to(Self.room(count / 2)).volatile
            same.append((count, Self.time(20_000) { times in for index in 0..<times { one.emit("event", index) } }))
            // In no order, so that nothing of a room is in the processor's caches when its turn comes, if there are many.
            let targets = (0..<min(count, 100_000)).map { index in
                io.to(Self.room(Int(UInt64(index) &* 2_654_435_761 % UInt64(count)))).volatile
            }
            turns.append(
                (
                    count,
                    Self.time(100_000) { times in
                        for index in 0..<times { targets[index % targets.count].emit("event", index) }
                    }
                ))
        }
        return [Self.json("to_same_room", same), Self.json("to_rooms_in_turns", turns)]
    }

    private static func room(_ number: Int) -> Room { Room("a room with the number \(number)") }

    /// Leaving and joining a room by a socket that is in ever more others.
    private func socketGrowth(_ bench: RoomBench) throws -> [String] {
        let socket = try bench.sockets(1)[0]
        let room = Room("a room among many")
        socket.join(room)
        var points: [(Int, Double)] = []
        var next = 0
        for count in Self.decades(to: 10_000) {
            while next < count - 1 {
                socket.join(Room("another room, number \(next)"))
                next += 1
            }
            // A server that copies the list would take for ever.
            let times = max(200, 200_000 / count)
            points.append((count, Self.time(min(times, 20_000)) { RoomBench.rejoin($0, [socket], room) }))
        }
        for number in 0..<next { socket.leave(Room("another room, number \(number)")) }
        return [Self.json("rejoin_with_other_rooms", points)]
    }

    /// Leaving and joining a room with ever more members.
    private func memberGrowth(_ bench: RoomBench) throws -> [String] {
        var same: [(Int, Double)] = []
        var turns: [(Int, Double)] = []
        let room = Room("a room with many members")
        for count in Self.decades(to: self.members) {
            let sockets = Array(try bench.sockets(count).prefix(count))
            for socket in sockets { socket.join(room) }
            same.append((count, Self.time(20_000) { RoomBench.rejoin($0, [sockets[count / 2]], room) }))
            turns.append((count, Self.time(100_000) { RoomBench.rejoin($0, sockets, room) }))
        }
        for socket in try bench.sockets(1) { socket.leave(room) }
        return [Self.json("rejoin_same_member", same), Self.json("rejoin_in_turns", turns)]
    }

    /// Nanoseconds per operation: the median of five rounds.
    private static func time(_ times: Int, _ body: (Int) -> Void) -> Double {
        body(times / 10)
        return median(
            (0..<5).map { _ in
                let start = threadTime()
                body(times)
                return (threadTime() - start) / Double(times)
            })
    }
}
