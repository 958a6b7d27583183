import EngineIO
import NIOCore
import TestSupport
import Testing

@testable import EngineIOClient

/// Numbered streams in both directions while clients move from polling to WebSocket: nothing is lost, repeated or reordered.
@Suite(.serialized) struct UpgradeStreamTests {
    /// What one side has received: the numbers from 0 on, and the first thing that was none of them.
    private struct Stream: Sendable {
        var next = 0
        var wrong: String?

        mutating func receive(_ text: String) {
            guard self.wrong == nil else { return }
            if text == "\(self.next)" { self.next += 1 } else { self.wrong = "\(text) instead of \(self.next)" }
        }
    }

    /// The streams to the server, by session.
    private final class Streams: Sendable {
        private let all = Awaited([String: Awaited<Stream>]())

        subscript(id: String) -> Awaited<Stream> {
            self.all.update { all in
                if let stream = all[id] { return stream }
                let stream = Awaited(Stream())
                all[id] = stream
                return stream
            }
        }
    }

    @Test(arguments: [1, 4]) func streams(eventLoops: Int) async throws {
        let clients = 50
        let up = Streams()
        try await withServer {
            $0.eventLoopCount = eventLoops
            $0.upgradeTimeout = .seconds(60)
        } onMessage: { session, message in
            let text =
                switch message {
                case .text(let text): text
                case .binary(let bytes): String(decoding: bytes, as: UTF8.self)
                }
            up[session.id].update { $0.receive(text) }
        } _: { server in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<clients {
                    group.addTask { try await Self.stream(through: server, up) }
                }
                try await group.waitForAll()
            }
            #expect(server.log.value.ends.count == clients)
            #expect(server.log.value.ends.values.allSatisfy { $0 == "transport close" })
        }
    }

    private static func stream(through server: EchoServer, _ up: Streams) async throws {
        let down = Awaited(Stream())
        let isUpgraded = Awaited(false)
        let client = try TestClient(url: server.url) { _ in
        } onEvent: { event in
            switch event {
            case .text(let text): down.update { $0.receive(text) }
            case .binary(let bytes): down.update { $0.receive(String(decoding: bytes, as: UTF8.self)) }
            case .upgraded: isUpgraded.update { $0 = true }
            default: break
            }
        }
        try await client.opened()
        let sid = try await client.run { $0.handshake?.sid ?? "" }
        let session = try #require(server.server.sessions.first { $0.id == sid })
        var count = 0
        var after = 0
        while after < 10, count < 20_000 {
            if isUpgraded.value { after += 1 }
            let number = ByteBuffer(string: "\(count)")
            if count % 3 == 2 { session.send(binary: number) } else { session.send(text: "\(count)") }
            let isBinary = count % 3 == 1
            try await client.run { connection in
                if isBinary { connection.send(binary: number) } else { connection.send(text: number) }
                connection.flush()
            }
            count += 1
            // Paced, so that the streams do not outgrow a shared machine.
            if count % 4 == 0 { try await Task.sleep(for: .milliseconds(1)) }
        }
        let total = count
        for (name, stream) in [("down", down), ("up", up[sid])] {
            let end = try await stream.wait("the stream \(name)", timeout: .seconds(60)) { stream in
                stream.next == total || stream.wrong != nil ? stream : nil
            }
            #expect(end.wrong == nil)
        }
        #expect(try await client.run { $0.transport } == .websocket)
        #expect(client.violations.isEmpty)
        _ = try await client.close()
        try await server.log.wait("the end of \(sid)") { $0.ends[sid] }
        #expect(down.value.next == total)
    }

    /// Closed at any moment of the upgrade, in good order: what was sent before has arrived.
    @Test(arguments: [1, 4]) func closeInTheMiddle(eventLoops: Int) async throws {
        try await withServer {
            $0.eventLoopCount = eventLoops
            $0.upgradeTimeout = .seconds(60)
        } onMessage: { _, _ in
        } _: { server in
            let clients = 60
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<clients {
                    group.addTask {
                        let client = try TestClient(url: server.url)
                        try await client.opened()
                        for number in 0..<index { try await client.send("\(number)") }
                        let end = try await client.close()
                        #expect(end.reason == "forced close")
                        #expect(client.violations.isEmpty)
                    }
                }
                try await group.waitForAll()
            }
            try await server.log.wait("all ends") { $0.ends.count == clients ? true : nil }
            let log = server.log.value
            #expect(Set(log.ends.values) == ["transport close"])
            let counts = Dictionary(grouping: log.messages, by: \.id).mapValues { $0.map(\.message) }
            #expect(counts.count == clients - 1)
            for messages in counts.values { #expect(messages == messages.indices.map { .text("\($0)") }) }
            #expect(log.messages.count == clients * (clients - 1) / 2)
        }
    }
}
