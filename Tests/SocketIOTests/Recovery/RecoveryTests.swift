import NIOCore
import SocketIO
import TestSupport
import Testing

@testable import SocketIO

/// Clients that lose their connection and come back, over real sockets.
@Suite struct RecoveryTests {
    /// Runs a test with a server at which clients may come back.
    static func run(
        _ recovery: ConnectionStateRecovery = .init(),
        configure: (inout SocketIOConfiguration) -> Void = { _ in },
        _ body: (SocketIOServer, Int) async throws -> Void
    ) async throws {
        try await withServer { configuration in
            configuration.connectionStateRecovery = recovery
            configure(&configuration)
        } _: { io, port in
            try await body(io, port)
        }
    }

    /// Waits until the server has noticed that a client is gone.
    static func gone(_ client: ReturningClient, _ io: SocketIOServer) async throws {
        let id = client.id
        try await eventually("\(id) is gone") { io.of(client.namespace).socket(id: id) == nil }
    }

    @Test(arguments: bothTransports)
    func missedEventsComeOnceAndInOrder(_ transport: EIOOptions.Transport) async throws {
        try await Self.run { io, port in
            let connections = Recorder()
            io.onConnection { socket in
                connections.add("\(socket.recovered) \(socket.rooms.map(\.name).sorted().count)")
            }
            let client = try await ReturningClient.join(port, "/", transport)
            #expect(client.pid != nil && !client.recovered && client.failure == nil)
            let socket = try await onlySocket(io.main)
            socket.join("r1")
            io.emit("hello", 1)
            #expect(try await client.next() == "hello 1")
            #expect(client.offset != nil)
            let id = client.id
            try await client.lose()
            try await Self.gone(client, io)
            io.emit("all", 2)
            io.to("r1").emit("room", 3)
            io.to("r2").emit("other room", 3)
            io.to(Room(id)).emit("own room", 4)
            io.except("r1").emit("not", 5)
            io.to("r1", "r2").emit("two rooms", 6)
            io.volatile.emit("volatile", 7)
            // The old object of the socket still means the client.
            socket.emit("direct", 8)
            socket.emit("direct", arguments: [9])
            socket.volatile.emit("direct", 10)
            io.emit("binary", ByteBuffer(bytes: [1, 2]), "x")
            try await client.comeBack(port)
            #expect(client.recovered && client.id == id)
            // All of it came before the answer.
            #expect(client.client.eventCount() == 7)
            #expect(
                try await client.next(6) == [
                    "all 2", "room 3", "own room 4", "two rooms 6", "direct 8", "direct 9",
                ])
            let binary = try await client.client.expectEvent("binary")
            #expect(binary.bytes(0) == [1, 2] && binary.string(1) == "x" && binary.count == 3)
            io.to("r1").emit("live", 11)
            #expect(try await client.next() == "live 11")
            #expect(connections.all == ["false 1", "true 2"])
            let again = try await onlySocket(io.main)
            #expect(again !== socket && again.recovered && again.recoveryFailure == nil && again.id == id)
            await client.close()
        }
    }

    /// The frames of the reference's transcript.
    @Test func framesOfTheReference() async throws {
        try await Self.run { io, port in
            io.onConnection { socket in socket.join("r1") }
            let first = try await WSClient.connect(port: port, path: "/socket.io/?EIO=4&transport=websocket")
            _ = try await first.nextText()
            try await first.send("40")
            let answer = try await first.nextText()
            let match = try #require(
                try /40\{"sid":"([\w\-]{20})","pid":"([\w\-]{20})"\}/.wholeMatch(in: answer))
            let (sid, pid) = (match.1, match.2)
            #expect(sid != pid)
            io.emit("a", 1)
            let event = try await first.nextText()
            let offset = try #require(try /42\["a",1,"([\w\-.]{13})"\]/.wholeMatch(in: event)).1
            await first.connection.reset()
            try await eventually { io.main.sockets.isEmpty }
            io.emit("b", 2)
            io.to("r1").emit("c", ["x": 1])
            io.emit("bin", ByteBuffer(bytes: [1, 2]))
            let second = try await WSClient.connect(port: port, path: "/socket.io/?EIO=4&transport=websocket")
            _ = try await second.nextText()
            try await second.send("40{\"pid\":\"\(pid)\",\"offset\":\"\(offset)\"}")
            #expect(try await second.nextText().wholeMatch(of: /42\["b",2,"[\w\-.]{13}"\]/) != nil)
            #expect(try await second.nextText().wholeMatch(of: /42\["c",\{"x":1\},"[\w\-.]{13}"\]/) != nil)
            let binary = try await second.nextText()
            #expect(binary.wholeMatch(of: /451-\["bin",\{"_placeholder":true,"num":0\},"[\w\-.]{13}"\]/) != nil)
            try await second.expectBinary([1, 2])
            try await second.expectText("40{\"sid\":\"\(sid)\",\"pid\":\"\(pid)\"}")
            await second.connection.close()
        }
    }

    /// What was missed and CONNECT are one payload.
    @Test func onePayload() async throws {
        try await Self.run { io, port in
            let client = try await ReturningClient.join(port, "/", .polling)
            io.emit("a", 1)
            _ = try await client.next()
            try await client.lose()
            try await Self.gone(client, io)
            io.emit("b", 2)
            let http = HTTPClient1(port: port)
            let path = "/socket.io/?EIO=4&transport=polling"
            let handshake = try await http.request("GET", path)
            let sid = try #require(try /"sid":"([^"]+)"/.firstMatch(in: handshake.text)).1
            let (pid, offset) = (try #require(client.pid), try #require(client.offset))
            _ = try await http.request(
                "POST", "\(path)&sid=\(sid)", body: .text("40{\"pid\":\"\(pid)\",\"offset\":\"\(offset)\"}"))
            let payload = try await http.request("GET", "\(path)&sid=\(sid)").text.split(separator: "\u{1E}")
            #expect(payload.count == 2)
            #expect(payload.first?.hasPrefix("42[\"b\",2,\"") == true)
            #expect(payload.last == "40{\"sid\":\"\(client.id)\",\"pid\":\"\(pid)\"}")
            await http.close()
        }
    }

    @Test func dataIsKeptAsItIs() async throws {
        struct User: Codable, Equatable { var name: String }
        let key = SocketDataKey<User>("user")
        try await Self.run { io, port in
            let client = try await ReturningClient.join(port)
            try await onlySocket(io.main).data[key] = User(name: "Ann")
            try await client.lose()
            try await Self.gone(client, io)
            try await client.comeBack(port)
            #expect(client.recovered)
            #expect(try await onlySocket(io.main).data[key] == User(name: "Ann"))
            await client.close()
        }
    }

    @Test func neverGotAnEvent() async throws {
        try await Self.run { io, port in
            io.emit("before", 0)
            let client = try await ReturningClient.join(port)
            #expect(client.offset == nil)
            try await client.lose()
            try await Self.gone(client, io)
            io.emit("a", 1)
            try await client.comeBack(port)
            #expect(client.recovered)
            // It is gone again before it has got that.
            try await client.lose()
            try await Self.gone(client, io)
            io.emit("b", 2)
            try await client.comeBack(port)
            #expect(client.recovered)
            #expect(try await client.next(2) == ["a 1", "b 2"])
            await client.close()
        }
    }

    @Test func againAndAgain() async throws {
        try await Self.run { io, port in
            let client = try await ReturningClient.join(port)
            let (id, pid) = (client.id, client.pid)
            for round in 0..<20 {
                io.emit("live", round)
                #expect(try await client.next() == "live \(round)")
                try await client.lose()
                try await Self.gone(client, io)
                for number in 0..<round { io.emit("missed", number) }
                try await client.comeBack(port)
                #expect(client.recovered && client.id == id && client.pid == pid)
                #expect(try await client.next(round) == (0..<round).map { "missed \($0)" })
            }
            await client.close()
        }
    }

    /// The client comes back while the server takes its old connection for alive.
    @Test(arguments: [false, true]) func oldConnectionIsNotKnownToBeLost(_ hasOffset: Bool) async throws {
        try await Self.run { io, port in
            let reasons = Recorder()
            io.onConnection { socket in
                socket.join("r")
                socket.onDisconnect { (reason: DisconnectReason) in reasons.add("\(reason)") }
            }
            let client = try await ReturningClient.join(port)
            let old = client.client
            if hasOffset {
                io.emit("a", 1)
                #expect(try await client.next() == "a 1")
            }
            io.to("r").emit("b", 2)
            try await client.comeBack(port)
            #expect(client.recovered)
            #expect(try await client.next() == "b 2")
            #expect(reasons.all == ["transport close"])
            #expect(io.main.sockets.count == 1)
            _ = try await old.waitForDisconnect()
            await client.close()
        }
    }

    /// A room counts from when it was joined until it was left, not as it was at the end.
    @Test func roomsCountAsTheyWere() async throws {
        try await Self.run { io, port in
            let client = try await ReturningClient.join(port)
            let socket = try await onlySocket(io.main)
            io.emit("start", 0)
            #expect(try await client.next() == "start 0")
            // None of this reaches the client: its offset stays.
            io.to("late").emit("before the join", 1)
            socket.join("early", "late")
            io.to("early").emit("in early", 2)
            io.to("late").emit("in late", 3)
            socket.leave("early")
            io.to("early").emit("after leaving", 4)
            io.except("early").emit("not early", 5)
            try await client.lose()
            try await Self.gone(client, io)
            io.to("late").emit("away", 6)
            let offset = try #require(client.offset)
            try await client.comeBack(port, auth: ["offset": offset])
            #expect(client.recovered)
            let expected = ["in early 2", "in late 3", "not early 5", "away 6"]
            #expect(try await client.next(4) == expected)
            #expect(try await onlySocket(io.main).rooms == ["late", Room(client.id)])
            await client.close()
        }
    }

    @Test(arguments: [true, false]) func middlewares(_ skip: Bool) async throws {
        try await Self.run(.init(skipMiddlewares: skip)) { io, port in
            let calls = Recorder()
            io.use { socket in
                calls.add("\(socket.recovered) \(socket.rooms.contains("r"))")
                if !socket.recovered { socket.join("r") }
            }
            let client = try await ReturningClient.join(port)
            let other = try await ReturningClient.join(port)
            try await client.lose()
            try await Self.gone(client, io)
            io.to("r").emit("a", 1)
            try await client.comeBack(port)
            #expect(client.recovered)
            #expect(try await client.next() == "a 1")
            #expect(calls.all == ["false false", "false false"] + (skip ? [] : ["true true"]))
            await client.close()
            await other.close()
        }
    }

    @Test func middlewareRefusesOneThatComesBack() async throws {
        try await Self.run(.init(skipMiddlewares: false)) { io, port in
            let banned = Flag()
            io.use { _ in if banned.isSet { throw ConnectError("banned") } }
            let client = try await ReturningClient.join(port)
            try await client.lose()
            try await Self.gone(client, io)
            banned.set()
            await #expect(throws: SIORefused.self) { try await client.comeBack(port) }
            #expect(!io.main.local.hasLostSessions)
            await client.close()
        }
    }

    /// The client is gone again while a middleware lets it wait: its session is not lost by that.
    @Test func goneAgainBeforeItIsBack() async throws {
        try await Self.run(.init(skipMiddlewares: false)) { io, port in
            let door = Door()
            let waits = Recorder()
            io.use { socket in
                guard socket.recovered, waits.all.isEmpty else { return }
                waits.add("waiting")
                try await door.pass()
            }
            let client = try await ReturningClient.join(port)
            io.emit("a", 1)
            #expect(try await client.next() == "a 1")
            try await client.lose()
            try await Self.gone(client, io)
            let first = try await SIOClient.open(EIOOptions(port: port, transport: .websocket))
            try first.sendRaw(
                "0{\"pid\":\"\(try #require(client.pid))\",\"offset\":\"\(try #require(client.offset))\"}")
            try await waits.wait(count: 1)
            #expect(!io.main.local.hasLostSessions)
            await first.session.webSocket?.connection.reset()
            try await eventually { io.connectionCount == 0 }
            io.emit("b", 2)
            door.open()
            try await eventually { io.main.local.hasLostSessions }
            try await client.comeBack(port)
            #expect(client.recovered)
            #expect(try await client.next() == "b 2")
            await client.close()
        }
    }

    @Test func partingOnPurposeEndsTheSession() async throws {
        try await Self.run { io, port in
            let client = try await ReturningClient.join(port)
            try client.client.disconnect()
            try await Self.gone(client, io)
            #expect(!io.main.local.hasLostSessions)
            try await client.comeBack(port)
            #expect(!client.recovered && client.failure == "unknown_session")
            try await onlySocket(io.main).disconnect()
            try await Self.gone(client, io)
            #expect(!io.main.local.hasLostSessions)
            try await client.comeBack(port)
            #expect(!client.recovered && client.failure == "unknown_session")
            #expect(try await onlySocket(io.main).recoveryFailure == .unknownSession)
            await client.close()
        }
    }

    @Test func unknownIDs() async throws {
        try await Self.run { io, port in
            let client = try await ReturningClient.join(
                port, auth: ["pid": "abcdefghijklmnopqrst", "offset": "abcd.00000001"])
            #expect(client.id.count == 20 && client.pid?.count == 20)
            #expect(client.pid != "abcdefghijklmnopqrst" && client.failure == "unknown_session")
            for auth in [
                #"{"pid":1}"#, #"{"pid":null,"offset":"x"}"#, #"{"pid":"x","offset":1}"#, #"{"offset":"x"}"#,
                "{\"pid\":\"\(String(repeating: "x", count: 5000))\"}", #"{"pid":{"a":[]},"offset":[]}"#,
            ] {
                let other = try await join(port, auth: auth)
                await other.close()
            }
            await client.close()
        }
    }

    /// The session is known, but nobody can say what the client has got.
    @Test(arguments: ["", "x", "0000.0000000", "!!!!.00000001", "an argument"])
    func offsetsThatAreNone(_ offset: String) async throws {
        try await Self.run { io, port in
            let client = try await ReturningClient.join(port)
            try await client.lose()
            try await Self.gone(client, io)
            try await client.comeBack(port, auth: ["offset": offset])
            #expect(!client.recovered && client.failure == "invalid_offset")
            await client.close()
        }
    }

    /// Some clients keep the offset of an earlier session until they get an event in the new one.
    @Test func offsetOfAnEarlierSession() async throws {
        let earlier = try await withServer {
            $0.connectionStateRecovery = .init()
        } _: { io, port in
            let client = try await ReturningClient.join(port)
            io.emit("a", 1)
            _ = try await client.next()
            await client.close()
            return try #require(client.offset)
        }
        try await Self.run { io, port in
            let other = try await ReturningClient.join(port)
            io.emit("before", 0)
            let early = try await other.next()
            #expect(early == "before 0")
            for offset in [earlier, try #require(other.offset)] {
                let client = try await ReturningClient.join(port)
                try await client.lose()
                try await Self.gone(client, io)
                io.emit("a", 1)
                try await client.comeBack(port, auth: ["offset": offset])
                #expect(client.recovered)
                #expect(try await client.next() == "a 1")
                await client.close()
            }
            await other.close()
        }
    }

    @Test func offByDefault() async throws {
        try await withServer { io, port in
            let client = try await ReturningClient.join(port, auth: ["pid": "abc", "offset": "x"])
            #expect(client.pid == nil && client.failure == nil)
            io.emit("a", 1)
            #expect(try await client.client.expectEvent("a").count == 1)
            #expect(try await onlySocket(io.main).recoveryFailure == nil)
            await client.close()
        }
    }

    /// What asks for an acknowledgement, is volatile or is said while a middleware runs has no offset.
    @Test func eventsWithoutOffset() async throws {
        try await Self.run { io, port in
            io.use { $0.emit("early", 1) }
            let client = try await ReturningClient.join(port)
            let raw = client.client
            #expect(try await raw.expectEvent("early").count == 1)
            let socket = try await onlySocket(io.main)
            async let answer: Int = socket.emitWithAck("ask", 2)
            let event = try await raw.nextEvent()
            #expect(event.arguments.count == 1)
            try raw.acknowledge(event, "3")
            #expect(try await answer == 3)
            try await eventually("a volatile event arrives") {
                socket.volatile.emit("volatile", 4)
                try await raw.sync()
                return raw.pendingEvents() > 0
            }
            #expect(try await raw.expectEvent("volatile").count == 1)
            await client.close()
        }
    }

    /// A client takes the text that an event ends with for an offset: there must be one.
    @Test(arguments: bothTransports) func eventsThatEndInText(_ transport: EIOOptions.Transport) async throws {
        try await Self.run { io, port in
            io.use { $0.emit("early", "text") }
            let client = try await ReturningClient.join(port, "/", transport)
            #expect(try await client.next() == "early text")
            let senders: [@Sendable (Socket) -> Void] = [
                { $0.volatile.emit("v", "text") }, { $0.volatile.emit("v") },
                { _ in io.volatile.emit("v", "abcd.00000001") },
                { io.to(Room($0.id)).volatile.emit("v", [1], "]") },
                { _ in io.volatile.emit("v", ByteBuffer(bytes: [1]), "text") },
            ]
            for (round, send) in senders.enumerated() {
                io.emit("a", round)
                #expect(try await client.next() == "a \(round)")
                let offset = client.offset
                let socket = try await onlySocket(io.main)
                try await eventually("a volatile event arrives") {
                    send(socket)
                    try await client.client.sync()
                    return client.client.pendingEvents() > 0
                }
                #expect(try await client.next().hasPrefix("v"))
                #expect(client.offset == offset)
                try await client.lose()
                try await Self.gone(client, io)
                io.emit("b", round)
                try await client.comeBack(port)
                #expect(client.recovered, "\(client.failure ?? "")")
                #expect(try await client.next() == "b \(round)")
            }
            await client.close()
        }
    }

    @Test func listenersToWhatIsSentSeeNoOffset() async throws {
        try await Self.run { io, port in
            let seen = Recorder()
            io.onConnection { socket in socket.onAnyOutgoing { seen.add("\($0) \($1.count)") } }
            let client = try await ReturningClient.join(port)
            io.emit("a", 1)
            try await onlySocket(io.main).emit("b", 1, 2)
            _ = try await client.next(2)
            #expect(try await seen.wait(count: 2) == ["a 1", "b 2"])
            await client.close()
        }
    }

    @Test func namespacesHaveTheirOwn() async throws {
        try await Self.run { io, port in
            io.of("/a").onConnection { _ in }
            let client = try await ReturningClient.join(port, "/a")
            try await client.lose()
            try await Self.gone(client, io)
            io.emit("main", 1)
            io.of("/a").emit("a", 2)
            try await client.comeBack(port)
            #expect(client.recovered)
            #expect(try await client.next() == "a 2")
            await client.close()
        }
    }
}
