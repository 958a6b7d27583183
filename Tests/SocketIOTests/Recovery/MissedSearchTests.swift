import NIOCore
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIO

/// What a session has missed is found in the log without looking at all of it, and without stopping who sends.
@Suite struct MissedSearchTests {
    private func at(_ low: UInt64) -> RecoveryPosition { RecoveryPosition(low: low) }

    private func session(_ history: RoomHistory, _ id: String = "s") -> LostSession {
        LostSession(sid: id, pid: "p-" + id, history: history, data: [:])
    }

    private func found(_ search: MissedSearch) -> [UInt64] { search.frames.compactMap { UInt64(String(buffer: $0)) } }

    private func add(_ count: Int, to log: inout PacketLog, _ audience: (UInt64) -> PacketLog.Audience) {
        for _ in 0..<count {
            let number = log.mint()
            log.append(ByteBuffer(string: "\(number)"), audience(number), now: 0)
        }
    }

    /// What the search must find, by looking at everything.
    private struct Plain {
        var history: RoomHistory
        var id: String

        func isIn(_ room: Room, _ number: UInt64) -> Bool {
            let position = RecoveryPosition(low: number)
            if room.name == self.id { return true }
            if let since = self.history.since[room], since < position { return true }
            return self.history.past.contains { $0.room == room && $0.from < position && position <= $0.to }
        }

        func hasMissed(_ audience: PacketLog.Audience, _ number: UInt64) -> Bool {
            switch audience {
            case .nobody: false
            case .socket(let id): id == self.id
            case .target(let rooms, let except):
                (rooms.isEmpty || rooms.contains { self.isIn($0, number) })
                    && !except.contains { self.isIn($0, number) }
            }
        }
    }

