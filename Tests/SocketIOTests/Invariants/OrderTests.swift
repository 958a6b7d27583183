import SocketIO
import Synchronization
import TestSupport
import Testing

/// What one sender sends to one recipient arrives in the order of the calls, whatever the calls are.
@Suite struct OrderTests {
    /// Four loops, both transports, clients that upgrade meanwhile; each round mixes emit, broadcasts, a question, and at the
    /// end the disconnection.
    @Test(arguments: [0, 1, 2, 3]) func mixedCalls(_ round: Int) async throws {
        let count = 200
        try await withServer(loops: 4) { io, port in
            io.main.onConnection { socket in
                socket.join("room")
                socket.on("begin") {
                    Task {
                        for n in 0..<count {
                            switch n % 4 {
                            case 0: socket.emit("n", n)
                            case 1: io.to(Room(socket.id)).emit("n", n)
                            case 2: io.to("room").except("nobody").emit("mine", socket.id, n)
                            default: Task.immediate { _ = try? await socket.emitWithAck("n", n, as: Int.self) }
                            }
                            if n % 50 == 0 { await Task.yield() }
                        }
                        if round % 2 == 0 { socket.disconnect() } else { socket.disconnect(close: true) }
                    }
                }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<8 {
                    group.addTask {
                        let client = try await join(port, "/", index % 2 == 0 ? .websocket : .polling)
                        let id = try client.id()
                        async let upgrade: Void = index % 4 == 1 ? client.session.upgrade() : ()
                        try client.emit("begin")
                        var next = 0
                        while next < count {
                            let event = try await client.nextEvent()
                            // Broadcasts of the others come in between.
                            if event.name == "mine", event.arguments.string(0) != id { continue }
                            #expect(event.arguments.int(event.name == "mine" ? 1 : 0) == next)
                            next += 1
                        }
                        // Closing ends an upgrade that is still under way.
                        _ = try? await upgrade
                        try await client.waitForDisconnect()
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    /// Events of one client are handled in their order, sync and async handlers alike, and their acknowledgements follow.
    @Test(arguments: bothTransports) func incoming(_ transport: EIOOptions.Transport) async throws {
        let recorder = Recorder()
        try await withServer(loops: 4) { io, port in
            io.main.onConnection { socket in
                socket.on("sync n") { (n: Int) in recorder.add("\(n)") }
                socket.on("async n") { (n: Int) async in
                    recorder.add("\(n)")
                    await Task.yield()
                }
            }
            let client = try await join(port, "/", transport)
            for n in 0..<500 { try client.emit(n % 2 == 0 ? "sync n" : "async n", "\(n)") }
            #expect(try await recorder.wait(count: 500) == (0..<500).map { "\($0)" })
        }
    }

    /// "bye" and the end arrive behind all that was sent before, on a socket whose client reads late.
    @Test(arguments: bothTransports) func congestedGoodbye(_ transport: EIOOptions.Transport) async throws {
        try await withServer {
            $0.engine.closeTimeout = .seconds(10)
        } _: { io, port in
            let client = try await join(port, "/", transport)
            let socket = try await onlySocket(io.main)
            try await client.session.pauseReading()
            let kilobytes = String(repeating: "x", count: 10_000)
            for n in 0..<300 { socket.emit("n", n, kilobytes) }
            socket.emit("bye")
            socket.disconnect(close: true)
            try await eventually("the socket has left") { io.main.sockets.isEmpty }
            try await client.session.resumeReading()
            for n in 0..<300 { #expect(try await client.expectEvent("n").int(0) == n) }
            _ = try await client.expectEvent("bye")
            #expect(try await client.waitForDisconnect() == "io server disconnect")
            try await client.session.waitForClose()
        }
    }
}
