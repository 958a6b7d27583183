import SocketIO
import TestSupport
import Testing

/// Handlers that are slower than their client, and clients that are slower than what is sent to them.
struct BackpressureTests {
    @Test func eventsWaitWhileAsManyHandlersRunAsMay() async throws {
        try await withServer {
            $0.maxRunningHandlers = 2
        } _: { io, port in
            let log = Awaited((running: 0, most: 0, started: [Int](), ended: 0))
            let doors = (0..<50).map { _ in Door() }
            io.onConnection { socket in
                socket.on("slow") { (number: Int) async throws -> Void in
                    log.update {
                        $0.running += 1
                        $0.most = max($0.most, $0.running)
                        $0.started.append(number)
                    }
                    try await doors[number].pass()
                    log.update {
                        $0.running -= 1
                        $0.ended += 1
                    }
                }
                socket.on("ask") { () async throws -> String in
                    try await socket.emitWithAck("question", as: String.self)
                }
            }
            let client = try await join(port)
            for number in 0..<50 { try client.emit("slow", "\(number)") }
            try await log.wait("two run") { $0.running == 2 ? true : nil }
            // Another client does not notice.
            let other = try await join(port)
            try await other.sync()
            #expect(log.value.started == [0, 1])
            for door in doors { door.open() }
            try await log.wait("all have run") { $0.ended == 50 ? true : nil }
            #expect(log.value.most == 2)
            #expect(log.value.started == Array(0..<50))
            try await client.sync()
        }
    }

    /// A handler may wait for its own client although nothing else of that is taken.
    @Test func acknowledgementsDoNotWait() async throws {
        try await withServer {
            $0.maxRunningHandlers = 1
        } _: { io, port in
            io.onConnection { socket in
                socket.on("ask") { () async throws -> String in
                    try await socket.emitWithAck("question", as: String.self)
                }
            }
            let client = try await join(port)
            try client.emit("ask")
            let question = try await client.nextEvent()
            // This waits, the answer passes it by.
            async let synced: Void = client.sync()
            try client.acknowledge(question, "\"yes\"")
            try await synced
        }
    }

    /// Packets behind an event that passes through middlewares keep their order when handlers are slow, too.
    @Test func orderIsKeptBehindMiddlewares() async throws {
        try await withServer {
            $0.maxRunningHandlers = 3
        } _: { io, port in
            let started = Awaited([Int]())
            io.onConnection { socket in
                socket.use { _ in await Task.yield() }
                socket.on("slow") { (number: Int) async -> Void in
                    started.update { $0.append(number) }
                    for _ in 0..<(number % 5) { await Task.yield() }
                }
            }
            let client = try await join(port)
            for number in 0..<300 { try client.emit("slow", "\(number)") }
            try await started.wait("all have started") { $0.count == 300 ? true : nil }
            #expect(started.value == Array(0..<300))
            try await client.sync()
        }
    }

    @Test(arguments: bothTransports)
    func whatWaitsIsBoundedInBytes(transport: EIOOptions.Transport) async throws {
        try await withServer {
            $0.maxRunningHandlers = 1
            $0.engine.maxInboundQueueBytes = 10_000
        } _: { io, port in
            let door = Door()
            io.onConnection { socket in
                socket.on("slow") { (_: String) async throws -> Void in try await door.pass() }
            }
            let other = try await join(port)
            let flood = try await join(port, "/", transport)
            let text = "\"" + String(repeating: "x", count: 1000) + "\""
            for _ in 0..<12 { try? flood.emit("slow", text) }
            try await flood.session.waitForClose()
            try await other.sync()
            door.open()
        }
    }

    @Test func readyAndTheEnd() async throws {
        try await withServer { io, port in
            let client = try await join(port, "/", .polling)
            let socket = try await onlySocket(io.main)
            try await socket.ready()
            try await socket.ready(below: 0)
            await client.close()
            try await eventually("the end") { socket.disconnected }
            await #expect(throws: SocketIOError.self) { try await socket.ready() }
        }
    }

    /// Of what waits for a client that does not read only the latest of each key is left.
    @Test func broadcastsOfTheSameStateAreConflated() async throws {
        try await withServer { io, port in
            io.of("/chat").onConnection { $0.join("room") }
            let client = try await join(port)
            try await client.connect("/chat")
            let stopped = try await WSClient.connect(
                port: port, path: "/socket.io/?EIO=4&transport=websocket", receiveBuffer: 4096)
            _ = try await stopped.nextText()
            try await stopped.send("40/chat,")
            _ = try await stopped.nextText()
            try await eventually("two in the room") { io.of("/chat").local.socketCount == 2 }
            try await stopped.connection.pauseReading()
            let chat = io.of("/chat")
            // More than the system takes for a client that does not read.
            let filler = String(repeating: "x", count: 900_000)
            for _ in 0..<15 { chat.to("room").emit("filler", filler) }
            for number in 0..<1000 { chat.to("room").conflating("price").emit("price", number) }
            for socket in chat.sockets.values { socket.conflating("own").emit("own", 1) }
            for socket in chat.sockets.values { socket.conflating("own").emit("own", 2) }
            chat.to("room").emit("end")
            try await stopped.connection.resumeReading()
            var events: [String] = []
            while events.last != "42/chat,[\"end\"]" {
                let text = try await stopped.nextText()
                if !text.hasPrefix("42/chat,[\"filler\"") { events.append(text) }
            }
            #expect(events == ["42/chat,[\"price\",999]", "42/chat,[\"own\",2]", "42/chat,[\"end\"]"])
        }
    }
}
