import NIOCore
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIO

/// What recovery keeps, as values.
@Suite struct RecoveryValueTests {
    private func session(_ id: String = "s", start: UInt64 = 0, rooms: [Room: UInt64] = [:]) -> LostSession {
        var history = RoomHistory(start: RecoveryPosition(low: start))
        for (room, since) in rooms { history.join(room, at: RecoveryPosition(low: since)) }
        return LostSession(sid: id, pid: "p-" + id, history: history, data: [:])
    }

    private func text(_ frames: [ByteBuffer]) -> [String] { frames.map { String(buffer: $0) } }

    @Test func logKeepsTheNewest() {
        var log = PacketLog(maxPackets: 3, maxBytes: .max, retention: 100)
        for number in 1...5 {
            #expect(log.mint() == UInt64(number))
            log.append(ByteBuffer(string: "\(number)"), .target(rooms: [], except: []), now: UInt64(number))
        }
        #expect(log.count == 3 && log.droppedUpTo == 2 && log.last == 5)
        #expect(self.text(log.missed(by: self.session(), after: 2)) == ["3", "4", "5"])
        #expect(self.text(log.missed(by: self.session(), after: 4)) == ["5"])
        #expect(log.missed(by: self.session(), after: 5).isEmpty)
        log.trim(now: 104)
        #expect(log.count == 1 && log.droppedUpTo == 4 && log.nextExpiry == 105)
        log.trim(now: 105)
        #expect(log.count == 0 && log.bytes == 0 && log.nextExpiry == nil)
        #expect(log.missed(by: self.session(), after: 5).isEmpty)
    }

    @Test func logCountsBytes() {
        var log = PacketLog(maxPackets: .max, maxBytes: 2000, retention: 100)
        for _ in 0..<50 {
            _ = log.mint()
            log.append(
                ByteBuffer(repeating: 1, count: 100), .target(rooms: ["room"], except: ["other"]), now: 0)
            #expect(log.bytes <= 2000)
        }
        #expect(log.count > 1)
        _ = log.mint()
        log.append(ByteBuffer(repeating: 1, count: 5000), .socket("s"), now: 0)
        #expect(log.count == 0 && log.droppedUpTo == 51 && log.bytes == 0)
    }

