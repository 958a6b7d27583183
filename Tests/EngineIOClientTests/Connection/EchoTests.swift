import EngineIO
import NIOCore
import TestSupport
import Testing

@testable import EngineIOClient

/// Against the project's own server.
struct EchoTests {
    typealias Transports = [EngineClientConfiguration.Transport]

    static let bytes: [UInt8] = Array(0...255)

    @Test(arguments: [[.polling], [.websocket], [.polling, .websocket], [.websocket, .polling]] as [Transports])
    func echo(transports: Transports) async throws {
        try await withServer { server in
            let client = try TestClient(url: server.url) { $0.transports = transports }
            try await client.opened()
            if transports == [.polling, .websocket] { try await client.wait(for: .upgraded) }
            try await client.send("hällo", "", "\"zwei\"")
            try await client.send(Self.bytes)
            let messages = try await client.messages(4)
            #expect(messages == [.text("hällo"), .text(""), .text("\"zwei\""), .binary(Self.bytes)])
            let transport = try await client.run { $0.transport }
            #expect(transport == (transports == [.polling] ? .polling : .websocket))
            #expect(try await client.run { $0.didUpgrade } == (transports != [.polling]))
            let end = try await client.close()
            #expect(end.reason == "forced close")
            #expect(end.error == nil)
            #expect(try await server.onlyEnd() == "transport close")
            #expect(client.violations.isEmpty)
        }
    }

    @Test(arguments: [[.polling], [.websocket]] as [Transports])
    func oneBatchKeepsItsOrder(transports: Transports) async throws {
        try await withServer { server in
            let client = try TestClient(url: server.url) { $0.transports = transports }
            try await client.opened()
            try await client.run { connection in
                for index in 0..<2000 {
                    if index % 5 == 4 {
                        connection.send(binary: ByteBuffer(string: "\(index)"))
                    } else {
                        connection.send(text: ByteBuffer(string: "\(index)"))
                    }
                }
                connection.flush()
            }
            let expected = (0..<2000).map { index in
                index % 5 == 4 ? ClientEvent.binary(Array("\(index)".utf8)) : .text("\(index)")
            }
            #expect(try await client.messages(2000) == expected)
            _ = try await client.close()
        }
    }

    /// What was sent before `close` arrives.
    @Test(arguments: [[.polling], [.websocket]] as [Transports])
    func closeSendsWhatWaits(transports: Transports) async throws {
        try await withServer(onMessage: { _, _ in }) { server in
            let client = try TestClient(url: server.url) { $0.transports = transports }
            try await client.opened()
            try await client.run { connection in
                for index in 0..<100 {
                    connection.send(text: ByteBuffer(string: String(repeating: "x", count: 50_000) + "\(index)"))
                }
                connection.close()
                // Not sent any more.
                connection.send(text: ByteBuffer(string: "late"))
                connection.flush()
            }
            #expect(try await client.end().reason == "forced close")
            #expect(try await server.onlyEnd() == "transport close")
            let messages = server.log.value.messages.map(\.message)
            #expect(messages == (0..<100).map { .text(String(repeating: "x", count: 50_000) + "\($0)") })
        }
    }

    /// A close packet in the POST of an upgrade that is not done.
    @Test func closeAtOnce() async throws {
        try await withServer { server in
            for _ in 0..<20 {
                let client = try TestClient(url: server.url)
                try await client.opened()
                try await client.send("hello")
                #expect(try await client.close().reason == "forced close")
                #expect(client.violations.isEmpty)
            }
            try await server.log.wait("all ends") { $0.ends.count == 20 ? true : nil }
            let log = server.log.value
            #expect(log.messages.map(\.message) == Array(repeating: .text("hello"), count: 20))
            #expect(Set(log.ends.values) == ["transport close"])
        }
    }

    @Test(arguments: [[.polling], [.websocket]] as [Transports])
    func cut(transports: Transports) async throws {
        try await withServer { server in
            let client = try TestClient(url: server.url) { $0.transports = transports }
            try await client.opened()
            let isToldLater = try await client.run { [log = client.log] connection in
                connection.cut()
                connection.cut()
                connection.close()
                return log.value.end == nil
            }
            #expect(isToldLater)
            #expect(try await client.end().reason == "forced close")
            _ = try await server.onlyEnd()
            #expect(client.violations.isEmpty)
        }
    }

    @Test(arguments: [[.polling], [.websocket]] as [Transports])
    func serverCloses(transports: Transports) async throws {
        try await withServer { server in
            let client = try TestClient(url: server.url) { $0.transports = transports }
            try await client.opened()
            try await client.send("close me")
            let end = try await client.end()
            #expect(end.reason == "transport close")
            #expect(end.error == nil)
        }
    }

    @Test(arguments: [[.polling], [.websocket]] as [Transports])
    func pingsAreAnswered(transports: Transports) async throws {
        try await withServer {
            $0.pingInterval = .milliseconds(30)
        } _: { server in
            let client = try TestClient(url: server.url) { $0.transports = transports }
            try await client.opened()
            try await client.log.wait("pings") { $0.count(of: .pinged) >= 5 ? true : nil }
            try await client.send("still here")
            #expect(try await client.messages(1) == [.text("still here")])
            _ = try await client.close()
        }
    }

    @Test(arguments: [[.polling], [.websocket]] as [Transports])
    func initialPacket(transports: Transports) async throws {
        try await withServer {
            $0.initialPacket = "welcome"
        } _: { server in
            let client = try TestClient(url: server.url) { $0.transports = transports }
            try await client.opened()
            #expect(try await client.messages(1) == [.text("welcome")])
            try await client.cut()
        }
    }

