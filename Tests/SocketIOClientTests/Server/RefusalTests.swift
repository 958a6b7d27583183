import SocketIO
import SocketIOClient
import TestSupport
import Testing

struct RefusalTests {
    @Test(arguments: Way.allCases)
    func middlewareRefuses(_ way: Way) async throws {
        try await withServer(setUp: { io in
            io.of("/admin").use { socket in
                guard socket.handshake.auth["token"] == "good" else {
                    throw ConnectError("unauthorized", data: ["code": 7])
                }
            }
        }) { _, port in
            var configuration = way.configuration
            configuration.autoConnect = false
            let client = SocketIOClient(
                "http://127.0.0.1:\(port)/admin", auth: ["token": "bad"], configuration: configuration)
            let error = await #expect(throws: ConnectError.self) { try await client.connect() }
            #expect(error?.message == "unauthorized")
            #expect(error?.data == ["code": 7])
            #expect(!client.active)
            client.auth = ["token": "good"]
            try await client.connect()
            #expect(client.connected)
            await client.disconnect()
            let nowhere = client.of("/nope")
            #expect(await thrown { try await nowhere.connect() } == "refused: Invalid namespace")
        }
    }

    @Test func authIsAskedForAtEachAttempt() async throws {
        let record = Recorder()
        let tries = Counter()
        let io = makeServer()
        io.use { socket in record.add("\(socket.handshake.auth)") }
        let port = try #require(try await io.start(port: 0).port)
        let client = SocketIOClient(
            "http://127.0.0.1:\(port)", auth: SocketIOAuth { ["try": tries.next()] },
            configuration: Way.websocket.configuration)
        try await client.connect(timeout: .seconds(30))
        client.background()
        client.foreground()
        try await record.wait(for: #"{"try":2}"#)
        #expect(record.all == [#"{"try":1}"#, #"{"try":2}"#])
        await client.disconnect()
        await io.close(timeout: .seconds(1))
    }
}
