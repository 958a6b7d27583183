import EngineIOClient
import EngineIOCore
import NIOCore
import NIOPosix
import SocketIOCore
import Synchronization
import TestSupport

@testable import SocketIOClient

/// Stands for the transports: the tests say what the server sends, and see what the client has.
final class FakeNetwork: Sendable {
    private let engines = Awaited<[FakeEngine]>([])
    private let taken = Atomic<Int>(0)

    /// A connection over this network. Its delays have no jitter.
    func manager(_ configuration: SocketIOClientConfiguration = .quick) -> Manager {
        let url = EngineURL(isSecure: false, host: "fake", port: 80)
        return Manager(
            ConnectionSettings(url: url, configuration: configuration),
            makeEngine: { configuration, _, loop, handler in
                let engine = FakeEngine(configuration, loop, handler)
                self.engines.update { $0.append(engine) }
                return engine
            },
            random: { 0.5 }
        )
    }

    /// A client over a connection of its own, unless it is to share one.
    func client(
        _ namespace: String = "/",
        on manager: Manager? = nil,
        auth: SocketIOAuth? = nil,
        _ configuration: SocketIOClientConfiguration = .quick
    ) -> SocketIOClient {
        let manager = manager ?? self.manager(configuration)
        _ = manager.claim(namespace)
        return SocketIOClient(namespace, manager: manager, configuration, auth: auth)
    }

    /// Waits for the next engine that is opened.
    func next() async throws -> FakeEngine {
        let index = self.taken.add(1, ordering: .relaxed).oldValue
        return try await self.engines.wait("engine \(index)") { $0.count > index ? $0[index] : nil }
    }

    /// The engines so far.
    var count: Int { self.engines.value.count }

    /// A client that has joined its namespace, with its engine.
    func connected(
        _ namespace: String = "/",
        _ configuration: SocketIOClientConfiguration = .quick
    ) async throws -> (SocketIOClient, FakeEngine) {
        let client = self.client(namespace, configuration)
        let engine = try await self.next()
        try await engine.join(namespace)
        try await eventually("\(namespace) is joined") { client.connected }
        return (client, engine)
    }
}

extension SocketIOClientConfiguration {
    /// For tests: reconnections come at once, nothing goes to the log.
    static var quick: SocketIOClientConfiguration {
        var configuration = SocketIOClientConfiguration()
        configuration.reconnection.delay = .milliseconds(1)
        configuration.reconnection.maxDelay = .milliseconds(4)
        configuration.logger.logLevel = .critical
        return configuration
    }
}

/// One connection over a ``FakeNetwork``.
///
/// `@unchecked Sendable`: the handler is touched on the loop only, the rest has locks.
final class FakeEngine: EngineLink, @unchecked Sendable {
    let configuration: EngineClientConfiguration
    private let eventLoop: any EventLoop
    private var handler: (any EngineConnectionHandler)?
    /// What the client has sent: texts, and `b:` with the bytes of binary messages in hexadecimal digits.
    let sent = Awaited<[String]>([]) { "\($0)" }
    let calls = Awaited<[String]>([]) { "\($0)" }
    private let writable = Atomic<Bool>(true)

    init(_ configuration: EngineClientConfiguration, _ eventLoop: any EventLoop, _ handler: any EngineConnectionHandler)
    {
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.handler = handler
    }

    func setWritable(_ isWritable: Bool) { self.writable.store(isWritable, ordering: .relaxed) }

    var wasClosed: Bool { self.calls.value.contains("close") || self.calls.value.contains("cut") }

    // MARK: What the client calls

    func open() {}
    func send(text: ByteBuffer) { self.sent.update { $0.append(String(buffer: text)) } }
    func send(binary: ByteBuffer) { self.sent.update { $0.append("b:" + hex(binary)) } }
    func flush() { self.calls.update { $0.append("flush") } }
    func close() {
        self.calls.update { $0.append("close") }
        self.end("forced close")
    }
    func cut() {
        self.calls.update { $0.append("cut") }
        self.end("forced close")
    }
    func networkChanged() { self.calls.update { $0.append("networkChanged") } }
    var isWritable: Bool { self.writable.load(ordering: .relaxed) }
    var transport: EngineClientConfiguration.Transport { .websocket }
    var didUpgrade: Bool { false }

    // MARK: What the server does

    private func onLoop(_ body: @escaping @Sendable (any EngineConnectionHandler) -> Void) {
        self.eventLoop.execute { if let handler = self.handler { body(handler) } }
    }

    func handshake(maxPayload: Int = 1_000_000) {
        let handshake = Handshake(
            sid: "engine", upgrades: [], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: maxPayload)
        self.onLoop { $0.engineOpened(handshake) }
    }

    func receive(_ texts: String...) {
        for text in texts { self.onLoop { $0.engineReceived(text: ByteBuffer(string: text)) } }
    }

    func receive(binary bytes: [UInt8]) { self.onLoop { $0.engineReceived(binary: ByteBuffer(bytes: bytes)) } }

    func ping() { self.onLoop { $0.enginePinged() } }

    /// The connection ends.
    func end(_ reason: String = "transport close", _ error: EngineClientError? = nil) {
        self.eventLoop.execute {
            let handler = self.handler
            self.handler = nil
            handler?.engineClosed(EngineEnd(reason: reason, error: error))
        }
    }

    // MARK: What the test waits for

    /// Takes the next thing that was sent.
    func next() async throws -> String {
        try await self.sent.popFirst("something sent")
    }

    /// Takes so many.
    func next(_ count: Int) async throws -> [String] {
        var all: [String] = []
        for _ in 0..<count { all.append(try await self.next()) }
        return all
    }

    func waitFor(call: String) async throws {
        try await self.calls.wait("the call of \(call)") { $0.contains(call) ? true : nil }
    }

    /// Waits until what was done to the client so far has had its effect.
    func settle() async throws { try await self.eventLoop.submit {}.get() }

    /// Opens, and answers the CONNECT that comes.
    @discardableResult
    func join(_ namespace: String = "/", sid: String = "sid") async throws -> String {
        self.handshake()
        let connect = try await self.next()
        self.receive("0\(namespace == "/" ? "" : namespace + ","){\"sid\":\"\(sid)\"}")
        return connect
    }
}

func hex(_ bytes: ByteBuffer) -> String {
    bytes.readableBytesView.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

func bytes(_ hex: String) -> [UInt8] {
    var rest = Substring(hex)
    var bytes: [UInt8] = []
    while let byte = UInt8(rest.prefix(2), radix: 16), rest.count >= 2 {
        bytes.append(byte)
        rest = rest.dropFirst(2)
    }
    return bytes
}

extension SocketIOClient {
    /// Acknowledgements, timers and waits that the client keeps.
    var pendingCount: Int {
        get async throws {
            let core = self.core
            return try await core.manager.eventLoop.submit { core.pendingCount }.get()
        }
    }
}

extension Awaited {
    /// Waits for an element and takes it.
    func popFirst<Element: Sendable>(_ what: String) async throws -> Element where Value == [Element] {
        // Not `nil`, which for some elements is an element.
        try await self.wait(what) { $0.isEmpty ? Element?.none : .some($0.removeFirst()) }
    }
}
