import SocketIO
import TestSupport
import Testing

@Suite struct DynamicNamespaceTests {
    @Test(arguments: bothTransports) func byPattern(_ transport: EIOOptions.Transport) async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            let parent = io.of(/^\/dynamic-\d+$/)
            parent.use { _ in recorder.add("middleware") }
            parent.onConnection { socket in
                recorder.add("connection \(socket.namespace.name)")
                socket.on("message") { (number: Int, text: String, object: [String: Int]) in
                    recorder.add("message \(number) \(text) \(object)")
                    return true
                }
                socket.join("room")
            }
            parent.onConnection { (_: Socket) async in recorder.add("async") }
            let client = try await join(port, "/dynamic-101", transport)
            _ = try await client.emitWithAck("message", "1", "\"2\"", "{\"3\":4}", namespace: "/dynamic-101")
            parent.emit("hello", 1, "2", ["3": 4])
            let arguments = try await client.expectEvent("hello", namespace: "/dynamic-101")
            #expect(arguments.json == "[\"hello\",1,\"2\",{\"3\":4}]")
            parent.to("room").emit("room")
            _ = try await client.expectEvent("room", namespace: "/dynamic-101")
            #expect(
                try await recorder.wait(count: 4) == [
                    "middleware", "connection /dynamic-101", "async", "message 1 2 [\"3\": 4]",
                ])
            #expect(parent.children.map(\.name) == ["/dynamic-101"])
            #expect(parent.children.first?.parent === parent)
            await #expect(throws: SIORefused.self) { try await client.connect("/dynamic-x") }
        }
    }

    /// The predicate sees the name and what the client sent; it may take its time.
    @Test func byPredicate() async throws {
        try await withServer { io, port in
            _ = io.of { _, _ in false }
            _ = io.of { name, auth in
                await Task.yield()
                return name == "/yes" && auth["token"] == "abc"
            }
            let client = try await open(port)
            await #expect(throws: SIORefused.self) { try await client.connect("/yes") }
            await #expect(throws: SIORefused.self) { try await client.connect("/no", auth: "{\"token\":\"abc\"}") }
            try await client.connect("/yes", auth: "{\"token\":\"abc\"}")
            #expect(Set(io.namespaces.keys) == ["/", "/yes"])
        }
    }

    @Test func firstJoinersAtTheSameTimeShareOne() async throws {
        let recorder = Recorder()
        try await withServer(loops: 4) { io, port in
            io.onNewNamespace { recorder.add($0.name) }
            let parent = io.of(/^\/shared$/)
            let clients = try await withThrowingTaskGroup(of: SIOClient.self) { group in
                for _ in 0..<8 { group.addTask { try await join(port, "/shared") } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(recorder.all == ["/shared"])
            #expect(parent.children.count == 1)
            #expect(io.of("/shared").sockets.count == 8)
            parent.emit("all")
            for client in clients { _ = try await client.expectEvent("all", namespace: "/shared") }
        }
    }

    @Test func emptyOnesAreRemovedAndMadeAnew() async throws {
        try await withServer {
            $0.cleanupEmptyChildNamespaces = true
        } _: { io, port in
            let parent = io.of(/^\/dynamic-\d+$/)
            let one = try await join(port, "/dynamic-1")
            let two = try await join(port, "/dynamic-1")
            let first = io.of("/dynamic-1")
            try one.disconnect("/dynamic-1")
            try await eventually("one has left") { first.sockets.count == 1 }
            #expect(io.namespaces["/dynamic-1"] === first)
            try two.disconnect("/dynamic-1")
            try await eventually("the namespace is gone") { io.namespaces["/dynamic-1"] == nil }
            // Its parent forgets it a little later.
            try await eventually("the parent has none") { parent.children.isEmpty }
            try await one.connect("/dynamic-1")
            #expect(io.namespaces["/dynamic-1"] != nil)
            #expect(io.namespaces["/dynamic-1"] !== first)
            #expect(parent.children.count == 1)
        }
    }

    @Test(arguments: [true, false]) func refusedClientsLeaveNone(cleansUp: Bool) async throws {
        try await withServer {
            $0.cleanupEmptyChildNamespaces = cleansUp
        } _: { io, port in
            io.of(/^\/dynamic-\d+$/).use { _ in throw ConnectError("no") }
            let client = try await open(port)
            await #expect(throws: SIORefused.self) { try await client.connect("/dynamic-1") }
            try await eventually("the claim is given up") { (io.namespaces["/dynamic-1"] == nil) == cleansUp }
        }
    }

    @Test func withoutCleanUpTheyStay() async throws {
        try await withServer { io, port in
            _ = io.of(/^\/dynamic-\d+$/)
            let client = try await join(port, "/dynamic-1")
            let made = io.namespaces["/dynamic-1"]
            try client.disconnect("/dynamic-1")
            try await eventually("it has left") { made?.sockets.isEmpty ?? false }
            try await client.connect("/dynamic-1")
            #expect(io.namespaces["/dynamic-1"] === made)
        }
    }

    /// A namespace that the application has named stays, whether a pattern admits its name or not.
    @Test func declaredOnesAreNeverRemoved() async throws {
        try await withServer {
            $0.cleanupEmptyChildNamespaces = true
        } _: { io, port in
            let parent = io.of(/^\/dynamic-\d+$/)
            let plain = io.of("/chat")
            let child = io.of("/dynamic-101")
            #expect(plain.parent == nil)
            #expect(child.parent === parent)
            #expect(parent.children.map(\.name) == ["/dynamic-101"])
            for namespace in [plain, child] {
                let client = try await join(port, namespace.name)
                parent.emit("hello")
                if namespace === child { _ = try await client.expectEvent("hello", namespace: child.name) }
                try client.disconnect(namespace.name)
                try await eventually("it has left") { namespace.sockets.isEmpty }
                try await client.connect(namespace.name)
                #expect(io.namespaces[namespace.name] === namespace)
            }
        }
    }

    @Test func errorsReachTheParentsHook() async throws {
        let errors = ErrorRecorder()
        try await withServer { io, port in
            let parent = io.of(/^\/d$/)
            parent.onError { error, socket in
                #expect(socket?.namespace.name == "/d")
                errors.add(error)
            }
            parent.onConnection { _ in throw TestError("sync") }
            parent.onConnection { (_: Socket) async throws in throw TestError("async") }
            _ = try await join(port, "/d")
            try await errors.wait(count: 2)
            #expect(errors.all as? [TestError] == [TestError("sync"), TestError("async")])
        }
    }
}
