import TestSupport
import Testing

@testable import EngineIO

extension OneByOne {
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

        /// The streams to the server, by session.
        private final class Streams: Sendable {
            private let all = Awaited([String: Awaited<Stream>]())

            var count: Int { self.all.update { $0.count } }

            subscript(id: String) -> Awaited<Stream> {
                self.all.update { all in
                    if let stream = all[id] { return stream }
                    let stream = Awaited(Stream())
                    all[id] = stream
                    return stream
                }
            }
        }

        @Test(arguments: [1, 4]) func thousandClientsUpgradeUnderTraffic(eventLoops: Int) async throws {
            let limit = try raiseDescriptorLimit()
            try #require(limit >= 6500, "1,000 clients need 6 descriptors each; the hard limit is \(limit)")
            let clients = 1000
            let received = Streams()
            try await withServer {
                $0.eventLoopCount = eventLoops
                $0.upgradeTimeout = .seconds(60)
            } onMessage: { session, message in
                received[session.id].update { $0.receive(message) }
            } _: { server in
                // A few at a time arrive, and each upgrades as soon as it is there.
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for index in 0..<clients {
                        if index >= 50 { try await group.next() }
                        group.addTask {
                            try await Self.stream(through: server, received: received)
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(received.count == clients)
                #expect(server.log.value.ends.allSatisfy { $0.reason == "transport close" })
                try await eventually("the end of all sessions") { server.server.sessionCount == 0 }
            }
        }

        /// One client: messages flow both ways before, while and after it upgrades.
        private static func stream(through server: TestServer, received: Streams) async throws {
            let seen = Awaited(Stream())
            var options = server.options()
            options.timeout = .seconds(60)
            let client = try await EIOClient.open(options) { event in
                if case .message(let message) = event { seen.update { $0.receive(message) } }
            }
            let session = try #require(server.session(client.sid))
            async let upgrade: Void = client.upgrade()
            var count = 0
            var after = 0
            while after < 10, count < 20_000 {
                if session.transport == .websocket { after += 1 }
                if count % 3 == 2 {
                    session.send(binary: .init(string: "\(count)"))
                    try client.send(Array("\(count)".utf8))
                } else {
                    session.send(text: "\(count)")
                    try client.send("\(count)")
                }
                count += 1
                // Paced, so that the streams do not outgrow what the client may post at once.
                try await Task.sleep(for: .milliseconds(10))
            }
            try await upgrade
            try await Self.check(seen, received, client, count)
        }

        private static func check(
            _ seen: Awaited<Stream>, _ received: Streams, _ client: EIOClient, _ count: Int
        ) async throws {
            let down = try await seen.wait("the stream to the client", timeout: .seconds(60)) { stream in
                stream.next == count || stream.wrong != nil ? stream : nil
            }
            let up = try await received[client.sid].wait("the stream to the server", timeout: .seconds(60)) { stream in
                stream.next == count || stream.wrong != nil ? stream : nil
            }
            #expect(down.wrong == nil)
            #expect(up.wrong == nil)
            await client.close()
        }

        /// All clients are there first; then all upgrade while the server emits to each.
        @Test(arguments: [1, 4]) func allUpgradeAtOnce(eventLoops: Int) async throws {
            try raiseDescriptorLimit()
            let streams = Streams()
            try await withServer {
                $0.eventLoopCount = eventLoops
                $0.upgradeTimeout = .seconds(60)
            } onMessage: { session, message in
                streams[session.id].update { $0.receive(message) }
            } _: { server in
                let seen = (0..<80).map { _ in Awaited(Stream()) }
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
                async let emitting: Int = {
                    var count = 0
                    // Bounded: server and clients share a machine, and a flood would only show how slow it is.
                    while count < 400 {
                        let areDone = sessions.allSatisfy { $0.transport == .websocket }
                        for session in sessions { session.send(text: "\(count)") }
                        for client in all { try client.send("\(count)") }
                        count += 1
                        if areDone { break }
                        try await Task.sleep(for: .milliseconds(10))
                    }
                    return count
                }()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for client in clients { group.addTask { try await client.upgrade() } }
                    try await group.waitForAll()
                }
                let count = try await emitting
                for (stream, client) in zip(seen, clients) { try await Self.check(stream, streams, client, count) }
            }
        }
    }
}
