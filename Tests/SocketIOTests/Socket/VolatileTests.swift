import NIOCore
import SocketIO
import TestSupport
import Testing

/// A volatile packet is sent if it can leave right now, and else dropped.
@Suite struct VolatileTests {
    /// Handlers run while the outbox is kept closed, so that what they send stays together.
    private func install(_ io: SocketIOServer) {
        io.onConnection { socket in
            socket.on("regular, volatile") {
                socket.emit("regular")
                socket.volatile.emit("volatile")
            }
            socket.on("volatile") { socket.volatile.emit("volatile", 1) }
            socket.on("two volatile") {
                socket.volatile.emit("one")
                socket.volatile.send("two")
            }
            socket.on("binary") {
                socket.volatile.emit("one", ByteBuffer(bytes: [1]), ByteBuffer(bytes: [2]))
                socket.volatile.emit("two", ByteBuffer(bytes: [3]))
            }
            socket.on("broadcast") {
                io.volatile.emit("one", ByteBuffer(bytes: [1]))
                io.main.volatile.emit("two", ByteBuffer(bytes: [2]))
            }
            socket.on("between") {
                socket.emit("first")
                socket.volatile.emit("volatile")
                socket.emit("last")
            }
        }
    }

    @Test func overWebSocket() async throws {
        try await withServer { io, port in
            self.install(io)
            let client = try await join(port)
            for (event, expected) in [
                ("regular, volatile", ["regular"]), ("volatile", ["volatile"]), ("two volatile", ["one"]),
                ("binary", ["one"]), ("broadcast", ["one"]), ("between", ["first", "last"]),
            ] {
                try client.emit(event)
                #expect(try await client.eventsSoFar() == expected, "\(event)")
            }
        }
    }

    /// Here "right now" means that a GET waits, which a test can't see: it asks until one did.
    @Test func overPolling() async throws {
        try await withServer { io, port in
            self.install(io)
            let client = try await join(port, "/", .polling)
            for event in ["volatile", "two volatile", "binary", "broadcast"] {
                var names: [String] = []
                try await eventually("\(event) arrives") {
                    try client.emit(event)
                    names += try await client.eventsSoFar()
                    return !names.isEmpty
                }
                #expect(Set(names) == (event == "volatile" ? ["volatile"] : ["one"]), "\(event)")
            }
            for (event, expected) in [("regular, volatile", ["regular"]), ("between", ["first", "last"])] {
                try client.emit(event)
                #expect(try await client.eventsSoFar() == expected, "\(event)")
            }
        }
    }

    /// A client that does not read gets none of them, and all regular packets.
    @Test func congestion() async throws {
        try await withServer { io, port in
            let client = try await join(port)
            let socket = try await onlySocket(io.main)
            try await client.session.pauseReading()
            let kilobyte = String(repeating: "x", count: 10_000)
            for index in 0..<1_000 { socket.emit("regular", index, kilobyte) }
            for _ in 0..<100 { socket.volatile.emit("volatile", kilobyte) }
            socket.emit("last")
            try await client.session.resumeReading()
            for index in 0..<1_000 { #expect(try await client.expectEvent("regular").int(0) == index) }
            _ = try await client.expectEvent("last")
        }
    }
}
