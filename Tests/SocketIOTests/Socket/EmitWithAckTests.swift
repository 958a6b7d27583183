import NIOCore
import SocketIO
import TestSupport
import Testing

/// Acknowledgements that the server asks one client for.
@Suite struct EmitWithAckTests {
    @Test(arguments: bothTransports) func returnsTheAnswer(_ transport: EIOOptions.Transport) async throws {
        try await withServer { io, port in
            let client = try await join(port, "/", transport)
            let socket = try await onlySocket(io.main)
            async let number: Int = socket.emitWithAck("number", "a", 1)
            let question = try await client.nextEvent()
            #expect(question.arguments.json == "[\"number\",\"a\",1]")
            try client.acknowledge(question, "42", "\"ignored\"")
            #expect(try await number == 42)

            async let bytes: ByteBuffer = socket.emitWithAck("bytes", ByteBuffer(bytes: [1]), timeout: .seconds(10))
            let file = try await client.nextEvent()
            #expect(file.arguments.bytes(0) == [1])
            try client.acknowledge(file, SIOClient.placeholder(0), binary: [[2, 3]])
            #expect(try await bytes == ByteBuffer(bytes: [2, 3]))

            async let nothing: Int? = socket.emitWithAck("nothing")
            try client.acknowledge(try await client.nextEvent())
            #expect(try await nothing == nil)

            async let list = socket.emitWithAck("list", as: [String].self)
            try client.acknowledge(try await client.nextEvent(), "[\"a\"]")
            #expect(try await list == ["a"])
            #expect(socket.pendingAckCount == 0)
        }
    }

    /// One counter for all sockets of a namespace, from 0.
    @Test func idsBelongToTheNamespace() async throws {
        try await withServer { io, port in
            let clients = [try await join(port), try await join(port)]
            var ids: [Int?] = []
            for client in clients + clients {
                let socket = try #require(io.main.socket(id: try client.id()))
                async let answer: Int = socket.emitWithAck("q")
                let event = try await client.nextEvent()
                ids.append(event.id)
                try client.acknowledge(event, "1")
                _ = try await answer
            }
            #expect(ids == [0, 1, 2, 3])
        }
    }

    @Test func timesOut() async throws {
        try await withServer { io, port in
            let client = try await join(port)
            let socket = try await onlySocket(io.main)
            await #expect { try await socket.timeout(.milliseconds(30)).emitWithAck("q", as: Int.self) } throws: {
                ($0 as? SocketIOError)?.code == .ackTimeout
            }
            #expect(socket.pendingAckCount == 0)
            // An answer that comes too late, and a second one, are ignored.
            let late = try await client.nextEvent()
            try client.acknowledge(late, "1")
            async let answer: Int = socket.emitWithAck("q", timeout: .seconds(10))
            let event = try await client.nextEvent()
            try client.acknowledge(event, "1")
            try client.acknowledge(event, "2")
            #expect(try await answer == 1)
            try await client.sync()
        }
    }

    @Test func answerOfAnotherShape() async throws {
        try await withServer { io, port in
            let client = try await join(port)
            let socket = try await onlySocket(io.main)
            for (answer, code) in [("\"x\"", SocketIOError.Code.typeMismatch), ("", .missingArgument)] {
                async let number: Int = socket.emitWithAck("q")
                let event = try await client.nextEvent()
                if answer.isEmpty { try client.acknowledge(event) } else { try client.acknowledge(event, answer) }
                do {
                    _ = try await number
                    Issue.record("an answer")
                } catch let error as SocketIOError {
                    #expect(error.code == code)
                }
            }
        }
    }

    /// The end of the socket ends the waiting; so does the end of the task, and what can't be sent never waits.
    @Test func endsWithTheSocketAndTheTask() async throws {
        try await withServer { io, port in
            let client = try await join(port)
            let socket = try await onlySocket(io.main)
            let waiting = Task { try await socket.emitWithAck("q", as: Int.self) }
            let cancelled = Task { try await socket.emitWithAck("q", as: Int.self) }
            _ = try await client.nextEvent()
            _ = try await client.nextEvent()
            cancelled.cancel()
            await #expect(throws: CancellationError.self) { try await cancelled.value }
            await #expect(throws: SocketIOError.self) { try await socket.emitWithAck("connect", as: Int.self) }
            try await eventually("one waits") { socket.pendingAckCount == 1 }
            await client.session.abort()
            await #expect { try await waiting.value } throws: { ($0 as? SocketIOError)?.code == .disconnected }
            await #expect { try await socket.emitWithAck("q", as: Int.self) } throws: {
                ($0 as? SocketIOError)?.code == .disconnected
            }
            #expect(socket.pendingAckCount == 0)
        }
    }

    @Test func unknownAcknowledgementsAreIgnored() async throws {
        try await withServer { io, port in
            let client = try await join(port)
            for packet in ["399[]", "3[1]", "30[1]", "39007199254740991[1]"] { try client.sendRaw(packet) }
            try await client.sync()
        }
    }
}
