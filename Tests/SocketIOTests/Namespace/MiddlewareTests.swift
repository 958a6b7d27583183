import SocketIO
import TestSupport
import Testing

@Suite struct MiddlewareTests {
    /// In the order of registration, those of the namespace only, and all before the client is connected.
    @Test func runInOrderBeforeTheConnection() async throws {
        let recorder = Recorder()
        let door = Door()
        try await withServer { io, port in
            let key = SocketDataKey<String>("name")
            io.use { socket in
                recorder.add("first")
                socket.data[key] = "alice"
                #expect(!socket.connected)
                #expect(!socket.disconnected)
                #expect(io.main.sockets.isEmpty)
            }
            io.use { _ in
                try await door.pass()
                recorder.add("second")
            }
            io.of("/other").use { _ in recorder.add("other") }
            io.onConnection { socket in
                recorder.add("connection \(socket.data[key] ?? "")")
                #expect(socket.connected)
                #expect(io.main.sockets[socket.id] === socket)
            }
            let client = try await open(port)
            async let joined = client.connect()
            try await recorder.wait(for: "first")
            #expect(recorder.all == ["first"])
            door.open()
            _ = try await joined
            #expect(try await recorder.wait(count: 3) == ["first", "second", "connection alice"])
        }
    }

    @Test(arguments: bothTransports) func refusalReachesTheClient(_ transport: EIOOptions.Transport) async throws {
        let recorder = Recorder()
        let errors = ErrorRecorder()
        try await withServer {
            $0.onError = errors.hook
        } _: { io, port in
            io.use { socket in
                if socket.handshake.auth["key"] != "open" {
                    throw ConnectError("not authorized", data: ["code": 403, "why": [1, nil]])
                }
            }
            io.use { _ in recorder.add("never") }
            io.onConnection { _ in recorder.add("connection") }
            let client = try await open(port, transport)
            do {
                try await client.connect(auth: "{\"key\":\"shut\"}")
                Issue.record("joined")
            } catch let refused as SIORefused {
                #expect(
                    refused.json == "{\"message\":\"not authorized\",\"data\":{\"code\":403,\"why\":[1,null]}}")
            }
            #expect(io.main.sockets.isEmpty)
            #expect(recorder.all.isEmpty)
            #expect(errors.all.isEmpty)
            try await client.connect(auth: "{\"key\":\"open\"}")
            #expect(try await recorder.wait(count: 2) == ["never", "connection"])
        }
    }

    /// What another error says is for the hook, not for the client.
    @Test func otherErrorsStayOnTheServer() async throws {
        let errors = ErrorRecorder()
        try await withServer {
            $0.onError = errors.hook
        } _: { io, port in
            io.use { _ in throw TestError("password of the database") }
            let client = try await open(port)
            do { try await client.connect() } catch let refused as SIORefused {
                #expect(refused.json == "{\"message\":\"Connection refused\"}")
            }
            #expect(errors.all as? [TestError] == [TestError("password of the database")])
        }
    }

    @Test func clientThatIsGoneMeanwhileFiresNoHandler() async throws {
        let recorder = Recorder()
        let door = Door()
        try await withServer { io, port in
            io.use { socket in
                recorder.add("middleware")
                socket.join("early")
                try await door.pass()
                recorder.add("passed")
            }
            io.onConnection { _ in recorder.add("connection") }
            let client = try await open(port)
            try client.sendRaw("0")
            try await recorder.wait(for: "middleware")
            await client.session.abort()
            try await eventually("the connection is gone") { io.connectionCount == 0 }
            door.open()
            try await recorder.wait(for: "passed")
            let other = try await join(port)
            try await other.sync()
            #expect(recorder.count("connection") == 1)
            #expect(io.main.sockets.count == 1)
        }
    }

    /// Rooms joined in a middleware count once the client is connected, and never when it is refused.
    @Test func earlyRooms() async throws {
        try await withServer { io, port in
            io.use { socket in
                socket.join("a", "b")
                #expect(socket.rooms == ["a", "b"])
                socket.leave("b")
                #expect(io.main.local.roomCount == 0)
            }
            io.use { socket in
                if socket.handshake.auth["out"] == true { throw ConnectError("out") }
            }
            let refused = try await open(port)
            await #expect(throws: SIORefused.self) { try await refused.connect(auth: "{\"out\":true}") }
            #expect(io.main.local.rooms.isEmpty)
            let client = try await join(port)
            #expect(io.main.local.rooms == ["a", Room(try client.id())])
            #expect(io.main.socket(id: try client.id())?.rooms == ["a", Room(try client.id())])
            io.to("a").emit("hello")
            _ = try await client.expectEvent("hello")
        }
    }

    /// Namespaces are joined independently: a slow one does not keep the others waiting.
    @Test func slowOneKeepsNobodyWaiting() async throws {
        let door = Door()
        try await withServer { io, port in
            io.of("/slow").use { _ in try await door.pass() }
            _ = io.of("/quick")
            let client = try await open(port)
            async let slow = client.connect("/slow")
            try await client.connect("/quick")
            try await client.connect()
            try await client.sync()
            #expect(client.sid("/slow") == nil)
            door.open()
            _ = try await slow
        }
    }

    /// What a middleware sends comes before CONNECT.
    @Test func mayEmit() async throws {
        try await withServer { io, port in
            io.use { $0.emit("early", 1) }
            let client = try await join(port)
            #expect(try await client.expectEvent("early").int(0) == 1)
        }
    }
}