    @Test func whoHasMissedWhat() {
        var log = PacketLog(maxPackets: 100, maxBytes: .max, retention: 100)
        func add(_ audience: PacketLog.Audience) {
            let number = log.mint()
            log.append(ByteBuffer(string: "\(number)"), audience, now: 0)
        }
        add(.target(rooms: [], except: []))
        add(.target(rooms: ["a"], except: []))
        add(.target(rooms: ["b", "a"], except: ["c"]))
        add(.target(rooms: ["a"], except: ["b"]))
        add(.socket("s"))
        add(.socket("t"))
        add(.target(rooms: ["s"], except: []))
        add(.nobody)
        add(.target(rooms: [], except: ["s"]))
        #expect(self.text(log.missed(by: self.session(rooms: ["a": 0]), after: 0)) == ["1", "2", "3", "4", "5", "7"])
        #expect(
            self.text(log.missed(by: self.session(rooms: ["a": 0, "b": 0]), after: 0)) == ["1", "2", "3", "5", "7"])
        #expect(self.text(log.missed(by: self.session(rooms: ["a": 2]), after: 0)) == ["1", "3", "4", "5", "7"])
        #expect(self.text(log.missed(by: self.session("t"), after: 1)) == ["6", "9"])
    }

    @Test func historyOfRooms() {
        func at(_ low: UInt64) -> RecoveryPosition { RecoveryPosition(low: low) }
        var history = RoomHistory(start: at(0))
        history.join("r", at: at(3))
        history.join("r", at: at(5))
        history.leave("r", at: at(7), oldest: at(0))
        history.leave("r", at: at(8), oldest: at(0))
        history.join("r", at: at(10))
        let attendance = Attendance(history, own: "s")
        let met = (1...12).filter { attendance.isMet(by: ["r"], except: [], at: at($0)) }
        #expect(met == [4, 5, 6, 7, 11, 12])
        // Nothing was sent while it was in.
        history.leave("r", at: at(10), oldest: at(0))
        #expect(history.past.count == 1)
        // Coming and going for ever.
        for number in 20..<10_000 as Range<UInt64> {
            history.join("r", at: at(number))
            history.leave("r", at: at(number + 1), oldest: at(number / 2))
        }
        #expect(history.past.count <= RoomHistory.maxStays)
        #expect(history.forgottenUpTo > at(0) && history.forgottenUpTo < at(10_000))
        #expect(history.past.allSatisfy { $0.to > history.forgottenUpTo })
    }

    @Test func sessionsGoWhenTheirTimeComes() throws {
        var sessions = LostSessions(limit: 2)
        func lost(_ id: String, _ deadline: UInt64) -> LostSession {
            var session = self.session(id)
            session.deadline = deadline
            return session
        }
        #expect(sessions.add(lost("a", 10)).isEmpty)
        #expect(sessions.add(lost("b", 20)).isEmpty)
        #expect(sessions.add(lost("c", 30)).map(\.sid) == ["a"])
        #expect(sessions.count == 2 && sessions.nextExpiry == 20)
        #expect(sessions.expire(now: 25).map(\.sid) == ["b"])
        func failure(_ pid: String) -> RecoveryFailure? {
            if case .failure(let error) = sessions.take(pid) { error.failure } else { nil }
        }
        #expect(failure("p-a") == .sessionDropped)
        #expect(failure("p-b") == .expired)
        #expect(failure("p-x") == .unknownSession)
        let taken = try sessions.take("p-c").get()
        #expect(failure("p-c") == .unknownSession)
        // Lost again: the entry of before does not end it.
        var again = taken
        again.deadline = 60
        #expect(sessions.add(again).isEmpty)
        #expect(sessions.expire(now: 40).isEmpty && sessions.count == 1)
        for number in 0..<10_000 {
            let session = try sessions.take("p-c").get()
            #expect(sessions.add(session).isEmpty, "\(number)")
        }
        #expect(sessions.orderCount < 100)
        #expect(sessions.expire(now: 60).map(\.sid) == ["c"])
    }

    @Test func offsets() {
        let offsets = LogOffset(random: 12345)
        for number in [0, 1, 63, 64, 4095, 1 << 40] as [UInt64] {
            let text = String(decoding: offsets.text(number), as: UTF8.self)
            #expect(text.utf8.count == LogOffset.length && LogOffset.blank.utf8.count == LogOffset.length)
            #expect(offsets.parse(text) == .sequence(number))
            #expect(LogOffset(random: 54321).parse(text) == .foreign)
        }
        for text in ["", "abc", "0000.0000000é", "0000x00000000", "0000.0000000", "00!0.00000000"] {
            #expect(offsets.parse(text) == .invalid)
        }
    }

    @Test func packetWithAnOffset() throws {
        for (arguments, count) in [([], 0), ([SocketIOValue.int(1)], 0), ([.binary(ByteBuffer(bytes: [7]))], 1)] {
            for size in [0, 100, 130, 70_000] {
                let all = [SocketIOValue.string(String(repeating: "ä", count: size))] + arguments
                for namespace in ["/", "/n"] {
                    let packet = try PacketEncoder.event("e", namespace: namespace, id: nil, values: all)
                    var stamped = try PacketEncoder.withOffset(packet, "0123")
                    stamped.set(Array("abcd".utf8))
                    let read = try decodeOwnEvent(EncodedPacket(frames: stamped.frames, attachmentCount: count))
                    #expect(read.name == "e" && read.arguments == all + ["abcd"])
                    // The packet it was made from is as it was.
                    #expect(try decodeOwnEvent(packet).arguments == all)
                }
            }
        }
        #expect(throws: SocketIOError.self) {
            try PacketEncoder.withOffset(PacketEncoder.disconnect(namespace: "/"), "x")
        }
    }

    @Test func answerToConnect() throws {
        let packet = PacketEncoder.connect(namespace: "/", sid: "s", pid: "p", failure: .expired)
        var text = packet.frames
        text.moveReaderIndex(forwardBy: 2)
        #expect(String(buffer: text) == #"40{"sid":"s","pid":"p","recovery":"expired"}"#)
    }
}

extension PacketLog {
    fileprivate func missed(by session: LostSession, after sequence: UInt64) -> [ByteBuffer] {
        var search = MissedSearch(session, after: sequence)
        search.read(self)
        return search.frames
    }
}
