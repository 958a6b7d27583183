import SocketIO
import TestSupport
import Testing

/// The captured conversations with the reference server, with this one in its place.
@Suite struct TranscriptTests {
    /// Where we differ, by the transcript's name, and why.
    static let differences = [
        // An event without name reaches nobody, but the reference accepts it: it hides a broken client.
        "invalid packet 42": "a packet without payload is refused as invalid payload",
        // The reference's message is that of the JavaScript error which it runs into.
        "invalid packet 4": "the message of the error is our own",
        // Checked when the text comes and not when the attachments have come.
        "invalid packet 451-[\"a\",{\"_placeholder\":true,\"num\":5}]": "refused before the attachment",
        // Our message says what is wrong in the place of `NaN`.
        "invalid packet 4x": "the message of the error is our own",
        // Played by a test of its own.
        "protocol 4: connection state recovery option": "the offset is another each time",
    ]

    @Test func allAreThere() {
        #expect(Transcript.all.count == 42 + 19)
        #expect(Set(Transcript.all.map(\.name)).isSuperset(of: Self.differences.keys))
    }

    @Test(arguments: Transcript.all.filter { Self.differences[$0.name] == nil })
    func replay(_ transcript: Transcript) async throws {
        let application = TranscriptApplication()
        try await Self.withServer(for: transcript, application) { io, port in
            var player = TranscriptPlayer(transcript, io, port: port)
            let ids = try await player.play()
            let (events, acknowledgements) = Self.expected(transcript, ids)
            let seen = try await application.recorder.wait(count: events.count)
            #expect(Array(seen.prefix(events.count)) == events)
            #expect(try await application.acknowledgements.wait(count: acknowledgements.count) == acknowledgements)
        }
    }

    /// Those that end the connection with another message, or earlier, than the reference does.
    @Test(arguments: [
        ("42", "invalid payload"), ("4", "Unknown type: undefined"), ("4x", "unknown packet type"),
        ("451-[\"a\",{\"_placeholder\":true,\"num\":5}]", "illegal attachments"),
    ])
    func differs(packet: String, message: String) async throws {
        let application = TranscriptApplication()
        let transcript = try #require(Transcript.all.first { $0.name == "connect to /" })
        try await Self.withServer(for: transcript, application) { io, port in
            let socket = try await WSClient.connect(port: port, path: "/socket.io/?EIO=4&transport=websocket")
            _ = try await socket.nextText()
            try await socket.send("40")
            let id = String(try await socket.nextText().dropFirst(10).prefix(20))
            try await socket.send(packet)
            #expect(try await socket.expectClose() == nil)
            let seen = try await application.recorder.wait(count: 4)
            #expect(seen[1].hasPrefix("error / \(message)"), "\(seen)")
            #expect(seen[2] == "disconnecting / forced close [\"\(id)\"]")
            #expect(seen[3] == "disconnect / forced close")
        }
    }

    private static func withServer(
        for transcript: Transcript,
        _ application: TranscriptApplication,
        _ body: (SocketIOServer, Int) async throws -> Void
    ) async throws {
        var configuration = SocketIOConfiguration()
        configuration.engine.eventLoopCount = 2
        configuration.engine.allowEIO3 = transcript.isVersion4
        if let time = transcript.options.connectTimeout {
            configuration.connectTimeout = .milliseconds(time * Transcript.slowness)
        }
        if let time = transcript.options.pingInterval {
            configuration.engine.pingInterval = .milliseconds(time * Transcript.slowness)
        }
        if let time = transcript.options.pingTimeout {
            configuration.engine.pingTimeout = .milliseconds(time * Transcript.slowness)
        }
        let io = SocketIOServer(configuration: configuration)
        application.install(on: io, for: transcript.name)
        let port = try #require(try await io.start(port: 0).port)
        do {
            try await body(io, port)
            await io.close(timeout: .seconds(1))
        } catch {
            await io.close(timeout: .zero)
            throw error
        }
        expectEmpty(io)
    }

    /// What the application must have written down, and its acknowledgements: of those we see the first argument.
    private static func expected(_ transcript: Transcript, _ ids: [String: String]) -> ([String], [String]) {
        func filled(_ id: String?) -> String {
            ids.reduce(id ?? "?") { $0.replacing($1.key, with: $1.value) }
        }
        var events: [String] = []
        var acknowledgements: [String] = []
        for event in transcript.serverEvents {
            let namespace = event.nsp ?? "/"
            // An acknowledgement that is wanted is no argument with us.
            let values = (event.args ?? []).map(Transcript.untagged).filter { $0 != "<ack function>" }
            switch event.event {
            case "connection":
                let query = (event.query ?? [:]).map { "\($0.key)=\($0.value)" }.sorted()
                let auth = Transcript.untagged(event.auth ?? [:])
                events.append("connection \(namespace) \(filled(event.id)) \(auth) \(query)")
            case "packet": events.append("packet \(namespace) \(SocketIOValue.array(values))")
            case "acknowledgement": acknowledgements.append("\(SocketIOValue.array(Array(values.prefix(1))))")
            case "disconnecting":
                let rooms = (event.rooms ?? []).map { filled($0) }
                events.append("disconnecting \(namespace) \(event.reason ?? "") \(rooms)")
            case "disconnect": events.append("disconnect \(namespace) \(event.reason ?? "")")
            case "error": events.append("error \(namespace) \(event.message ?? "")")
            default: events.append("unknown event \(event.event)")
            }
        }
        return (events, acknowledgements)
    }
}
