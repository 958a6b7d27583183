import NIOCore
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIOClient

/// The client in the place of the raw client of the transcripts.
struct SessionTranscriptTests {
    @Test func allAreThere() throws { #expect(try Transcripts.sessions().count == Transcripts.lawful.count) }

    @Test(arguments: try Transcripts.sessions())
    func play(_ transcript: Transcripts.Case) async throws {
        let player = Player(transcript.name)
        for step in Transcripts.steps(transcript.value["steps"]?.arrayValue ?? []) {
            switch step {
            case .client(let frames): try await player.client(frames)
            case .server(let frames): try await player.server(frames)
            case .other(let value):
                if value["server"]?["close"] != nil { try await player.close() }
            }
        }
        try await player.finish()
    }
}

/// Has clients do what stands in a transcript, and checks what they see.
private final class Player {
    private let name: String
    private let network = FakeNetwork()
    private let manager: Manager
    private var engine: FakeEngine?
    private var clients: [String: SocketIOClient] = [:]
    private var expected: [SocketIOValue] = []
    private let seen = Awaited<[SocketIOValue]>([]) { "\($0)" }
    private let replies = Awaited<[AckReply]>([])
    /// Ids are given by the client: those of the transcript, and ours.
    private var ids: [Int: Int] = [:]
    private var nextID: [String: Int] = [:]

    init(_ name: String) {
        self.name = name
        self.manager = self.network.manager()
    }

    private func makeClient(_ namespace: String) -> SocketIOClient {
        var configuration = SocketIOClientConfiguration.quick
        configuration.autoConnect = false
        let client = self.network.client(namespace, on: self.manager, configuration)
        let (seen, replies) = (self.seen, self.replies)
        client.onConnect { [weak client] in
            seen.update { $0.append(["connect", .string(namespace), .string(client?.id ?? "")]) }
        }
        client.onConnectError { error in
            let error = error as? ConnectError
            seen.update {
                $0.append(["connect_error", .string(namespace), .string(error?.message ?? ""), error?.data ?? .null])
            }
        }
        client.onDisconnect { end in
            seen.update { $0.append(["disconnect", .string(namespace), .string(end.reason.rawValue)]) }
        }
        client.onAny { event, arguments in seen.update { $0.append(["event", .string(event), .array(arguments)]) } }
        client.on("question") { (_: SocketIOValue, reply: AckReply) in replies.update { $0.append(reply) } }
        self.clients[namespace] = client
        return client
    }

    func client(_ frames: [String]) async throws {
        let packet = try Transcripts.packet(frames)
        let client = self.clients[packet.namespace] ?? self.makeClient(packet.namespace)
        var sent = frames
        switch packet.type {
        case .connect:
            let auth = try packet.connectData()
            client.auth = auth.isNull ? .none : SocketIOAuth(auth)
            client.open()
            // What made the client leave was seen before its connection ended.
            try await self.engine?.settle()
            if self.engine.map(\.wasClosed) ?? true {
                self.engine = try await self.network.next()
                self.engine?.handshake()
            }
        case .event, .binaryEvent:
            var reader = packet.arguments
            let arguments = try reader.remainingValues()
            guard let id = packet.id else {
                client.emit(packet.eventName, arguments: arguments)
                break
            }
            let own = self.nextID[packet.namespace, default: 0]
            self.nextID[packet.namespace] = own + 1
            self.ids[id] = own
            sent[0] = Self.replacing(id, with: own, in: sent[0])
            let seen = self.seen
            Task {
                let answer = try await client.emitWithAck(packet.eventName, arguments: arguments)
                seen.update { $0.append(["ack", .array(answer)]) }
            }
        case .ack, .binaryAck:
            var reader = packet.arguments
            let arguments = try reader.remainingValues()
            let reply = try await self.replies.popFirst("a question")
            reply(arguments: arguments)
        case .disconnect:
            client.leave()
            self.expected.append(["disconnect", .string(packet.namespace), "io client disconnect"])
        case .connectError: Issue.record("no client sends that")
        }
        // The raw client numbers attachments as it likes; ours in the order in which they are met.
        let found = try await self.engine?.next(sent.count)
        if frames.count < 3 { #expect(found == sent, "\(self.name)") }
    }

    func server(_ frames: [String]) async throws {
        // What Engine.IO says is the fake's part.
        guard frames[0].first != "{" else { return }
        let packet = try Transcripts.packet(frames)
        var frames = frames
        switch packet.type {
        case .connect:
            self.expected.append(["connect", .string(packet.namespace), try packet.connectData()["sid"] ?? .null])
        case .connectError:
            let data = try packet.connectData()
            self.expected.append(
                ["connect_error", .string(packet.namespace), data["message"] ?? .null, data["data"] ?? .null])
        case .disconnect:
            self.expected.append(["disconnect", .string(packet.namespace), "io server disconnect"])
        case .event, .binaryEvent:
            var reader = packet.arguments
            self.expected.append(["event", .string(packet.eventName), .array(try reader.remainingValues())])
        case .ack, .binaryAck:
            var reader = packet.arguments
            self.expected.append(["ack", .array(try reader.remainingValues())])
            let id = try #require(packet.id)
            frames[0] = Self.replacing(id, with: try #require(self.ids[id]), in: frames[0])
        }
        self.engine?.receive(frames: frames)
        try await self.check()
    }

    /// The server ends the connection.
    func close() async throws {
        for client in self.clients.values.sorted(by: { $0.namespace < $1.namespace }) where client.connected {
            self.expected.append(["disconnect", .string(client.namespace), "transport close"])
        }
        self.engine?.end()
        try await self.check()
    }

    func finish() async throws { try await self.check() }

    /// What was seen is what is in the transcript so far.
    private func check() async throws {
        let (expected, name) = (self.expected, self.name)
        let found = try await self.seen.wait("\(expected.count) things in \(name)") {
            $0.count >= expected.count ? $0 : nil
        }
        #expect(found == expected, "\(name)")
    }

    /// The id stands in front of the array.
    private static func replacing(_ id: Int, with own: Int, in frame: String) -> String {
        let array = frame.firstIndex(of: "[") ?? frame.endIndex
        let head = frame[..<array]
        return head.dropLast(String(id).count) + String(own) + frame[array...]
    }
}
