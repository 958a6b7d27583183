import SocketIO
import Synchronization
import TestSupport
import Testing

/// connection → events → exactly one disconnect → nothing, one at a time.
@Suite struct CallbackTests {
    /// What a session's callbacks do to this is seen if two of them overlap, or come in the wrong order.
    private final class Watch: Sendable {
        private let inside = Atomic<Bool>(false)
        private let phase = Atomic<Int>(0)
        private let faults: Recorder

        init(_ faults: Recorder) { self.faults = faults }

        /// Phases: 0 before, 1 connected, 2 disconnecting, 3 disconnected.
        func enter(_ name: String, from: ClosedRange<Int>, to next: Int) {
            if self.inside.exchange(true, ordering: .acquiring) { self.faults.add("\(name) inside another") }
            let phase = self.phase.exchange(next, ordering: .relaxed)
            if !from.contains(phase) { self.faults.add("\(name) in phase \(phase)") }
            for _ in 0..<200 { _ = self.phase.load(ordering: .relaxed) }
            self.inside.store(false, ordering: .releasing)
        }
    }

    @Test func oneAtATimeAndInOrder() async throws {
        let faults = Recorder()
        let connections = Atomic<Int>(0)
        let ends = Atomic<Int>(0)
        try await withServer(loops: 4) { io, port in
            io.main.onConnection { socket in
                let watch = Watch(faults)
                connections.wrappingAdd(1, ordering: .relaxed)
                watch.enter("connection", from: 0...0, to: 1)
                socket.on("e") { (n: Int) in
                    watch.enter("event", from: 1...1, to: 1)
                    return n
                }
                socket.onAny { _, _ in watch.enter("any", from: 1...1, to: 1) }
                socket.onDisconnecting { _ in watch.enter("disconnecting", from: 1...1, to: 2) }
                socket.onDisconnect { (_: DisconnectReason) in
                    watch.enter("disconnect", from: 2...2, to: 3)
                    ends.wrappingAdd(1, ordering: .relaxed)
                }
            }
            // Everything that may end a socket at once: the client, its connection, the server, from several threads.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<40 {
                    group.addTask {
                        let client = try await join(port, "/", bothTransports[index % 2])
                        let socket = io.main.socket(id: try client.id())
                        for n in 0..<20 { try? client.emit("e", "\(n)") }
                        await withTaskGroup(of: Void.self) { ends in
                            ends.addTask { socket?.disconnect() }
                            ends.addTask { socket?.disconnect(close: index % 3 == 0) }
                            ends.addTask { try? client.disconnect() }
                            if index % 5 == 0 { ends.addTask { await client.session.abort() } }
                        }
                        if index % 2 == 0 { await client.close() } else { await client.session.abort() }
                    }
                }
                try await group.waitForAll()
            }
            for session in io.engine?.sessions ?? [] { session.close() }
        }
        #expect(faults.all.isEmpty, "\(faults.all.prefix(5))")
        #expect(connections.load(ordering: .relaxed) == 40)
        #expect(ends.load(ordering: .relaxed) == 40)
    }

    /// A callback never runs inside the call that causes it.
    @Test func neverInsideTheCall() async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            io.main.onConnection { socket in
                socket.on("end") {
                    recorder.add("before")
                    socket.disconnect()
                    recorder.add("after \(socket.connected)")
                }
                socket.on("never") { recorder.add("never") }
                socket.onDisconnect { (_: DisconnectReason) in recorder.add("disconnect") }
            }
            let client = try await join(port)
            let frames = ["42[\"end\"]", "42[\"never\"]"].flatMap {
                RawFrame(opcode: 1, payload: Array($0.utf8)).encoded()
            }
            try await client.session.webSocket?.connection.send(frames)
            #expect(try await recorder.wait(count: 3) == ["before", "after false", "disconnect"])
            try await client.connect()
            try await client.sync()
            #expect(recorder.all.count == 3)
        }
    }

    /// A handler that yields in a loop, or is slow to come back, stops no other connection of its loop.
    @Test func greedyHandlerStopsNobody() async throws {
        let isDone = Flag()
        try await withServer(loops: 1) { io, port in
            io.main.onConnection { socket in
                socket.on("greedy") { () async in
                    while !isDone.isSet { await Task.yield() }
                }
            }
            defer { isDone.set() }
            let greedy = try await join(port)
            for _ in 0..<4 { try greedy.emit("greedy") }
            for transport in bothTransports {
                let other = try await join(port, "/", transport)
                for _ in 0..<20 { try await other.sync() }
            }
            // The same connection goes on too.
            try await greedy.sync()
        }
    }
}
