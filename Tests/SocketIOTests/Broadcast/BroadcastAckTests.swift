import NIOCore
import SocketIO
import TestSupport
import Testing

/// Acknowledgements of many.
@Suite struct BroadcastAckTests {
    @Test func allAnswer() async throws {
        try await withServer(loops: 4) { io, port in
            let clients = try await [.polling, .websocket, .websocket].asyncMap { try await join(port, "/", $0) }
            async let answers: [Int] = io.timeout(.seconds(10)).emitWithAck("q", "x")
            var ids: Set<Int?> = []
            for (index, client) in clients.enumerated() {
                let event = try await client.nextEvent()
                #expect(event.arguments.json == "[\"q\",\"x\"]")
                ids.insert(event.id)
                // Of several arguments the first one counts.
                try client.acknowledge(event, "\(index)", "\"ignored\"")
            }
            #expect(try await answers.sorted() == [0, 1, 2])
            #expect(ids.count == 1)
            #expect(io.main.sockets.values.allSatisfy { $0.pendingAckCount == 0 })
        }
    }

    /// Who has not answered is named, and what the others said is there.
    @Test func someDoNotAnswer() async throws {
        try await withServer { io, port in
            let clients = try await Array(0..<3).asyncMap { _ in try await join(port) }
            let error = try await withGrowingLimit("two answers") { limit -> BroadcastAckError? in
                let broadcast = Task { () -> [Int] in try await io.timeout(limit).emitWithAck("q") }
                for client in clients.prefix(2) {
                    try client.acknowledge(try await client.nextEvent(), "1")
                }
                do {
                    _ = try await broadcast.value
                    throw PeerError("all have answered")
                } catch let error as BroadcastAckError {
                    return error.answers.count < 2 ? nil : error
                }
            }
            #expect(error.answers == [1, 1])
            #expect(error.missing == [try clients[2].id()])
            #expect(error.missingElsewhere == 0)
            #expect("\(error)" == "operation has timed out: 2 answers, 1 missing")
            #expect(io.main.sockets.values.allSatisfy { $0.pendingAckCount == 0 })
            // What comes later is ignored.
            let late = clients[2]
            try late.acknowledge(try await late.nextEvent(), "1")
            try await late.sync()
        }
    }

    @Test func oneIsGoneMeanwhile() async throws {
        try await withServer { io, port in
            let staying = try await join(port)
            let leaving = try await join(port)
            let gone = try leaving.id()
            let broadcast = Task { () -> [Int] in try await io.timeout(.seconds(30)).emitWithAck("q") }
            _ = try await leaving.nextEvent()
            await leaving.session.abort()
            try staying.acknowledge(try await staying.nextEvent(), "1")
            // Long before the time is up.
            do {
                _ = try await withTimeout { try await broadcast.value }
                Issue.record("all have answered")
            } catch let error as BroadcastAckError {
                #expect(error.missing == [gone])
                #expect(error.answers == [1])
            }
        }
    }

    @Test func nobodyIsAsked() async throws {
        try await withServer { io, port in
            let client = try await join(port)
            let none: [Int] = try await io.to("nobody").emitWithAck("q")
            #expect(none.isEmpty)
            let except: [Int] = try await io.except(Room(try client.id())).local.emitWithAck("q")
            #expect(except.isEmpty)
            #expect(try await client.eventsSoFar().isEmpty)
        }
    }

    @Test func targetsAndBinary() async throws {
        try await withServer { io, port in
            io.main.onConnection { socket in
                socket.on("ask others") { (data: ByteBuffer) async throws -> [ByteBuffer] in
                    try await socket.broadcast.emitWithAck("q", data)
                }
            }
            let asking = try await join(port)
            let others = try await [.polling, .websocket].asyncMap { try await join(port, "/", $0) }
            async let answer = asking.emitWithAck("ask others", SIOClient.placeholder(0), binary: [[1, 2]])
            for other in others {
                let event = try await other.nextEvent()
                #expect(event.arguments.bytes(0) == [1, 2])
                try other.acknowledge(event, SIOClient.placeholder(0), binary: [[3]])
            }
            let answers = try await answer
            #expect(answers.attachments == [[3], [3]])
            #expect(try await asking.eventsSoFar().isEmpty)
        }
    }

    @Test func theTaskIsCancelled() async throws {
        try await withServer { io, port in
            let client = try await join(port)
            let broadcast = Task { () -> [Int] in try await io.emitWithAck("q") }
            _ = try await client.nextEvent()
            broadcast.cancel()
            await #expect(throws: CancellationError.self) { try await broadcast.value }
            try await eventually("nobody waits") { io.main.sockets.values.allSatisfy { $0.pendingAckCount == 0 } }
        }
    }

    @Test func wrongAnswersAndWrongEvents() async throws {
        try await withServer { io, port in
            let client = try await join(port)
            let broadcast = Task { () -> [Int] in try await io.emitWithAck("q") }
            try client.acknowledge(try await client.nextEvent(), "\"text\"")
            await #expect { try await broadcast.value } throws: { ($0 as? SocketIOError)?.code == .typeMismatch }
            await #expect { try await io.emitWithAck("connect", as: Int.self) } throws: {
                ($0 as? SocketIOError)?.code == .reservedEvent
            }
        }
    }

    /// All namespaces of a dynamic one are asked.
    @Test func dynamicNamespaces() async throws {
        try await withServer { io, port in
            let parent = io.of(/^\/d-\d$/)
            let clients = try await ["/d-1", "/d-2"].asyncMap { ($0, try await join(port, $0)) }
            async let answers: [String] = parent.emitWithAck("q")
            for (name, client) in clients {
                try client.acknowledge(try await client.nextEvent(name), jsonString(name))
            }
            #expect(Set(try await answers) == ["/d-1", "/d-2"])
            #expect(try await parent.allSockets().count == 2)
        }
    }
}