    @Test(arguments: 0..<40) func findsWhatIsThere(_ seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        // Few rooms of many, or many of few, so that chunks are looked at in both ways.
        let names = (0..<(seed % 2 == 0 ? 300 : 6)).map { Room("r\($0)") }
        let most = seed % 4 < 2 ? 8 : 60
        var log = PacketLog(maxPackets: [100, 700, 3000][seed % 3], maxBytes: .max, retention: 100)
        var history = RoomHistory(start: at(0))
        var audiences: [(number: UInt64, audience: PacketLog.Audience)] = []
        for _ in 0..<2000 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0 where history.since.count < most:
                history.join(names[Int.random(in: 0..<names.count, using: &random)], at: at(log.last))
            case 1:
                if let room = history.since.keys.sorted(by: { $0.name < $1.name }).first {
                    history.leave(room, at: at(log.last), oldest: at(log.droppedUpTo))
                }
            default: break
            }
            func some(_ most: Int) -> [Room] {
                (0..<Int.random(in: 0...most, using: &random)).map { _ in
                    names[Int.random(in: 0..<names.count, using: &random)]
                }
            }
            let audience: PacketLog.Audience =
                switch Int.random(in: 0..<12, using: &random) {
                case 0: .nobody
                case 1: .socket("s")
                case 2: .socket("t")
                case 3: .target(rooms: ["s"], except: some(1))
                case 4: .target(rooms: [], except: some(2) + ["s"])
                default: .target(rooms: some(3), except: some(1))
                }
            add(1, to: &log) { _ in audience }
            audiences.append((log.last, audience))
        }
        let plain = Plain(history: history, id: "s")
        let first = max(log.droppedUpTo, history.forgottenUpTo.low)
        for _ in 0..<20 {
            let start = UInt64.random(in: first...log.last, using: &random)
            var search = MissedSearch(session(history), after: start)
            search.read(log)
            #expect(
                found(search)
                    == audiences.filter { $0.number > start && plain.hasMissed($0.audience, $0.number) }.map(\.number))
            #expect(search.position == log.last && search.rest(of: log) == 0)
        }
    }

    /// A client that is in few rooms, nothing was sent to which, costs next to nothing, wherever it begins.
    @Test func quietClientsCostLittle() {
        var log = PacketLog(maxPackets: 10_000, maxBytes: .max, retention: 100)
        add(25_000, to: &log) { .target(rooms: [Room("busy \($0 % 50)")], except: []) }
        #expect(log.count == 10_000)
        var history = RoomHistory(start: at(log.droppedUpTo))
        for number in 0..<20 { history.join(Room("quiet \(number)"), at: at(log.droppedUpTo)) }
        for number in 0..<5 {
            let room = Room("left \(number)")
            history.join(room, at: at(1))
            history.leave(room, at: at(2), oldest: at(0))
        }
        var quiet = MissedSearch(session(history), after: log.droppedUpTo)
        quiet.read(log)
        #expect(quiet.frames.isEmpty && quiet.position == log.last)
        // What lies in the two ends of the log is looked at one by one, chunks between them are not.
        #expect(quiet.looks <= 2 * LogChunk.size)
        history.join("busy 7", at: at(log.droppedUpTo))
        var busy = MissedSearch(session(history), after: log.droppedUpTo)
        busy.read(log)
        #expect(busy.frames.count == 200)
        #expect(busy.looks <= 200 + 2 * LogChunk.size)
        // One in very many rooms looks at each packet once.
        for number in 0..<5000 { history.join(Room("more \(number)"), at: at(log.droppedUpTo)) }
        var many = MissedSearch(session(history), after: log.droppedUpTo)
        many.read(log)
        #expect(found(many) == found(busy) && many.looks == 10_000)
    }

    /// A copy stays as it is while the log goes on, and the search goes on where it has stopped.
    @Test func goesOnInAGrowingLog() {
        var log = PacketLog(maxPackets: 1000, maxBytes: .max, retention: 100)
        add(900, to: &log) { .target(rooms: [$0 % 2 == 0 ? "even" : "odd"], except: []) }
        var history = RoomHistory(start: at(0))
        history.join("even", at: at(0))
        var search = MissedSearch(session(history), after: 0)
        var expected = 0
        for step in [0, 1, 5, 255, 256, 257, 900] {
            let copy = log
            add(step, to: &log) { .target(rooms: [$0 % 2 == 0 ? "even" : "odd"], except: []) }
            search.read(copy)
            expected = Int(copy.last / 2)
            #expect(search.position == copy.last && search.frames.count == expected)
            search.read(copy)
            #expect(search.frames.count == expected)
        }
        search.read(log)
        #expect(found(search) == (1...(log.last / 2)).map { $0 * 2 })
    }

    @Test func stopsWhenItIsTooMuch() {
        var log = PacketLog(maxPackets: 10_000, maxBytes: .max, retention: 100)
        add(5000, to: &log) { _ in .target(rooms: [], except: []) }
        var search = MissedSearch(session(RoomHistory(start: at(0))), after: 0, limit: 10_000)
        search.read(log)
        #expect(search.isTooMuch && search.frames.count < 50 && search.looks < 50)
        let frames = search.frames.count
        search.read(log)
        #expect(search.frames.count == frames)
    }

    /// Stays that overlap, or are in no order, do not come from us, but may lie in a store.
    @Test func staysOfOthers() {
        var history = RoomHistory(start: at(0))
        for (from, to) in [(50, 60), (1, 10), (5, 6), (10, 12), (55, 70), (30, 20)] as [(UInt64, UInt64)] {
            history.past.append(.init(room: "r", from: at(from), to: at(to)))
        }
        let attendance = Attendance(history, own: "s")
        let met = (0...80).filter { attendance.isMet(by: ["r"], except: [], at: at($0)) }
        #expect(met == Array(2...12) + Array(51...70))
    }

    /// A client without an offset comes back to a long log while others go on sending.
    @Test func comesBackWhileMuchIsSent() async throws {
        try await withServer {
            $0.connectionStateRecovery = .init(maxPackets: 100_000, maxBytes: 64 << 20)
        } _: { io, port in
            let client = try await ReturningClient.join(port)
            try await onlySocket(io.main).join("r")
            try await client.lose()
            try await RecoveryTests.gone(client, io)
            for number in 0..<3000 { io.to(number % 3 == 0 ? "r" : "other").emit("n", number) }
            async let sending: Void = Task.detached {
                for number in 3000..<6000 {
                    io.to(number % 3 == 0 ? "r" : "other").emit("n", number)
                    if number % 100 == 0 { await Task.yield() }
                }
            }.value
            try await client.comeBack(port)
            #expect(client.recovered)
            await sending
            for number in stride(from: 0, to: 6000, by: 3) {
                let event = try await client.next()
                try #require(event == "n \(number)")
            }
            await client.close()
        }
    }
}
