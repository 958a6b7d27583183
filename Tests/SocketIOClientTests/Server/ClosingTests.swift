import SocketIO
import SocketIOClient
import TestSupport
import Testing

/// What programs need that end when they have sent something.
struct ClosingTests {
    @Test(arguments: Way.allCases)
    func disconnectReturnsWhenAllHasArrived(_ way: Way) async throws {
        let record = Recorder()
        try await withServer(setUp: { io in
            io.onConnection { socket in
                socket.on("note") { (number: Int, _: String) in record.add("\(number)") }
                socket.onDisconnect { (reason: DisconnectReason) in record.add(reason.rawValue) }
            }
        }) { _, port in
            var configuration = way.configuration
            configuration.closeTimeout = .seconds(60)
            let client = try await connect(port, "", configuration)
            let text = String(repeating: "x", count: 10_000)
            for number in 0..<20 { client.emit("note", number, text) }
            await client.disconnect()
            #expect(client.transport == nil)
            #expect(record.all == (0..<20).map { "\($0)" } + ["client namespace disconnect"])
            // Again, with nothing to end.
            await client.disconnect()
        }
    }

    @Test func disconnectingOneOfTwoLeavesTheConnection() async throws {
        try await withServer(setUp: { io in _ = io.of("/other") }) { _, port in
            let client = try await connect(port)
            let other = client.of("/other")
            try await other.connect()
            await client.disconnect()
            #expect(other.connected)
            await other.disconnect()
            #expect(other.transport == nil)
        }
    }

    @Test func theUpgradeIsTold() async throws {
        try await withServer { _, port in
            let record = Recorder()
            var configuration = Way.upgrade.configuration
            configuration.autoConnect = false
            let client = SocketIOClient("http://127.0.0.1:\(port)", configuration: configuration)
            client.onUpgrade { [weak client] in record.add(client?.transport?.rawValue ?? "none") }
            try await client.connect()
            #expect(try await record.wait(count: 1) == ["websocket"])
            await client.disconnect()
        }
    }
}
