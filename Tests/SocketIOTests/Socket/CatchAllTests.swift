import NIOCore
import SocketIO
import TestSupport
import Testing

/// Listeners to all events that come, and to all that are sent.
@Suite struct CatchAllTests {
    @Test func incoming() async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            io.main.onConnection { socket in
                socket.on("a") { (n: Int) in recorder.add("a \(n)") }
                socket.onAny { event, arguments in recorder.add("second \(event) \(arguments)") }
                socket.onAny { _, _ in throw TestError("must not stop the others") }
                let token = socket.onAny { _, _ in recorder.add("removed") }
                socket.prependAny { event, _ in recorder.add("first \(event)") }
                token.cancel()
                socket.on("off") { socket.offAny() }
            }
            let client = try await join(port)
            try client.emit("a", "1", "{\"x\":[null]}")
            try client.emit("unheard", SIOClient.placeholder(0), binary: [[1, 2]])
            #expect(
                try await recorder.wait(count: 5) == [
                    "first a", "second a [1, {\"x\":[null]}]", "a 1", "first unheard", "second unheard [<2 bytes>]",
                ])
            try client.emit("off")
            try client.emit("a", "2")
            try await client.sync()
            #expect(recorder.all.suffix(3) == ["first off", "second off []", "a 2"])
        }
    }

    /// Acknowledgements are no events.
    @Test func acknowledgementsAreNotTold() async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            io.main.onConnection { socket in
                socket.onAny { event, _ in recorder.add("in \(event)") }
                socket.onAnyOutgoing { event, _ in recorder.add("out \(event)") }
            }
            let client = try await join(port)
            let socket = try await onlySocket(io.main)
            async let answer: Int = socket.emitWithAck("q", 1)
            try client.acknowledge(try await client.nextEvent(), "1")
            _ = try await answer
            try await client.sync()
            #expect(recorder.all == ["out q", "in sync"])
        }
    }

    @Test func outgoing() async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            let client = try await join(port)
            let socket = try await onlySocket(io.main)
            socket.onAnyOutgoing { event, arguments in recorder.add("second \(event) \(arguments)") }
            socket.prependAnyOutgoing { event, _ in recorder.add("first \(event)") }
            let token = socket.onAnyOutgoing { _, _ in recorder.add("removed") }
            token.cancel()
            socket.emit("a", 1, "x")
            socket.volatile.emit("b")
            io.emit("broadcast", ["x": ByteBuffer(bytes: [1, 2, 3])])
            io.to(Room(socket.id)).emit("room", 2)
            socket.broadcast.emit("others")
            #expect(
                recorder.all == [
                    "first a", "second a [1, \"x\"]", "first b", "second b []", "first broadcast",
                    "second broadcast [{\"x\":<3 bytes>}]", "first room", "second room [2]",
                ])
            socket.offAnyOutgoing()
            socket.emit("c")
            io.emit("c")
            #expect(recorder.all.count == 8)
            try await client.sync()
            #expect(client.eventCount() >= 5)
        }
    }
}
