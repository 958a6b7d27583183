import NIOCore
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIOClient

/// The client in the place of the reference's, in transcripts of recovered and other sessions.
struct RecoveryTranscriptTests {
    @Test func thereAreTranscripts() throws { #expect(try Transcripts.recovery().count >= 15) }

    @Test(arguments: try Transcripts.recovery())
    func play(_ transcript: Transcripts.Case) async throws {
        let name = transcript.name
        let steps = Transcripts.steps(transcript.value["transcript"]?.arrayValue ?? [])
        let network = FakeNetwork()
        let seen = Awaited<[SocketIOValue]>([]) { "\(name): \($0)" }

        // Namespace and auth are those of the first frame.
        let first = try #require(
            steps.lazy.compactMap { if case .client(let frames) = $0 { frames } else { nil } }.first)
        let connect = try Transcripts.packet(first)
        var configuration = SocketIOClientConfiguration.quick
        configuration.autoConnect = false
        let auth = try connect.connectData()
        let client = network.client(connect.namespace, auth: auth.isNull ? nil : SocketIOAuth(auth), configuration)
        client.onConnect { [weak client] in
            let id = client?.id.map { SocketIOValue.string($0) } ?? .null
            seen.update { $0.append(["connect", id, .bool(client?.recovered ?? false)]) }
        }
        client.onDisconnect { end in seen.update { $0.append(["disconnect", .string(end.reason.rawValue)]) } }
        client.onAny { event, arguments in
            seen.update { $0.append(.array([.string(event)] + arguments + (event == "q" ? ["<ack function>"] : []))) }
        }
        client.on("q") { "answer" }

        var engine: FakeEngine?
        for step in steps {
            switch step {
            case .client(let frames) where frames[0].hasPrefix("2"):
                let packet = try Transcripts.packet(frames)
                var arguments = packet.arguments
                client.emit(packet.eventName, arguments: try arguments.remainingValues())
                #expect(try await engine?.next(frames.count) == frames, "\(name)")
            case .client(let frames):
                #expect(try await engine?.next(frames.count) == frames, "\(name)")
            case .server(let frames):
                engine?.receive(frames: frames)
            case .other(let value):
                if let note = value["note"]?.stringValue {
                    if note.hasPrefix("connection to") {
                        if engine != nil { try await eventually { engine?.wasClosed == true || client.active } }
                        client.open()
                        engine = try await network.next()
                        engine?.handshake()
                    } else if note.hasPrefix("connection closed: "), client.active {
                        engine?.end(String(note.dropFirst("connection closed: ".count)))
                    }
                } else if let event = value["clientEvent"] {
                    let expected: SocketIOValue
                    switch event.stringValue {
                    case "connect":
                        expected = ["connect", value["id"] ?? .null, value["recovered"] ?? false]
                    case "disconnect":
                        if value["reason"]?.stringValue == "io client disconnect" { client.leave() }
                        // The reference writes down the loss before the connection's end.
                        if value["reason"]?.stringValue == "transport close" { engine?.end() }
                        expected = ["disconnect", value["reason"] ?? .null]
                    default: expected = Transcripts.untagged(event)
                    }
                    let event = try await seen.popFirst("\(expected) in \(name)")
                    #expect(event == expected, "\(name)")
                }
            }
        }
        #expect(seen.value == [], "\(name)")
    }
}
