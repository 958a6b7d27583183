import SocketIO
import Synchronization
import TestSupport
import Testing

/// What a client leaves behind when it is gone: nothing.
struct LifetimeTests {
    private struct Remains: Sendable {
        weak var socket: Socket?
        weak var connection: ClientConnection?
        weak var session: EngineIOSession?

        var isEmpty: Bool { self.socket == nil && self.connection == nil && self.session == nil }
    }

    @Test(arguments: ["polling", "websocket", "upgrade"], ["client", "server", "abort"])
    func nothingHoldsAConnectionThatHasEnded(transport: String, end: String) async throws {
        try await withServer {
            // A client that goes away between two polls is missed by the heartbeat only.
            guard transport == "polling", end == "abort" else { return }
            $0.engine.pingInterval = .milliseconds(500)
            $0.engine.pingTimeout = .seconds(2)
        } _: { io, port in
            let remains = Mutex<Remains?>(nil)
            io.onConnection { socket in
                remains.withLock {
                    $0 = Remains(socket: socket, connection: socket.connection, session: socket.connection.session)
                }
                // Handlers often hold their socket.
                socket.on("echo") { (text: String) in socket.emit("echo", text) }
                socket.onDisconnect { (_: DisconnectReason) in socket.leave("room") }
                socket.join("room")
            }
            let client = try await self.echoed(port, transport)
            switch end {
            case "client": await client.close()
            case "server": io.disconnectSockets(close: true)
            default: await client.session.abort()
            }
            try await eventually("the last reference to be dropped") { remains.withLock { $0?.isEmpty ?? false } }
            await client.close()
        }
    }

    /// A client that has had an answer. Another one where the heartbeat has taken the first for dead, on a slow machine.
    private func echoed(_ port: Int, _ transport: String) async throws -> SIOClient {
        let echoed = Awaited<SIOClient?>(nil)
        var failure: (any Error)?
        for _ in 0..<10 where echoed.value == nil {
            do {
                let client = try await join(port, "/", transport == "websocket" ? .websocket : .polling)
                if transport == "upgrade" { try await client.session.upgrade() }
                try client.emit("echo", "\"hello\"")
                _ = try await client.expectEvent("echo", namespace: "/")
                echoed.update { $0 = client }
            } catch let error as EIOClosed {
                failure = error
            }
        }
        guard let client = echoed.value else { throw failure ?? PeerError("no client") }
        return client
    }

    /// A handler that goes on after its client has left may still add listeners that hold their socket.
    @Test func listenersAddedAfterTheEndHoldNobody() async throws {
        try await withServer { io, port in
            let remains = Mutex<Remains?>(nil)
            let door = Door()
            let recorder = Recorder()
            io.onConnection { socket async throws -> Void in
                remains.withLock {
                    $0 = Remains(socket: socket, connection: socket.connection, session: socket.connection.session)
                }
                recorder.add("waits")
                try await door.pass()
                socket.on("echo") { (text: String) in socket.emit("echo", text) }
                socket.onAny { _, _ in socket.emit("any") }
                socket.onError { _ in socket.emit("error") }
                socket.onDisconnect { (_: DisconnectReason) in socket.leave("room") }
                socket.use { _ in socket.emit("middleware") }
                recorder.add("goes on")
            }
            let client = try await join(port)
            try await recorder.wait(for: "waits")
            await client.close()
            try await eventually("the socket is gone") { io.main.local.socketCount == 0 }
            door.open()
            try await recorder.wait(for: "goes on")
            try await eventually("the last reference to be dropped") { remains.withLock { $0?.isEmpty ?? false } }
        }
    }

    /// A client can't answer before it is connected; when it leaves, the middleware that waits is told.
    @Test func middlewareThatAsksAClientThatLeaves() async throws {
        try await withServer { io, port in
            let recorder = Recorder()
            io.of("/ask").use { socket in
                recorder.add("asks")
                do { _ = try await socket.emitWithAck("question", as: Int.self) } catch {
                    recorder.add("told")
                    throw error
                }
            }
            let client = try await open(port)
            try client.sendRaw("0/ask,")
            try await recorder.wait(for: "asks")
            await client.close()
            try await recorder.wait(for: "told")
        }
    }

    /// A handler goes on when what it waits for ends with the server, though the loop on which it started ends too.
    @Test func handlersGoOnWhenTheServerCloses() async throws {
        for _ in 0..<20 {
            let recorder = Recorder()
            try await withServer { io, port in
                io.onConnection { socket async in
                    for _ in 0..<10 {
                        recorder.add("waits")
                        _ = try? await socket.emitWithAck("never answered", as: Int.self)
                        await Task.yield()
                    }
                    recorder.add("ends")
                }
                for _ in 0..<8 { _ = try await join(port) }
                try await recorder.wait(count: 8)
                await io.close(timeout: .zero)
            }
            try await eventually("all handlers have ended") { recorder.count("ends") == 8 }
        }
    }
}
