import Logging
import MessagePack
import NIOCore
import SocketIOCore
import Synchronization
import TestSupport
import Testing

@testable import SocketIORedis

/// A server with a ``RedisAdapter`` on a Redis in memory, and clients of it.
final class ClassicFixture: Sendable {
    let redis: FakeRedis
    /// The client of the adapters.
    let link: FakeRedisClient
    let server: SocketIOServer
    let port: Int
    let errors = Awaited<[String]>([])
    private let clients = Mutex<[SIOClient]>([])
    private let tasks = Mutex<[Task<Void, Never>]>([])

    /// - Parameter uids: The ids of the adapters by namespace; others are random.
    private init(_ redis: FakeRedis, _ options: RedisAdapterOptions, _ uids: [String: String]) async throws {
        self.redis = redis
        let link = redis.client("A")
        self.link = link
        var options = options
        // Those who want less say so: a machine that runs tests may be busy for longer than five seconds.
        options.requestsTimeout = max(options.requestsTimeout, .seconds(30))
        let patient = options
        var configuration = SocketIOConfiguration()
        configuration.engine.eventLoopCount = 1
        configuration.engine.closeTimeout = .seconds(1)
        configuration.adapter = { context in
            RedisAdapter(
                context, redis: link, options: patient, uid: uids[context.namespace] ?? ClassicID.make())
        }
        let errors = self.errors
        configuration.onError = { error, _ in errors.update { $0.append("\(error)") } }
        self.server = SocketIOServer(
            configuration: configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        self.port = try #require(try await self.server.start(port: 0).port)
    }

    /// Runs `body` with a server, and ends everything.
    static func run<Result>(
        on redis: FakeRedis = FakeRedis(),
        options: RedisAdapterOptions = RedisAdapterOptions(),
        uids: [String: String] = [:],
        isolation: isolated (any Actor)? = #isolation,
        _ body: (ClassicFixture) async throws -> Result
    ) async throws -> Result {
        let fixture = try await ClassicFixture(redis, options, uids)
        do {
            let result = try await body(fixture)
            await fixture.end()
            return result
        } catch {
            await fixture.end()
            throw error
        }
    }

    private func end() async {
        for task in self.tasks.withLock({ $0 }) { task.cancel() }
        for client in self.clients.withLock({ $0 }) { await client.close() }
        await self.server.close(timeout: .milliseconds(500))
    }

    func adapter(_ namespace: String = "/") throws -> RedisAdapter {
        try #require(self.server.of(namespace).adapter as? RedisAdapter)
    }

    /// A client that has joined, and its socket.
    func join(_ namespace: String = "/") async throws -> (client: SIOClient, socket: Socket) {
        let client = try await SIOClient.open(EIOOptions(port: self.port, transport: .websocket))
        self.clients.withLock { $0.append(client) }
        let id = try await client.connect(namespace)
        let namespace = self.server.of(namespace)
        try await eventually("the socket is there") { namespace.socket(id: id) != nil }
        return (client, try #require(namespace.socket(id: id)))
    }

    /// Has a client answer the event "question", for as long as the fixture lasts.
    func answerQuestions(_ client: SIOClient, _ answer: String, binary: [[UInt8]] = [], namespace: String = "/") {
        let task = Task {
            while let event = try? await client.nextEvent(namespace, timeout: .seconds(60)) {
                if event.name == "question", event.id != nil {
                    try? client.acknowledge(event, answer, binary: binary)
                }
            }
        }
        self.tasks.withLock { $0.append(task) }
    }

    /// Publishes what others say, and waits until it was dealt with.
    func receive(_ channel: String, _ payload: ByteBuffer) async throws {
        self.redis.publish(channel, payload)
        try await self.redis.settle()
    }

    func receive(_ channel: String, _ payload: String) async throws {
        try await self.receive(channel, ByteBuffer(string: payload))
    }

    /// What the adapters have sent since the last call, without what only servers of this package say to each other.
    func sent() -> [FakeRedis.Sent] {
        self.redis.takeLog().filter { sent in
            guard sent.client == "A" else { return false }
            let texts = sent.texts
            return !texts.dropFirst().contains { $0.hasPrefix("swift-socketio#") }
                && !texts.starts(with: ["PUBSUB", "CHANNELS"])
        }
    }
}

/// What sockets of a server were sent, in order: `name [arguments]`.
final class Deliveries: Sendable {
    private let entries = Mutex<[String: [Delivery]]>([:])

    struct Delivery: Sendable, Equatable {
        var event: String
        var arguments: [SocketIOValue]
    }

    func watch(_ socket: Socket) {
        let id = socket.id
        socket.onAnyOutgoing { event, arguments in
            self.entries.withLock { $0[id, default: []].append(Delivery(event: event, arguments: arguments)) }
        }
    }

    /// What a socket was sent since the last call.
    func take(_ socket: Socket) -> [Delivery] {
        self.entries.withLock { entries in
            defer { entries[socket.id] = [] }
            return entries[socket.id] ?? []
        }
    }
}

extension ByteBuffer {
    /// Each text replaced by another one of the same length, such as ids of a recording by those of the test.
    func replacing(_ ids: [(String, String)]) -> ByteBuffer {
        var bytes = Array(self.readableBytesView)
        for (old, new) in ids where old.utf8.count == new.utf8.count && old != new {
            let (old, new) = (Array(old.utf8), Array(new.utf8))
            var index = 0
            while index + old.count <= bytes.count {
                if bytes[index..<(index + old.count)].elementsEqual(old) {
                    bytes.replaceSubrange(index..<(index + old.count), with: new)
                    index += old.count
                } else {
                    index += 1
                }
            }
        }
        return ByteBuffer(bytes: bytes)
    }

    var hex: String { ByteBufferView(self).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }

    /// The id of a request or an answer, if it has one.
    var requestID: String? { (try? self.messageValue)?["requestId"]?.stringValue }

    /// What a message of the classic adapter says.
    var messageValue: SocketIOValue {
        get throws {
            if ClassicPacket.isJSON(self) { return try JSONText.read(self) }
            var reader = MessagePackReader(self)
            return try reader.read()
        }
    }
}
