import SocketIO
import TestSupport
import Testing

@Suite struct ListenerTests {
    @Test func inTheOrderOfTheirRegistration() async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            io.onConnection { socket in
                socket.on("a") { recorder.add("1") }
                socket.on("a") { (n: Int) in recorder.add("2 \(n)") }
                socket.on("a") { (n: Int) async in recorder.add("3 \(n)") }
                socket.on("b") { (_: Int) in recorder.add("other") }
            }
            let client = try await join(port)
            try client.emit("a", "7")
            try await client.sync()
            #expect(recorder.all == ["1", "2 7", "3 7"])
        }
    }

    /// Few listeners are kept in another way than many.
    @Test(arguments: [0, 20]) func once(others: Int) async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            io.onConnection { socket in
                for number in 0..<others { socket.on("other \(number)") { recorder.add("never") } }
                socket.once("a") { (n: Int) in recorder.add("once \(n)") }
                socket.once("a") { (n: Int) async in recorder.add("once async \(n)") }
                socket.once("a") { (n: Int) in n * 2 }
                socket.on("a") { (n: Int) in recorder.add("on \(n)") }
                let token = socket.once("a") { recorder.add("never") }
                token.cancel()
            }
            let client = try await join(port)
            #expect(try await client.emitWithAck("a", "1").json == "[2]")
            #expect(try await client.emitWithAck("a", "2").json == "[]")
            #expect(recorder.all == ["once 1", "once async 1", "on 1", "on 2"])
        }
    }

    @Test(arguments: [0, 20]) func removal(others: Int) async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            io.onConnection { socket in
                let names = (0..<others).map { "other \($0)" }
                for name in names { socket.on(name) { recorder.add("never") } }
                let token = socket.on("a") { recorder.add("a") }
                socket.on("a") { recorder.add("a again") }
                socket.on("b") { recorder.add("b") }
                socket.on("remove one") {
                    token.cancel()
                    token.cancel()
                }
                socket.on("remove a") { socket.removeAllListeners("a") }
                socket.on("remove all") { socket.removeAllListeners() }
                let own: Set = ["sync", "a", "b", "remove one", "remove a", "remove all"]
                #expect(Set(socket.eventNames) == own.union(names))
            }
            let client = try await join(port)
            for event in ["a", "remove one", "a", "remove a", "a", "b"] { try client.emit(event) }
            try await client.sync()
            #expect(recorder.all == ["a", "a again", "a again", "b"])
            try client.emit("remove all")
            try client.emit("b")
            let socket = try await onlySocket(io.main)
            try await eventually("all are removed") { socket.eventNames.isEmpty }
            socket.on("c") { recorder.add("c") }
            try client.emit("c")
            #expect(try await recorder.wait(count: 5).last == "c")
        }
    }

    /// A listener may remove itself and others, and add some, while it is called.
    @Test func changesFromInside() async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            io.onConnection { socket in
                let tokens = Awaited<[ListenerToken]>([])
                let token = socket.on("a") {
                    recorder.add("first")
                    for token in tokens.value { token.cancel() }
                    socket.on("a") { recorder.add("added") }
                }
                tokens.update { $0.append(token) }
            }
            let client = try await join(port)
            try client.emit("a")
            try client.emit("a")
            try client.emit("a")
            try await client.sync()
            #expect(recorder.all == ["first", "added", "added"])
        }
    }

    /// What handlers throw reaches the hooks of socket, namespace and server, and disconnects nobody.
    @Test func errorsReachAllHooks() async throws {
        let recorder = Recorder()
        try await withServer { configuration in
            configuration.onError = { error, socket in recorder.add("server \(error) \(socket != nil)") }
        } _: { io, port in
            io.onError { error, _ in recorder.add("namespace \(error)") }
            io.main.onConnection { socket in
                socket.onError { recorder.add("socket \($0)") }
                socket.on("throw") { throw TestError("x") }
                if socket.handshake.auth["throw"] == true { throw TestError("connection") }
            }
            let client = try await join(port)
            try client.emit("throw")
            try await client.sync()
            let x = TestError("x")
            #expect(recorder.all == ["socket \(x)", "namespace \(x)", "server \(x) true"])
            _ = try await join(port, auth: "{\"throw\":true}").sync()
            #expect(recorder.count("namespace \(TestError("connection"))") == 1)
        }
    }
}
