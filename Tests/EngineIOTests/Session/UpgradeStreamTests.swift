import TestSupport
import Testing

@testable import EngineIO

/// Numbered streams in both directions while clients move from polling to WebSocket: nothing is lost, repeated or reordered.
@Suite(.serialized) struct UpgradeStreamTests {
    /// What one side has received: the numbers from 0 on, and the first thing that was none of them.
    private struct Stream: Sendable {
        var next = 0
        var wrong: String?

        mutating func receive(_ message: EIOMessage) {
            guard self.wrong == nil else { return }
            if message == .text("\(self.next)") || message == .binary(Array("\(self.next)".utf8)) {
                self.next += 1
            } else {
                self.wrong = "\(message) instead of \(self.next)"
            }
        }
    }

    @Test(arguments: [1, 4]) func thousandClientsUpgradeUnderTraffic(eventLoops: Int) async throws {
        let limit = try raiseDescriptorLimit()
        try #require(limit >= 6500, "1,000 clients need 6 descriptors each; the hard limit is \(limit)")
        let clients = 1000
        let count = 40
        let received = Awaited([String: Stream]())
        try await withServer {
            $0.eventLoopCount = eventLoops
        } onMessage: { session, message in
            received.update { $0[session.id, default: Stream()].receive(message) }
        } _: { server in
            // A few at a time arrive, and each upgrades as soon as it is there.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<clients {
                    if index >= 100 { try await group.next() }
                    group.addTask {
                        try await Self.stream(through: server, count: count, received: received)
                    }
                }
                try await group.waitForAll()
            }
            #expect(received.value.count == clients)
            #expect(server.log.value.ends.allSatisfy { $0.reason == "transport close" })
            try await eventually("the end of all sessions") { server.server.sessionCount == 0 }
        }
    }

    /// One client: upgrades in the middle of `count` messages each way.
    private static func stream(
        through server: TestServer, count: Int, received: Awaited<[String: Stream]>
    ) async throws {
        let seen = Awaited(Stream())
        var options = server.options()
        options.timeout = .seconds(60)
        let client = try await EIOClient.open(options) { event in
            if case .message(let message) = event { seen.update { $0.receive(message) } }
        }
        let session = try #require(server.session(client.sid))
        async let upgrade: Void = client.upgrade()
        for index in 0..<count {
            if index % 3 == 2 {
                session.send(binary: .init(string: "\(index)"))
                try client.send(Array("\(index)".utf8))
            } else {
                session.send(text: "\(index)")
                try client.send("\(index)")
            }
            // Both streams go on while the transport changes.
            if index % 4 == 3 { try await Task.sleep(for: .milliseconds(2)) }
        }
        try await upgrade
        let down = try await seen.wait("the stream to the client", timeout: .seconds(60)) { stream in
            stream.next == count || stream.wrong != nil ? stream : nil
        }
        let up = try await received.wait("the stream to the server", timeout: .seconds(60)) { streams in
            streams[client.sid].flatMap { $0.next == count || $0.wrong != nil ? $0 : nil }
        }
        #expect(down.wrong == nil)
        #expect(up.wrong == nil)
        #expect(session.transport == .websocket)
        await client.close()
    }

    /// All clients are there first; then all upgrade while the server emits to each.
    @Test(arguments: [1, 4]) func allUpgradeAtOnce(eventLoops: Int) async throws {
        try raiseDescriptorLimit()
        let count = 50
        let streams = Awaited([String: Stream]())
        try await withServer {
            $0.eventLoopCount = eventLoops
        } onMessage: { session, message in
            streams.update { $0[session.id, default: Stream()].receive(message) }
        } _: { server in
            let seen = (0..<200).map { _ in Awaited(Stream()) }
            var clients: [EIOClient] = []
            for stream in seen {
                var options = server.options()
                options.timeout = .seconds(60)
                clients.append(
                    try await EIOClient.open(options) { event in
                        if case .message(let message) = event { stream.update { $0.receive(message) } }
                    })
            }
            let sessions = try clients.map { try server.known($0.sid) }
            let all = clients
            async let emitting: Void = {
                for index in 0..<count {
                    for session in sessions { session.send(text: "\(index)") }
                    for client in all { try client.send("\(index)") }
                    try await Task.sleep(for: .milliseconds(2))
                }
            }()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for client in clients { group.addTask { try await client.upgrade() } }
                try await group.waitForAll()
            }
            try await emitting
            for (stream, client) in zip(seen, clients) {
                let down = try await stream.wait("a stream", timeout: .seconds(60)) {
                    $0.next == count || $0.wrong != nil ? $0 : nil
                }
                #expect(down.wrong == nil)
                let up = try await streams.wait("a stream", timeout: .seconds(60)) { streams in
                    streams[client.sid].flatMap { $0.next == count || $0.wrong != nil ? $0 : nil }
                }
                #expect(up.wrong == nil)
                await client.close()
            }
        }
    }
}
