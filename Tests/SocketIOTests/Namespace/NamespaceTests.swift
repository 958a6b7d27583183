import SocketIO
import TestSupport
import Testing

@Suite struct NamespaceTests {
    @Test func serverStandsForTheMainNamespace() async throws {
        try await withServer { io, port in
            #expect(io.main === io.of("/"))
            #expect(io.of("") === io.main)
            #expect(io.of("abc") === io.of("/abc"))
            #expect(io.main.name == "/")
            #expect(Set(io.namespaces.keys) == ["/", "/abc"])
            let client = try await join(port)
            io.emit("a", 1)
            io.send("b")
            io.to("nobody").emit("c")
            #expect(try await client.eventsSoFar() == ["a", "message"])
            #expect(try await io.allSockets() == [try client.id()])
        }
    }

    /// A client that names none joins the main one, and the handlers of a namespace all hear of it, in their order.
    @Test(arguments: bothTransports) func allHandlersAreCalled(_ transport: EIOOptions.Transport) async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            io.onConnection { _ in recorder.add("first") }
            io.onConnection { socket in
                await Task.yield()
                recorder.add("async \(socket.id)")
            }
            io.main.onConnection { _ in recorder.add("second") }
            let client = try await join(port, "/", transport)
            #expect(Set(try await recorder.wait(count: 3)) == ["first", "second", "async \(try client.id())"])
            #expect(recorder.all.firstIndex(of: "first") ?? 9 < recorder.all.firstIndex(of: "second") ?? 0)
        }
    }

    @Test func oneConnectionManyNamespaces() async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            for name in ["/", "/chat", "/news"] {
                io.of(name).onConnection { socket in
                    recorder.add("connection \(name)")
                    socket.on("where") { socket.namespace.name }
                }
            }
            let client = try await join(port)
            try await client.connect("/chat")
            try await client.connect("/news")
            #expect(try await recorder.wait(count: 3) == ["connection /", "connection /chat", "connection /news"])
            for name in ["/", "/chat", "/news"] {
                #expect(try await client.emitWithAck("where", namespace: name).string(0) == name)
            }
            #expect(Set(["/", "/chat", "/news"].compactMap { client.sid($0) }).count == 3)
            let socket = try await onlySocket(io.of("/chat"))
            #expect(Set(socket.connection.sockets.keys) == ["/", "/chat", "/news"])
            #expect(io.connectionCount == 1)
        }
    }

    @Test func sameNamespaceTwiceTakesTwoConnections() async throws {
        try await withServer { io, port in
            let one = try await join(port)
            let two = try await join(port)
            #expect(one.session.sid != two.session.sid)
            #expect(try await io.allSockets() == [try one.id(), try two.id()])
            #expect(io.main.socket(id: try one.id())?.id == one.sid())
            #expect(io.main.socket(id: "nobody") == nil)
        }
    }

    @Test(arguments: bothTransports) func unknownNamespaceIsRefused(_ transport: EIOOptions.Transport) async throws {
        try await withServer { io, port in
            let client = try await open(port, transport)
            await #expect(throws: SIORefused.self) { try await client.connect("/nope") }
            do { try await client.connect("/nope?x=1") } catch let refused as SIORefused {
                #expect(refused.json == "{\"message\":\"Invalid namespace\"}")
            }
            // The connection goes on.
            try await client.connect()
            try await client.sync()
        }
    }

    @Test func namespacesDoNotHearEachOther() async throws {
        try await withServer { io, port in
            io.of("/other").onConnection { $0.on("sync") { true } }
            let client = try await join(port)
            try await client.connect("/other")
            io.of("/other").emit("there")
            io.emit("here")
            _ = try await client.expectEvent("here")
            _ = try await client.expectEvent("there", namespace: "/other")
            _ = try await client.emitWithAck("sync", namespace: "/other")
            #expect(client.eventCount() == 1)
            #expect(client.eventCount("/other") == 1)
            #expect(try await io.of("/other").allSockets() == [try client.id("/other")])
        }
    }

    @Test func newNamespacesAreTold() async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            io.onNewNamespace { recorder.add($0.name) }
            _ = io.of("/made")
            _ = io.of("/made")
            _ = io.of { name, _ in name == "/dynamic" }
            _ = try await join(port, "/dynamic")
            #expect(recorder.all == ["/made", "/dynamic"])
        }
    }

    @Test func tooManyNamespacesAreRefused() async throws {
        try await withServer {
            $0.maxNamespacesPerConnection = 2
        } _: { io, port in
            for name in ["/a", "/b", "/c"] { _ = io.of(name) }
            let client = try await open(port)
            try await client.connect("/a")
            try await client.connect("/b")
            do {
                try await client.connect("/c")
                Issue.record("joined")
            } catch let refused as SIORefused {
                #expect(refused.message == "Too many namespaces")
            }
            try client.disconnect("/a")
            try await client.connect("/c")
        }
    }
}
