import SocketIO
import SocketIOClient
import TestSupport
import Testing

/// The Swift client at a server that stands alone.
@Suite(.serialized) struct MemoryRecoveryTests {
    @Test(arguments: [[SocketIOClientConfiguration.Transport.websocket], [.polling], [.polling, .websocket]])
    func connectionsAreCutAtRandom(_ transports: [SocketIOClientConfiguration.Transport]) async throws {
        let server = recoveringServer()
        let port = try #require(try await server.start(port: 0).port)
        var stress = RecoveryStress()
        stress.transports = transports
        try await stress.run([server], port: port) { peer, round in
            // In the middle of frames, or all of it.
            if round % 2 == 0, let connection = peer.proxy.connections.last {
                connection.cut(afterBytesToClient: Int.random(in: 1...3000))
            } else {
                peer.proxy.closeAll()
            }
        }
        await server.close(timeout: .seconds(1))
    }

    /// The server does not hear of the loss before the client is back.
    @Test func connectionsGoSilent() async throws {
        let server = recoveringServer()
        let port = try #require(try await server.start(port: 0).port)
        try await RecoveryStress().run([server], port: port) { peer, _ in
            for connection in peer.proxy.connections {
                connection.stop(.toServer)
                connection.stop(.toClient)
            }
            peer.client.networkChanged(available: false)
            peer.client.networkChanged(available: true)
        }
        await server.close(timeout: .seconds(1))
    }

    @Test func theClientIsToldOfAGap() async throws {
        let server = recoveringServer(.init(maxPackets: 5))
        let port = try #require(try await server.start(port: 0).port)
        let peer = try await RecoveryStress.Peer(port, [.websocket], handshakes: 0)
        server.emit("n", "a", 0)
        try await eventually("an event") { peer.count == 1 }
        peer.proxy.refuse(true)
        try await eventually("it is gone") { server.main.sockets.isEmpty }
        for number in 1..<20 { server.emit("n", "a", number) }
        peer.proxy.refuse(false)
        try await eventually("it is back") { peer.ends.count == 1 }
        #expect(peer.ends == [.packetsDropped])
        #expect(!peer.client.recovered && peer.client.recoveryFailure == .packetsDropped)
        server.emit("n", "a", 20)
        try await eventually("an event") { peer.count == 2 }
        // From then on it goes on again.
        peer.proxy.closeAll()
        try await eventually("it is back") { peer.ends.count == 2 }
        #expect(peer.ends.last == .some(nil) && peer.client.recovered && peer.client.recoveryFailure == nil)
        await peer.end()
        await server.close(timeout: .seconds(1))
    }
}
