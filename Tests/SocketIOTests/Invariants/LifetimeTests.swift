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
        try await withServer { io, port in
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
            let client = try await join(port, "/", transport == "websocket" ? .websocket : .polling)
            if transport == "upgrade" { try await client.session.upgrade() }
            try client.emit("echo", "\"hello\"")
            _ = try await client.expectEvent("echo", namespace: "/")
            switch end {
            case "client": await client.close()
            case "server": io.disconnectSockets(close: true)
            default: await client.session.abort()
            }
            try await eventually("the last reference to be dropped") { remains.withLock { $0?.isEmpty ?? false } }
            await client.close()
        }
    }
}
