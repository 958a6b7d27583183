import NIOCore
import SocketIO
import TestSupport
import Testing

/// Who gets a broadcast.
@Suite struct BroadcastTests {
    /// Clients of both transports in `/`, by name; each is in the room of its name.
    private func joinAll(_ names: [String], _ io: SocketIOServer, _ port: Int) async throws -> [String: SIOClient] {
        io.use { socket in
            if let name = socket.handshake.auth["name"]?.stringValue { socket.join(Room(name)) }
        }
        var clients: [String: SIOClient] = [:]
        for (index, name) in names.enumerated() {
            let auth = "{\"name\":\"\(name)\"}"
            clients[name] = try await join(port, "/", bothTransports[index % 2], auth: auth)
        }
        return clients
    }

    /// The names of those whom the event `x` has reached, each once.
    private func reached(_ clients: [String: SIOClient]) async throws -> Set<String> {
        var names: Set<String> = []
        for (name, client) in clients {
            let events = try await client.eventsSoFar()
            #expect(events == [] || events == ["x"], "\(name)")
            if events == ["x"] { names.insert(name) }
        }
        return names
    }

    @Test func targets() async throws {
        try await withServer(loops: 4) { io, port in
            let clients = try await self.joinAll(["a", "b", "c", "d"], io, port)
            let b = Room(try clients["b"]?.id() ?? "")
            let socket = try #require(io.main.socket(id: try clients["a"]?.id() ?? ""))
            let cases: [(String, () -> Void, Set<String>)] = [
                ("all", { io.emit("x", 1) }, ["a", "b", "c", "d"]),
                ("namespace", { io.main.emit("x") }, ["a", "b", "c", "d"]),
                ("room", { io.to("a").emit("x") }, ["a"]),
                ("in", { io.in("a").emit("x") }, ["a"]),
                ("two rooms", { io.to("a", "b").emit("x") }, ["a", "b"]),
                ("chained", { io.to("a").in("c").emit("x") }, ["a", "c"]),
                ("list", { io.to(["b", "d"]).emit("x") }, ["b", "d"]),
                ("id", { io.to(b).emit("x") }, ["b"]),
                ("id and room of one", { io.to(b, "b").emit("x") }, ["b"]),
                ("no room", { io.to("nobody").emit("x") }, []),
                ("except room", { io.except("a").emit("x") }, ["b", "c", "d"]),
                ("except id", { io.except(b).emit("x") }, ["a", "c", "d"]),
                ("except list", { io.except(["a", "c"]).emit("x") }, ["b", "d"]),
                ("to and except", { io.to("a", "b").except("a").emit("x") }, ["b"]),
                ("except first", { io.except("a").to("a", "c").emit("x") }, ["c"]),
                ("local", { io.local.emit("x") }, ["a", "b", "c", "d"]),
                ("local room", { io.local.to("d").emit("x") }, ["d"]),
                ("broadcast", { socket.broadcast.emit("x") }, ["b", "c", "d"]),
                ("broadcast to", { socket.broadcast.to("a", "b").emit("x") }, ["b"]),
                ("socket to", { socket.to("a", "c").emit("x") }, ["c"]),
                ("socket in", { socket.in("d").emit("x") }, ["d"]),
                ("socket except", { socket.except("b").emit("x") }, ["c", "d"]),
                ("socket", { socket.emit("x") }, ["a"]),
                ("compress", { io.compress(false).emit("x") }, ["a", "b", "c", "d"]),
            ]
            for (name, send, expected) in cases {
                send()
                #expect(try await self.reached(clients) == expected, "\(name)")
            }
        }
    }

    /// A socket that is in two of the rooms gets the packet once; two broadcasts reach it twice.
    @Test func eachSocketOnce() async throws {
        try await withServer { io, port in
            io.main.onConnection { $0.join("a", "b") }
            let client = try await join(port)
            io.to("a", "b").emit("once")
            io.to("a").emit("first")
            io.to("b").emit("second")
            #expect(try await client.eventsSoFar() == ["once", "first", "second"])
        }
    }

    @Test func binary() async throws {
        try await withServer { io, port in
            let clients = try await bothTransports.asyncMap { try await join(port, "/", $0) }
            io.emit("file", ["data": ByteBuffer(bytes: [1, 2, 3])], 5)
            let first = try #require(io.main.socket(id: try clients[0].id()))
            first.broadcast.emit("others", ByteBuffer(bytes: [4]))
            for client in clients {
                let file = try await client.expectEvent("file")
                #expect(file.attachment(file.object(0)?["data"]) == [1, 2, 3])
                #expect(file.int(1) == 5)
            }
            #expect(try await clients[1].expectEvent("others").bytes(0) == [4])
            #expect(try await clients[0].eventsSoFar().isEmpty)
        }
    }

    /// An operator is a value: what is made from it leaves it as it was.
    @Test func operatorsAreValues() async throws {
        try await withServer { io, port in
            io.main.onConnection { socket in
                if socket.handshake.auth["room"] == "a" { socket.join("a") } else { socket.join("b") }
            }
            let a = try await join(port, auth: "{\"room\":\"a\"}")
            let b = try await join(port)
            let toA = io.to("a")
            _ = toA.to("b")
            _ = toA.except("a")
            _ = toA.volatile
            _ = toA.local.compress(true).timeout(.seconds(1))
            #expect(toA.target == BroadcastTarget(rooms: ["a"]))
            #expect(io.main.broadcastOperator.target == BroadcastTarget())
            toA.emit("x")
            #expect(try await a.eventsSoFar() == ["x"])
            #expect(try await b.eventsSoFar() == [])
            var flags = BroadcastFlags()
            flags.volatile = true
            flags.local = true
            flags.compress = false
            flags.timeout = .seconds(3)
            let full = io.to("a").in("b").except("c").volatile.local.compress(false).timeout(.seconds(3))
            #expect(full.target == BroadcastTarget(rooms: ["a", "b"], except: ["c"], flags: flags))
        }
    }

    /// Clients of all kinds: upgraded, polling, and in another namespace; a client that leaves in mid-upgrade does no harm.
    @Test func allTransportsAtOnce() async throws {
        try await withServer(loops: 4) { io, port in
            io.of(/^\/custom$/).use { $0.join("early") }
            let upgraded = try await join(port, "/", .polling)
            try await upgraded.session.upgrade()
            let leaving = try await join(port, "/", .polling)
            let path = EIOClient.requestPath(leaving.session.options, .websocket, sid: leaving.session.sid)
            let probe = try await WSClient.connect(port: port, path: path)
            try await probe.send("2probe")
            try await probe.expectText("3probe")
            await leaving.close()
            try await probe.expectClose(skipping: true)
            let clients = [upgraded, try await join(port), try await join(port, "/", .polling)]
            let custom = try await join(port, "/custom", .polling)
            try await eventually("one has left") { io.main.sockets.count == 3 }
            io.emit("binary", ByteBuffer(bytes: [1]))
            io.emit("text")
            for client in clients {
                #expect(try await client.expectEvent("binary").bytes(0) == [1])
                _ = try await client.expectEvent("text")
            }
            io.of("/custom").to("early").emit("early")
            _ = try await custom.expectEvent("early", namespace: "/custom")
            #expect(custom.eventCount("/custom") == 1)
        }
    }
}