    @Test(arguments: [[.polling], [.websocket]] as [Transports])
    func largeMessages(transports: Transports) async throws {
        let count = 16 << 20
        try await withServer {
            $0.maxPayload = 32 << 20
            $0.maxOutboxBytes = 64 << 20
            $0.maxInboundQueueBytes = 64 << 20
        } _: { server in
            let client = try TestClient(url: server.url) { $0.transports = transports }
            try await client.opened()
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
            try await client.send(bytes)
            let messages = try await client.messages(1, timeout: .seconds(60))
            // Not `==` in the expectation: it would write them all down.
            let isSame = messages == [.binary(bytes)]
            #expect(isSame)
            let text = String(repeating: "grüße ", count: count / 7)
            try await client.send(text)
            let isSameText = try await client.messages(2, timeout: .seconds(60)).last == .text(text)
            #expect(isSameText)
            _ = try await client.close()
        }
    }

    @Test func congestion() async throws {
        try await withServer(onMessage: { _, _ in }) { server in
            let client = try TestClient(url: server.url) { $0.transports = [.websocket] }
            #expect(try await client.run { $0.isWritable } == false)
            try await client.opened()
            let (before, behind, buffered) = try await client.run { connection in
                let before = connection.isWritable
                connection.send(binary: ByteBuffer(repeating: 1, count: 100_000))
                return (before, connection.isWritable, connection.bufferedBytes)
            }
            #expect(before)
            #expect(!behind)
            #expect(buffered == 100_001)
            try await client.run { $0.flush() }
            try await client.wait(for: .writable)
            #expect(try await client.run { $0.isWritable })
            // It is told when little waits, which need not be nothing.
            try await eventually("all is sent") { try await client.run { $0.bufferedBytes } == 0 }
            try await client.cut()
        }
    }

    @Test func rememberedUpgrade() async throws {
        try await withServer { server in
            let client = try TestClient(url: server.url) {
                $0.rememberUpgrade = true
                $0.hasUpgradedBefore = true
            }
            try await client.opened()
            #expect(try await client.run { $0.transport } == .websocket)
            #expect(try await client.run { $0.didUpgrade })
            try await client.cut()
            let other = try TestClient(url: server.url) {
                $0.rememberUpgrade = true
                // Or it may be on a WebSocket by the time it is asked.
                $0.upgrade = false
            }
            try await other.opened()
            #expect(try await other.run { $0.transport } == .polling)
            try await other.cut()
        }
    }

    @Test func noUpgrade() async throws {
        try await withServer {
            $0.allowUpgrades = false
        } _: { server in
            let client = try TestClient(url: server.url)
            try await client.opened()
            try await client.send("a")
            #expect(try await client.messages(1) == [.text("a")])
            #expect(client.log.value.count(of: .upgraded) == 0)
            try await client.cut()
        }
    }

    @Test func ipv6() async throws {
        try await withServer(host: "::1") { server in
            let client = try TestClient(url: "http://[::1]:\(server.port)")
            try await client.opened()
            try await client.wait(for: .upgraded)
            _ = try await client.close()
        }
    }

    @Test func cookiesComeBack() async throws {
        try await withServer {
            $0.cookie = EngineIOCookie(name: "io")
        } _: { server in
            let cookies = CookieJar()
            let client = try TestClient(url: server.url, cookies: cookies)
            try await client.opened()
            let header = cookies.header(path: "/engine.io/", isSecure: false, now: WallClock.now)
            #expect(header == "io=\(try await client.run { $0.handshake?.sid ?? "" })")
            try await client.cut()
        }
    }

    // MARK: Nothing is left

    private final class WeakBox: @unchecked Sendable {
        weak var connection: EngineConnection?
        weak var handler: RecordingHandler?
    }

    enum Ending: CaseIterable, Sendable { case close, cut, byServer, whileOpening, whileUpgrading }

    @Test(arguments: Ending.allCases) func nothingIsLeft(ending: Ending) async throws {
        try await withServer { server in
            let box = WeakBox()
            let log = Awaited(ClientLog())
            let eventLoop = ClientLoops.group.next()
            let url = try EngineURL(server.url)
            try await eventLoop.submit {
                let handler = RecordingHandler(log: log, eventLoop: eventLoop) { event in
                    guard case .opened = event, ending == .whileUpgrading else { return }
                    eventLoop.execute { box.connection?.cut() }
                }
                let connection = EngineConnection(
                    EngineClientConfiguration(url: url, path: "/engine.io/"), cookies: CookieJar(),
                    eventLoop: eventLoop,
                    handler: handler)
                box.connection = connection
                box.handler = handler
                connection.open()
                if ending == .whileOpening { connection.cut() }
            }.get()
            // It keeps itself alive as long as it is open.
            if ending != .whileOpening && ending != .whileUpgrading {
                try await log.wait("the upgrade") { $0.events.contains(.upgraded) ? true : nil }
                try await eventLoop.submit {
                    switch ending {
                    case .close: box.connection?.close()
                    case .cut: box.connection?.cut()
                    default:
                        box.connection?.send(text: ByteBuffer(string: "close me"))
                        box.connection?.flush()
                    }
                }.get()
            }
            try await log.wait("the end") { $0.end }
            try await eventually("nothing to be left") { box.connection == nil && box.handler == nil }
        }
    }
}
