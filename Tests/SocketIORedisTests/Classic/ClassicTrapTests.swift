import NIOCore
import RESP
import SocketIOCore
import TestSupport
import Testing

@testable import MessagePack
@testable import SocketIORedis

/// What goes wrong easily in a cluster of servers of several kinds.
@Suite struct ClassicTrapTests {
    private let request = "socket.io-request#/#"
    private let response = "socket.io-response#/#"

    private func broadcast(_ value: SocketIOValue) throws -> ByteBuffer {
        var writer = MessagePackWriter(.notepack3)
        try writer.write(value)
        return writer.buffer
    }

    /// Answers that the adapter has published, by channel.
    private func answers(_ fixture: ClassicFixture) -> [String] {
        fixture.sent().filter { $0.name == "PUBLISH" && $0.texts[1].contains("-response#") }.map { $0.texts[2] }
    }

    // MARK: Who subscribes must answer

    @Test func countedOncePerNamespace() async throws {
        let redis = FakeRedis()
        try await ClassicFixture.run(on: redis) { fixture in
            _ = fixture.server.of("/other")
            let parent = fixture.server.of(/^\/dynamic-\d$/)
            _ = try await fixture.join("/dynamic-1")
            #expect(parent.children.count == 1)
            try await redis.settle()
            for name in ["/", "/other", "/dynamic-1"] {
                #expect(redis.subscribers(.channel)["socket.io-request#\(name)#"] == 1)
                #expect(try await fixture.adapter(name).serverCount() == 1)
            }
            let ids = Set(try ["/", "/other", "/dynamic-1"].map { try fixture.adapter($0).uid })
            #expect(ids.count == 3 && ids.allSatisfy { ClassicID.isID($0) })
        }
        try await redis.settle()
        #expect(redis.subscribers(.channel).isEmpty && redis.subscribers(.pattern).isEmpty)
    }

