import MetricsTestKit
import NIOCore
import TestSupport
import Testing

@testable import SocketIO

/// Clients of Socket.IO 2; their plain conversations are in `TranscriptTests`.
struct Version4Tests {
    private static func allow(_ configuration: inout SocketIOConfiguration) { configuration.engine.allowEIO3 = true }

    // MARK: Namespaces

    @Test func idsOfSockets() async throws {
        try await withServer(configure: Self.allow) { io, port in
            _ = io.of("/admin")
            let client = try await OldClient.join(port)
            let socket = try await onlySocket(io.main)
            #expect(socket.id == client.sid)
            #expect(socket.rooms == [Room(client.sid)])
            try await client.send("0/admin,")
            try await client.expect("0/admin,")
            let other = try await onlySocket(io.of("/admin"))
            #expect(other.id == "/admin#" + client.sid)
            // Events for one of them reach it.
            io.of("/admin").to(Room(other.id)).emit("hello", 1)
            try await client.expect(#"2/admin,["hello",1]"#)
        }
    }

    @Test func leavesAndComesBack() async throws {
        try await withServer(configure: Self.allow) { io, port in
            _ = io.of("/admin")
            let client = try await OldClient.join(port)
            for _ in 0..<3 {
                try await client.send("0/admin?a=1,")
                try await client.expect("0/admin,")
                try await client.send("1/admin?a=1,")
                try await client.send("1")
                try await client.send("0")
                try await client.expect("0")
            }
            #expect(io.of("/admin").sockets.isEmpty)
            io.emit("still here")
            try await client.expect(#"2["still here"]"#)
        }
    }

    @Test func queryOfANamespace() async throws {
        try await withServer(configure: Self.allow) { io, port in
            let seen = Awaited<[SocketIOValue]>([])
            io.of("/admin").onConnection { socket in
                seen.update { $0.append(socket.handshake.auth) }
                socket.on("echo") { (text: String) in socket.emit("echo", text) }
            }
            let client = try await OldClient.join(port)
            try await client.send("0/admin?token=a%20b&x=1&x=2&x=3&%F0%9F%98%80,")
            try await client.expect("0/admin,")
            let auth = try await seen.wait("the connection") { $0.first }
            #expect(auth == ["token": "a b", "x": ["1", "2", "3"], "\u{1F600}": ""])
            for packet in [#"2/admin,["echo","a"]"#, #"2/admin?token=1,["echo","a"]"#, #"2/admin?,["echo","a"]"#] {
                try await client.send(packet)
                try await client.expect(#"2/admin,["echo","a"]"#)
            }
        }
    }

    /// A token in the query does not count as a part of the name.
    @Test func longQueryOfANamespace() async throws {
        try await withServer(configure: Self.allow) { io, port in
            let seen = Awaited<[SocketIOValue]>([])
            io.of("/admin").onConnection { socket in seen.update { $0.append(socket.handshake.auth) } }
            let token = String(repeating: "t", count: 4000)
            let client = try await OldClient.join(port)
            try await client.send("0/admin?token=\(token),")
            try await client.expect("0/admin,")
            #expect(try await seen.wait("the connection") { $0.first } == ["token": .string(token)])
            try await client.send("0/" + String(repeating: "n", count: 1025) + ",")
            _ = try await client.webSocket.expectClose(skipping: true)
        }
    }

    /// Both have one id, and what is said of the one is not done to the other.
    @Test func anOldSocketDoesNothingToTheNextOne() async throws {
        try await withServer(configure: Self.allow) { io, port in
            _ = io.of("/admin")
            let client = try await OldClient.join(port)
            try await client.send("0/admin,")
            try await client.expect("0/admin,")
            let first = try await onlySocket(io.of("/admin"))
            try await client.send("1/admin,")
            try await client.send("0/admin,")
            try await client.expect("0/admin,")
            let second = try await onlySocket(io.of("/admin"))
            #expect(first !== second && first.id == second.id)
            second.join("room")
            first.join("other")
            first.leave("room")
            #expect(first.rooms.isEmpty)
            #expect(second.rooms == [Room(second.id), "room"])
        }
    }

    /// The id of the session is a secret, and that of the socket has it in it.
    @Test func idsAreCutInWhatIsLogged() async throws {
        try await withServer(configure: Self.allow) { io, port in
            _ = io.of("/admin")
            let client = try await OldClient.join(port)
            #expect(try await onlySocket(io.main).loggedID == client.sid.prefix(6) + "…")
            try await client.send("0/admin,")
            try await client.expect("0/admin,")
            let socket = try await onlySocket(io.of("/admin"))
            #expect(socket.loggedID == "/admin#" + client.sid.prefix(6) + "…")
            #expect(!"\(socket.metadata)".contains(client.sid))
        }
    }

    /// A query is a part of the name in protocol 5.
    @Test func newClientsHaveNoQuery() async throws {
        try await withServer(configure: Self.allow) { io, port in
            _ = io.of("/admin")
            let client = try await open(port)
            await #expect(throws: SIORefused.self) { try await client.connect("/admin?token=1") }
            await client.close()
        }
    }

    @Test func namespacesAreLimited() async throws {
        try await withServer {
            Self.allow(&$0)
            $0.maxNamespacesPerConnection = 2
        } _: { io, port in
            for name in ["/a", "/b"] { _ = io.of(name) }
            let client = try await OldClient.join(port)
            try await client.send("0/a,")
            try await client.expect("0/a,")
            try await client.send("0/b,")
            try await client.expect(#"4/b,"Too many namespaces""#)
        }
    }

    /// A client that is let in nowhere is closed like any other.
    @Test func refusedAndSilent() async throws {
        try await withServer {
            Self.allow(&$0)
            $0.connectTimeout = .milliseconds(100)
        } _: { io, port in
            io.use { _ in throw ConnectError("no", data: ["why": "\u{20AC}"]) }
            let client = try await OldClient.open(port)
            try await client.expect(#"4{"why":"€"}"#)
            #expect(try await client.webSocket.expectClose() == nil)
        }
    }

    @Test func middlewareThatTakesItsTime() async throws {
        try await withServer(loops: 1, configure: Self.allow) { io, port in
            let gate = Awaited(false)
            io.use { _ in _ = try await gate.wait("the gate") { $0 ? true : nil } }
            io.onConnection { $0.emit("welcome") }
            let client = try await OldPollingWaiter.open(port)
            try await eventually("the middleware") { client.isWaiting(io) }
            gate.update { $0 = true }
            #expect(try await client.reply() == "2:4013:42[\"welcome\"]")
            await client.close()
        }
    }

    // MARK: Broadcasts

    @Test func oldAndNewInOneRoom() async throws {
        try await withServer(configure: Self.allow) { io, port in
            io.onConnection { socket in
                socket.join("all")
                socket.on("say") { (value: SocketIOValue) in socket.to("all").emit("said", value) }
            }
            let old = try await OldClient.join(port)
            let base64 = try await OldClient.join(port, query: "&b64=1")
            let polling = try await OldPollingClient.join(port)
            let new = try await join(port)
            let newPolling = try await join(port, "/", .polling)
            try await eventually("all are in the room") { io.main.sockets.count == 5 }

            io.to("all").emit("said", "\u{1F600}")
            try await old.expect("2[\"said\",\"\u{1F600}\"]")
            try await base64.expect("2[\"said\",\"\u{1F600}\"]")
            // 2 code units, 4 bytes.
            #expect(try await polling.poll().text == "15:42[\"said\",\"\u{1F600}\"]")
            for client in [new, newPolling] {
                #expect(try await client.expectEvent("said").string(0) == "\u{1F600}")
            }

            let binary = #"51-["said",{"_placeholder":true,"num":0}]"#
            io.to("all").emit("said", SocketIOValue.binary(ByteBuffer(bytes: [1, 2, 3])))
            try await old.expect(binary, [1, 2, 3])
            try await base64.expect(binary)
            try await base64.webSocket.expectText("b4AQID")
            let reply = try await polling.poll()
            #expect(reply.headers["content-type"] == "application/octet-stream")
            #expect(reply.body == [0, 4, 2, 255] + ("4" + binary).utf8 + [1, 4, 255, 4, 1, 2, 3])
            for client in [new, newPolling] {
                #expect(try await client.nextEvent().arguments.bytes(0) == [1, 2, 3])
            }

            // From an old client to all others, and back.
            try await old.send(#"51-["say",{"_placeholder":true,"num":0}]"#, [9])
            try await base64.expect(binary)
            try await base64.webSocket.expectText("b4CQ==")
            #expect(try await polling.poll().body.suffix(5) == [1, 2, 255, 4, 9])
            for client in [new, newPolling] {
                #expect(try await client.nextEvent().arguments.bytes(0) == [9])
            }
            try new.emit("say", "\"from new\"")
            try await old.expect(#"2["said","from new"]"#)
            try await polling.post(#"19:42["say","polling"]"#)
            try await old.expect(#"2["said","polling"]"#)
            for client in [new, newPolling] { await client.close() }
        }
    }

    @Test func acknowledgements() async throws {
        try await withServer(configure: Self.allow) { io, port in
            io.onConnection { socket in
                socket.on("ask") { (value: SocketIOValue) in value }
            }
            let client = try await OldClient.join(port)
            try await client.send(#"21["ask",{"a":[1,null]}]"#)
            try await client.expect(#"31[{"a":[1,null]}]"#)
            try await client.send(#"51-2["ask",{"_placeholder":true,"num":0}]"#, [7])
            try await client.expect(#"61-2[{"_placeholder":true,"num":0}]"#, [7])
            let socket = try await onlySocket(io.main)
            async let answer: SocketIOValue = socket.emitWithAck("question", 1)
            try await client.expect(#"20["question",1]"#)
            try await client.send(#"61-0[{"_placeholder":true,"num":0}]"#, [8])
            #expect(try await answer == .binary(ByteBuffer(bytes: [8])))
        }
    }

    // MARK: Recovery

    /// They get offsets with what is sent, as from the reference; they can't come back, and nothing is kept for them.
    @Test func recoveryIsForNewClients() async throws {
        try await withServer {
            Self.allow(&$0)
            $0.connectionStateRecovery = ConnectionStateRecovery()
        } _: { io, port in
            let client = try await OldClient.join(port)
            _ = try await onlySocket(io.main)
            io.emit("e", 1)
            let text = try await client.webSocket.nextText()
            #expect(text.wholeMatch(of: /42\["e",1,"[^"]+"\]/) != nil, "\(text)")
            let socket = try await onlySocket(io.main)
            #expect(!socket.recovered)
            #expect(socket.recoveryFailure == nil)
            await client.webSocket.connection.close()
            try await eventually("the client is gone") { io.main.sockets.isEmpty }
            #expect(io.main.local.recovery?.state.withLock { $0.histories.isEmpty } == true)
            // What looks like an attempt to is none.
            _ = io.of("/admin")
            let again = try await OldClient.join(port)
            try await again.send("0/admin?pid=1&offset=2,")
            try await again.expect("0/admin,")
        }
    }

    // MARK: Metrics

    @Test func oldClientsAreCounted() async throws {
        let metrics = TestMetrics()
        try await withServer {
            Self.allow(&$0)
            $0.metrics = MetricsConfiguration(factory: metrics)
            $0.metrics?.interval = .milliseconds(20)
        } _: { io, port in
            func count() -> Double? { try? metrics.expectGauge("socketio_sessions_eio3").lastValue }
            let first = try await OldClient.join(port)
            let second = try await OldPollingClient.join(port)
            let new = try await join(port)
            try await eventually("two old clients") { count() == 2 }
            await first.webSocket.connection.close()
            try await eventually("one old client") { count() == 1 }
            try await second.post("1:1")
            await new.close()
            try await eventually("no old client") { count() == 0 }
        }
    }
}

/// A polling client whose poll waits.
struct OldPollingWaiter {
    let http: HTTPClient1
    let sid: String
    private let pending: PendingReply

    static func open(_ port: Int) async throws -> OldPollingWaiter {
        let http = HTTPClient1(port: port)
        let path = "/socket.io/?EIO=3&transport=polling"
        let text = try await http.request("GET", path).text
        guard let json = text.firstRange(of: "{") else { throw PeerError("no handshake but \(text)") }
        let sid = try EIOHandshake(json: String(text[json.lowerBound...])).sid
        return OldPollingWaiter(http: http, sid: sid, pending: try await http.start("GET", path + "&sid=" + sid))
    }

    /// Whether the client has a connection, and no socket yet.
    func isWaiting(_ io: SocketIOServer) -> Bool { io.connectionCount == 1 && io.main.sockets.isEmpty }

    func reply() async throws -> String { try await self.pending.reply().text }

    func close() async { await self.http.close() }
}
