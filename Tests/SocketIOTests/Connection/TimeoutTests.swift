import SocketIO
import TestSupport
import Testing

@Suite struct TimeoutTests {
    @Test(arguments: bothTransports) func noConnectInTime(_ transport: EIOOptions.Transport) async throws {
        try await withServer {
            $0.connectTimeout = .seconds(3)
        } _: { io, port in
            let joined = try await joinInTime(EIOOptions(port: port, transport: .websocket))
            let silent = try await open(port, transport)
            let refused = Awaited<SIOClient?>(nil)
            // On a slow machine it may be closed before it has asked.
            try await eventually("a refusal in time") {
                guard let client = try? await open(port, transport) else { return false }
                do {
                    try await client.connect("/nope")
                    throw PeerError("joined")
                } catch is EIOClosed {
                    return false
                } catch is SIORefused {
                    refused.update { $0 = client }
                    return true
                }
            }
            try await silent.session.waitForClose()
            try await refused.value?.session.waitForClose()
            // Who has joined once, and left, stays.
            try joined.disconnect()
            try await eventually("the others are gone") { io.connectionCount == 1 }
            try await joined.connect()
            try await joined.sync()
        }
    }

    /// The timer of the connection does not keep that of the attachments waiting.
    @Test(arguments: [Duration.seconds(45), .seconds(4)]) func attachmentsWithheld(
        connectTimeout: Duration
    ) async throws {
        let errors = ErrorRecorder()
        try await withServer {
            $0.connectTimeout = connectTimeout
            $0.attachmentsTimeout = .milliseconds(300)
        } _: { io, port in
            io.main.onConnection { $0.onError { errors.add($0) } }
            let client = try await joinInTime(EIOOptions(port: port, transport: .websocket))
            try client.sendRaw("52-[\"a\"]", binary: [[1]])
            try await client.session.waitForClose()
            #expect(errors.codes == [.illegalAttachments])
        }
    }

    /// The time counts for each packet by itself, whatever the timer was set for.
    @Test func attachmentsInTime() async throws {
        try await withServer {
            $0.attachmentsTimeout = .milliseconds(2500)
        } _: { io, port in
            io.main.onConnection { $0.on("a") { (_: SocketIOValue) in true } }
            let client = try await join(port)
            let begin = ContinuousClock.now
            while ContinuousClock.now - begin < .seconds(3) {
                try await Task.sleep(for: .milliseconds(5))
                let placeholder = SIOClient.placeholder(0)
                #expect(try await client.emitWithAck("a", placeholder, binary: [[1]]).json == "[true]")
            }
        }
    }
}
