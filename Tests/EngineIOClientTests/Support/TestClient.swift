import EngineIOCore
import Logging
import NIOCore
import NIOPosix
import TestSupport

@testable import EngineIOClient

/// What a handler was told.
enum ClientEvent: Sendable, Equatable {
    case opened(sid: String)
    case text(String)
    case binary([UInt8])
    case pinged
    case upgraded
    case writable
    case closed(reason: String, EngineClientError.Code?)

    var isClosed: Bool { if case .closed = self { true } else { false } }
}

/// The loops of the clients under test.
enum ClientLoops {
    static let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
}

struct ClientLog: Sendable {
    var events: [ClientEvent] = []
    var end: EngineEnd?
    /// What was told after the end, or beside the turn.
    var violations: [String] = []

    var messages: [ClientEvent] {
        self.events.filter { event in
            switch event {
            case .text, .binary: true
            default: false
            }
        }
    }

    func count(of event: ClientEvent) -> Int { self.events.count { $0 == event } }
}

/// Writes down what it is told, and checks that it is told on its loop and in order.
final class RecordingHandler: EngineConnectionHandler {
    let log: Awaited<ClientLog>
    let eventLoop: any EventLoop
    let onEvent: @Sendable (ClientEvent) -> Void

    init(log: Awaited<ClientLog>, eventLoop: any EventLoop, onEvent: @escaping @Sendable (ClientEvent) -> Void) {
        self.log = log
        self.eventLoop = eventLoop
        self.onEvent = onEvent
    }

    private func note(_ event: ClientEvent, end: EngineEnd? = nil) {
        let isOnLoop = self.eventLoop.inEventLoop
        self.log.update { log in
            if !isOnLoop { log.violations.append("\(event) off the loop") }
            if log.end != nil { log.violations.append("\(event) after the end") }
            if case .opened = event, log.events.contains(where: { if case .opened = $0 { true } else { false } }) {
                log.violations.append("opened twice")
            }
            log.events.append(event)
            if let end { log.end = end }
        }
        self.onEvent(event)
    }

    func engineOpened(_ handshake: Handshake) { self.note(.opened(sid: handshake.sid)) }
    func engineReceived(text: ByteBuffer) { self.note(.text(String(buffer: text))) }
    func engineReceived(binary: ByteBuffer) { self.note(.binary(Array(binary.readableBytesView))) }
    func engineBecameWritable() { self.note(.writable) }
    func enginePinged() { self.note(.pinged) }
    func engineUpgraded() { self.note(.upgraded) }
    func engineClosed(_ end: EngineEnd) { self.note(.closed(reason: end.reason, end.error?.code), end: end) }
}

/// A connection under test and what its handler was told.
final class TestClient: Sendable {
    let connection: EngineConnection
    let log: Awaited<ClientLog>
    let eventLoop: any EventLoop

    init(
        url: String, path: String = "/engine.io/", cookies: CookieJar = CookieJar(),
        _ configure: (inout EngineClientConfiguration) -> Void = { _ in },
        onEvent: @escaping @Sendable (ClientEvent) -> Void = { _ in }
    ) throws {
        var configuration = EngineClientConfiguration(url: try EngineURL(url), path: path)
        configuration.logger.logLevel = .critical
        // Those that shall pass are set by their tests.
        configuration.connectTimeout = .seconds(60)
        configuration.upgradeTimeout = .seconds(60)
        configuration.closeTimeout = .seconds(60)
        configure(&configuration)
        self.eventLoop = ClientLoops.group.next()
        self.log = Awaited(ClientLog()) { log in "the last of \(log.events.count): \(log.events.suffix(4))".cut }
        let handler = RecordingHandler(log: self.log, eventLoop: self.eventLoop, onEvent: onEvent)
        self.connection = EngineConnection(
            configuration, cookies: cookies, eventLoop: self.eventLoop, handler: handler)
    }

    /// Runs something on the loop of the connection.
    func run<Result: Sendable>(_ body: @escaping @Sendable (EngineConnection) -> Result) async throws -> Result {
        try await self.eventLoop.submit { body(self.connection) }.get()
    }

    func open() { self.eventLoop.execute { self.connection.open() } }

    /// Opens and waits for the handshake.
    func opened() async throws {
        self.open()
        try await self.log.wait("the handshake") { log in
            if log.end != nil { throw PeerError("it never opened: \(log.events)") }
            return log.events.isEmpty ? nil : true
        }
    }

    func send(_ texts: String...) async throws {
        try await self.run { connection in
            for text in texts { connection.send(text: ByteBuffer(string: text)) }
            connection.flush()
        }
    }

    func send(_ bytes: [UInt8]) async throws {
        try await self.run { connection in
            connection.send(binary: ByteBuffer(bytes: bytes))
            connection.flush()
        }
    }

    func messages(_ count: Int, timeout: Duration = defaultTimeout) async throws -> [ClientEvent] {
        try await self.log.wait("\(count) messages", timeout: timeout) { log in
            if log.messages.count >= count { return log.messages }
            if let end = log.end { throw PeerError("ended: \(end)") }
            return nil
        }
    }

    func wait(for event: ClientEvent) async throws {
        try await self.log.wait("\(event)") { log in
            if log.events.contains(event) { return true }
            if let end = log.end { throw PeerError("ended: \(end)") }
            return nil
        }
    }

    /// Waits for the end.
    func end(timeout: Duration = defaultTimeout) async throws -> EngineEnd {
        try await self.log.wait("the end", timeout: timeout) { $0.end }
    }

    func close() async throws -> EngineEnd {
        try await self.run { $0.close() }
        return try await self.end()
    }

    /// Ends it in any case, so that no test leaves a connection behind.
    func cut() async throws {
        try await self.run { $0.cut() }
        _ = try await self.end()
    }

    var violations: [String] { self.log.value.violations }
}

extension String {
    fileprivate var cut: String { String(self.prefix(600)) }
}
