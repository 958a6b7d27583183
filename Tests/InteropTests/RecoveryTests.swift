import SocketIO
import TestSupport
import Testing

/// The official client loses its connections to a server with connection state recovery and comes back.
@Suite(.serialized)
struct RecoveryInteropTests {
    @Test(arguments: [1, 4])
    func javaScriptClientInNode(eventLoops: Int) async throws {
        let tools = try InteropTools.find()
        var configuration = SocketIOConfiguration()
        configuration.engine.eventLoopCount = eventLoops
        configuration.connectionStateRecovery = ConnectionStateRecovery()
        let io = SocketIOServer(configuration: configuration)
        io.onConnection { socket in Self.serve(socket, io) }
        let port = try #require(try await io.start(port: 0).port)
        do {
            try await tools.run("SIO_NODE", "node/recovery.mjs", "\(port)")
        } catch {
            await io.close(timeout: .zero)
            throw error
        }
        await io.close()
    }

    private static func serve(_ socket: Socket, _ io: SocketIOServer) {
        socket.on("sync") { true }
        socket.on("rooms") { socket.rooms.map(\.name) }
        socket.on("failure") { socket.recoveryFailure?.rawValue }
        socket.on("join") { (room: String) in
            socket.join(Room(room))
            return "ok"
        }
        socket.on("say-all") { (event: String, number: Int) in io.emit(event, number) }
        socket.on("when-gone") { (number: Int) in
            socket.onDisconnect { (_: DisconnectReason) in
                io.emit("all", number)
                io.to("r").emit("room", number)
                socket.emit("direct", number)
            }
        }
        socket.on("numbers") { (count: Int) in
            socket.join("numbers")
            let id = socket.id
            let senders: [(String, @Sendable (String, Int) -> Void)] = [
                ("all", { io.emit("n", $0, $1) }),
                ("room", { io.to("numbers").emit("n", $0, $1) }),
                ("own room", { io.to(Room(id)).emit("n", $0, $1) }),
                ("direct", { socket.emit("n", $0, $1) }),
            ]
            for (name, send) in senders {
                Task {
                    for number in 0..<count {
                        send(name, number)
                        // The load lasts as long as the client's cuts do.
                        if number % 5 == 4 { try? await Task.sleep(for: .milliseconds(5)) }
                    }
                }
            }
            return "ok"
        }
    }
}