    /// A server without anybody answers all the same.
    @Test func emptyAnswers() async throws {
        try await ClassicFixture.run { fixture in
            for (request, answer) in [
                (#"{"requestId":"a","type":0,"rooms":[]}"#, #"{"requestId":"a","sockets":[]}"#),
                (#"{"uid":"x","requestId":"b","type":1}"#, #"{"requestId":"b","rooms":[]}"#),
                (
                    #"{"uid":"x","requestId":"c","type":5,"opts":{"rooms":[],"except":[]}}"#,
                    #"{"requestId":"c","sockets":[]}"#
                ),
                (
                    #"{"uid":"x","requestId":"d","type":7,"packet":{"type":2,"data":["e"],"nsp":"/"},"#
                        + #""opts":{"rooms":[],"except":[],"flags":{}}}"#,
                    #"{"type":8,"requestId":"d","clientCount":0}"#
                ),
            ] {
                try await fixture.receive(self.request, request)
                #expect(self.answers(fixture) == [answer])
            }
        }
    }

    /// A server without a listener never answers, one with several does it once.
    @Test func eventsAreAnsweredOnce() async throws {
        try await ClassicFixture.run { fixture in
            fixture.server.on("twice") { 1 }
            fixture.server.on("twice") { 2 }
            fixture.server.on("late") { (reply: AckReply) in
                reply("first")
                reply("second")
            }
            fixture.server.on("empty") {}
            for name in ["nobody", "twice", "late", "empty"] {
                try await fixture.receive(
                    self.request, #"{"uid":"x","requestId":"\#(name)","type":6,"data":["\#(name)"]}"#)
            }
            #expect(
                self.answers(fixture) == [
                    #"{"type":6,"requestId":"twice","data":1}"#, #"{"type":6,"requestId":"late","data":"first"}"#,
                    #"{"type":6,"requestId":"empty"}"#,
                ])
            // Without an id no answer is wanted.
            try await fixture.receive(self.request, #"{"uid":"x","type":6,"data":["twice"]}"#)
            #expect(self.answers(fixture).isEmpty)
        }
    }

    // MARK: The echo

    /// Sockets join at once; the own request, when it comes back, does not have them join again.
    @Test func joinsAreNotRepeatedByTheEcho() async throws {
        try await ClassicFixture.run { fixture in
            let (client, socket) = try await fixture.join()
            fixture.link.set(.held)
            fixture.server.socketsJoin("room")
            fixture.server.to("room").emit("joined")
            _ = try await client.expectEvent("joined")
            socket.leave("room")
            fixture.server.in("room").disconnectSockets()
            try await eventually("the echoes are held") { fixture.link.heldCount == 3 }
            socket.join("room")
            fixture.server.socketsLeave("room")
            socket.join("room")
            fixture.link.set(.normal)
            try await fixture.redis.settle()
            #expect(socket.rooms.contains("room"))
            #expect(fixture.server.main.socket(id: socket.id) != nil)
            fixture.server.emit("end")
            _ = try await client.expectEvent("end")
        }
    }

    /// Own messages and those for rooms without members are not even read.
    @Test func whatConcernsNobodyIsNotRead() async throws {
        try await ClassicFixture.run { fixture in
            let adapter = try fixture.adapter()
            var own = ByteBuffer(bytes: ClassicBroadcast.prefix(uid: adapter.uid))
            own.writeString("garbage")
            try await fixture.receive("socket.io#/#", own)
            try await fixture.receive("socket.io#/#nobody#", "garbage")
            try await fixture.receive(self.request, "{\"uid\":\"\(adapter.uid)\",garbage")
            #expect(adapter.complaints.kinds.isEmpty)
            try await fixture.receive("socket.io#/#", "garbage")
            #expect(adapter.complaints.kinds == [.broadcast])
        }
    }

    // MARK: Forms

    /// The first byte decides, whatever the reference uses for a type.
    @Test func eitherEncoding() async throws {
        try await ClassicFixture.run { fixture in
            let (client, socket) = try await fixture.join()
            fixture.answerQuestions(client, "\"yes\"")
            let fetch: SocketIOValue = ["uid": "x", "requestId": "m", "type": 5, "opts": ["rooms": [], "except": []]]
            try await fixture.receive(self.request, try self.broadcast(fetch))
            #expect(self.answers(fixture).first?.contains(socket.id) == true)
            let question =
                #"{"uid":"x","requestId":"j","type":7,"packet":{"type":2,"data":["question",{"a":1}],"nsp":"/"},"#
                + #""opts":{"rooms":["\#(socket.id)"],"except":[],"flags":{"timeout":5000}}}"#
            try await fixture.receive(self.request, question)
            try await eventually("count and answer") { fixture.redis.log.value.count { $0.name == "PUBLISH" } == 2 }
            let sent = fixture.sent()
            #expect(sent.first?.texts[2] == #"{"type":8,"requestId":"j","clientCount":1}"#)
            #expect(try sent.last?.arguments[2].messageValue == ["type": 9, "requestId": "j", "packet": "yes"])
        }
    }

    /// Broadcasts of old emitters: no `except`, no `flags`, packet type 5, rooms that are numbers, other dialects.
    @Test func oldBroadcasts() async throws {
        try await ClassicFixture.run { fixture in
            let (_, socket) = try await fixture.join()
            let deliveries = Deliveries()
            deliveries.watch(socket)
            socket.join("42")
            let binary: SocketIOValue = .binary(ByteBuffer(bytes: [1, 2]))
            for broadcast: SocketIOValue in [
                ["emitter", ["type": 5, "data": ["binary", binary], "nsp": "/"], ["rooms": []]],
                ["emitter", ["data": ["no nsp"], "type": 2], ["rooms": [42], "flags": nil, "except": nil]],
                [nil, ["type": 2, "data": [7], "nsp": "/", "id": 3], ["rooms": [], "flags": ["json": true]], "more"],
                ["emitter", ["type": 2, "data": ["elsewhere"], "nsp": "/x"], ["rooms": []]],
                ["emitter", ["type": 2, "data": ["nobody"], "nsp": "/"], ["rooms": [43]]],
            ] {
                try await fixture.receive("socket.io#/#", try self.broadcast(broadcast))
            }
            #expect(
                deliveries.take(socket) == [
                    .init(event: "binary", arguments: [binary]), .init(event: "no nsp", arguments: []),
                    .init(event: "7", arguments: []),
                ])
            #expect(try fixture.adapter().complaints.kinds.isEmpty)
        }
    }

    /// Requests for one socket, of servers before version 6.1, and those of Socket.IO 2.
    @Test func oldRequests() async throws {
        try await ClassicFixture.run { fixture in
            let (_, socket) = try await fixture.join()
            let (_, other) = try await fixture.join()
            let sid = socket.id
            func ask(_ request: String) async throws -> [String] {
                try await fixture.receive(self.request, request)
                return self.answers(fixture)
            }
            #expect(try await ask(#"{"requestId":"1","type":2,"sid":"\#(sid)","room":"r"}"#) == [#"{"requestId":"1"}"#])
            #expect(socket.rooms.contains("r") && !other.rooms.contains("r"))
            #expect(try await ask(#"{"requestId":"2","type":2,"sid":"elsewhere","room":"r"}"#) == [])
            let sockets = #"{"requestId":"3","sockets":["\#(sid)"]}"#
            #expect(try await ask(#"{"requestId":"3","type":0,"rooms":["r"]}"#) == [sockets])
            #expect(try await ask(#"{"requestId":"4","type":3,"sid":"\#(sid)","room":"r"}"#) == [#"{"requestId":"4"}"#])
            #expect(!socket.rooms.contains("r"))

            #expect(try await ask(#"{"requestid":"5","type":3,"sid":"\#(sid)","room":7}"#) == [#"{"requestid":"5"}"#])
            #expect(socket.rooms.contains("7"))
            let clients = #"{"requestid":"6","clients":["\#(sid)"]}"#
            #expect(try await ask(#"{"requestid":"6","type":0,"rooms":["7"]}"#) == [clients])
            let rooms = try await ask(#"{"requestid":"7","type":1,"sid":"\#(sid)"}"#).first ?? ""
            #expect(
                try JSONText.read(ByteBuffer(string: rooms)).sorted["rooms"]
                    == SocketIOValue.array([.string(sid), "7"]).sorted)
            #expect(try await ask(#"{"requestid":"8","type":4,"sid":"\#(sid)","room":"7"}"#) == [#"{"requestid":"8"}"#])
            #expect(!socket.rooms.contains("7"))
            #expect(try await ask(#"{"requestid":"9","type":2}"#).first?.contains(other.id) == true)
            #expect(try await ask(#"{"requestid":"10","type":5,"data":1}"#) == [])
            let gone = #"{"requestid":"11","type":6,"sid":"\#(sid)","close":true}"#
            #expect(try await ask(gone) == [#"{"requestid":"11"}"#])
            try await eventually("it is gone") { fixture.server.main.socket(id: sid) == nil }
            #expect(fixture.server.main.socket(id: other.id) != nil)
            #expect(
                try await ask(#"{"requestId":"12","type":4,"sid":"\#(other.id)","close":false}"#)
                    == [#"{"requestId":"12"}"#])
            try await eventually("the other is gone") { fixture.server.main.socket(id: other.id) == nil }
            #expect(try fixture.adapter().complaints.kinds.isEmpty)
        }
    }

    /// Acknowledgements that come before the number of clients count, and any number of 0 too.
    @Test func acknowledgementsBeforeTheCount() async throws {
        let redis = FakeRedis()
        try await ClassicFixture.run(on: redis) { fixture in
            let other = redis.client("B")
            other.start()
            let subscription = other.subscribe(to: [RedisChannel(.channel, self.request)], onReady: nil) { message in
                let id = message.payload.requestID ?? ""
                redis.publish(self.response, #"{"type":9,"requestId":"\#(id)","packet":1}"#)
                redis.publish(self.response, #"{"type":9,"requestId":"\#(id)"}"#)
                redis.publish(self.response, #"{"type":8,"requestId":"\#(id)","clientCount":2}"#)
            }
            let answers: [Int?] = try await fixture.server.timeout(.seconds(30)).emitWithAck("question")
            #expect(answers == [1, nil])
            try await eventually("nothing is kept") { try fixture.adapter().acknowledgements.count == 0 }
            subscription.cancel()
        }
    }

    // MARK: Names

    /// What means something in a pattern is escaped: the names match themselves and nothing else.
    @Test(arguments: ["/a*b", "/a?b", "/[ab]", "/a\\b", "/a#b"]) func namesThatArePatterns(_ name: String) async throws
    {
        let redis = FakeRedis()
        try await ClassicFixture.run(on: redis) { one in
            try await ClassicFixture.run(on: redis) { two in
                for server in [one.server, two.server] { _ = (server.of(name), server.of("/aXb")) }
                let (client, _) = try await two.join(name)
                let (decoy, _) = try await two.join("/aXb")
                one.server.of(name).to("nobody").emit("nobody")
                one.server.of(name).emit("hello")
                one.server.of("/aXb").emit("decoy")
                _ = try await client.expectEvent("hello", namespace: name)
                _ = try await decoy.expectEvent("decoy", namespace: "/aXb")
                #expect(client.pendingEvents(name) == 0 && decoy.pendingEvents("/aXb") == 0)
                #expect(try two.adapter(name).complaints.kinds.isEmpty)
            }
        }
    }

    @Test func channelNames() {
        let plain = ClassicChannels(key: "socket.io", namespace: "/", uid: "abcdef")
        #expect(plain.subscribed.map(\.name).first == "socket.io#/#*")
        #expect(plain.room("r#€") == "socket.io#/#r#€#" && plain.room(of: "socket.io#/#r#€#") == "r#€")
        #expect(plain.room(of: "socket.io#/#") == nil && plain.room(of: "socket.io#/##") == nil)
        #expect(plain.uid(ofResponseChannel: "socket.io-response#/#A-_z09#") == "A-_z09")
        for other in ["socket.io-response#/#", "socket.io-response#/#x#abcdef#", "socket.io-response#/#tooLong#", ""] {
            #expect(plain.uid(ofResponseChannel: other) == nil)
        }
        #expect(ClassicChannels.escape("a*?[\\]b") == "a\\*\\?\\[\\\\]b")
        // With an accent on it, it is no star to Swift, and one to Redis.
        #expect(Array(ClassicChannels.escape("*\u{301}").utf8) == Array("\\*\u{301}".utf8))
    }
}
