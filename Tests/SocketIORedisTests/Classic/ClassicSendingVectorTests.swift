import Foundation
import NIOCore
import RESP
import SocketIO
import SocketIOCore
import Synchronization
import TestSupport
import Testing

@testable import SocketIORedis

/// What this server sends is what the reference has sent, byte for byte, and the recorded answers have the recorded results.
@Suite struct ClassicSendingVectorTests {
    /// What is done in one case; returns what the recording has as its result.
    typealias Operation = @Sendable (Stage) async throws -> SocketIOValue?

    /// The servers of the recording: A is this one; B is played from the recording.
    struct Stage: Sendable {
        let fixture: ClassicFixture
        let a1: Socket
        let a2: Socket
        /// Ids of sockets in the recording and here.
        let ids: [(String, String)]
        let b1: String

        var io: SocketIOServer { self.fixture.server }
    }

    /// Cases that are not played here, and why.
    private static let others: [String: String] = [
        "start of both servers": "it has a test of its own",
        "server close": "it has a test of its own",
    ]

    @Test(arguments: ["redis-adapter", "redis-adapter specific response channel"])
    func commandsAndResults(_ name: String) async throws {
        let group = try RedisVectors.group(name)
        var options = RedisAdapterOptions()
        options.publishesOnSpecificResponseChannel = name != "redis-adapter"
        var uids = ["/": try group.uid("A")]
        if name == "redis-adapter" { uids["/admin"] = try group.uid("A /admin") }
        try await ClassicFixture.run(options: options, uids: uids) { fixture in
            _ = fixture.server.of("/admin")
            let (one, a1) = try await fixture.join()
            fixture.answerQuestions(one, "\"from a1\"")
            let hasTwo = group.fields["socketIds"]?["a2"] != nil
            let a2: Socket
            if hasTwo {
                let (two, socket) = try await fixture.join()
                fixture.answerQuestions(two, "\"from a2\"")
                a2 = socket
            } else {
                a2 = a1
            }
            let recorded = try #require(group.fields["socketIds"])
            var ids = [(recorded["a1"]?.stringValue ?? "", a1.id)]
            if hasTwo { ids.append((recorded["a2"]?.stringValue ?? "", a2.id)) }
            let stage = Stage(
                fixture: fixture, a1: a1, a2: a2, ids: ids, b1: try #require(recorded["b1"]?.stringValue))
            let other = PlayedServer(fixture.redis, namespaces: ["/", "/admin"])
            for entry in group.cases where Self.others[entry.name] == nil {
                let specific = name == "redis-adapter" ? nil : Self.specificOperations[entry.name]
                let operation = try #require(specific ?? Self.operations[entry.name], "nothing for \"\(entry.name)\"")
                try await self.play(entry, operation, stage, other)
            }
            other.end()
        }
    }

    private func play(
        _ entry: RedisVectors.Case, _ operation: Operation, _ stage: Stage, _ other: PlayedServer
    ) async throws {
        _ = stage.fixture.sent()
        other.play(entry, as: "B")
        let result = try await operation(stage)
        try await stage.fixture.redis.settle()
        let sent = stage.fixture.sent()
        let expected = entry.commands.filter { $0.from == "A" }
        #expect(sent.map(\.name) == expected.map(\.name), "\(entry.name)")
        for (sent, command) in zip(sent, expected) {
            if command.name == "PUBSUB" {
                #expect(sent.texts.dropFirst() == command.arguments[...], "\(entry.name)")
                continue
            }
            let channel = ByteBuffer(string: command.channel).replacing(stage.ids)
            #expect(sent.arguments[1] == channel, "\(entry.name)")
            let payload = sent.arguments[2]
            if let recorded = command.payload {
                var ids = stage.ids
                if let old = recorded.requestID, let new = payload.requestID { ids.append((old, new)) }
                #expect(payload.hex == Self.adjusted(recorded.replacing(ids), entry.name).hex, "\(entry.name)")
            } else {
                #expect(payload.readableBytes == command.fields["payloadLength"]?.intValue, "\(entry.name)")
                #expect(payload.hex.hasPrefix(command.fields["payloadStart"]?.stringValue ?? "-"), "\(entry.name)")
                #expect(payload.hex.hasSuffix(command.fields["payloadEnd"]?.stringValue ?? "-"), "\(entry.name)")
            }
        }
        guard let result else { return }
        var wanted = try #require(try entry.fields["result"].flatMap { try RedisVectors.value($0) }, "\(entry.name)")
        for (old, new) in stage.ids { wanted = wanted.replacing(old, new) }
        #expect(result.sorted == wanted.sorted, "\(entry.name)")
    }

    /// What this server says in other bytes: rooms are always text, numbers beyond 64 bits are not damaged, and arguments are JSON
    /// before they are MessagePack, in which there are neither dates nor NaN.
    private static func adjusted(_ payload: ByteBuffer, _ name: String) -> ByteBuffer {
        func date(_ text: String) -> String { "b8" + ByteBuffer(string: text).hex }
        let hex = payload.hex
            .replacingOccurrences(of: "a5726f6f6d73912a", with: "a5726f6f6d7391a23432")
            .replacingOccurrences(of: "cb7ff8000000000000", with: "c0")
            .replacingOccurrences(of: "cf35c9adc5dea00000", with: "cb444b1ae4d6e2ef50")
            .replacingOccurrences(of: "d6ff00000000", with: date("1970-01-01T00:00:00.000Z"))
            .replacingOccurrences(of: "d7ff1d5353006553f100", with: date("2023-11-14T22:13:20.123Z"))
        // 1000, 500 and 300 in the recording.
        let isPatient =
            name.contains("acknowledgement") && !name.contains("timeout") && !name.contains("in a namespace")
        let patient = ["cd03e8", "cd01f4", "cd012c"].reduce(hex) {
            $0.replacingOccurrences(of: "a774696d656f7574" + $1, with: "a774696d656f7574cd7530")
        }
        return (try? RedisVectors.bytes(isPatient ? patient : hex)) ?? payload
    }

    /// Every case of the group is played, or has a reason not to be.
    @Test func coverage() throws {
        let names = Set(try RedisVectors.group("redis-adapter").cases.map(\.name))
        #expect(names.subtracting(Self.operations.keys).subtracting(Self.others.keys).isEmpty)
    }

    @Test func subscriptions() async throws {
        let group = try RedisVectors.group("redis-adapter")
        let start = try group["start of both servers"].commands
        let close = try group["server close"].commands
        let uids = ["/": try group.uid("B"), "/admin": try group.uid("B /admin")]
        let redis = FakeRedis()
        try await ClassicFixture.run(on: redis, uids: uids) { fixture in
            _ = fixture.server.of("/admin")
            let expected = start.filter { $0.from == "B" }.map { [$0.name] + $0.arguments }
            #expect(fixture.sent().map(\.texts) == expected)
        }
        // The reference sends a command for each channel.
        let gone = redis.takeLog().map(\.texts).flatMap { texts in texts.dropFirst().map { [texts[0], $0] } }
        let expected = close.map { [$0.name] + $0.arguments }
        #expect(Set(gone.filter { !$0[1].hasPrefix("swift-socketio#") }) == Set(expected))
        #expect(Set(gone.map { $0[1] }).isSuperset(of: ["swift-socketio#socket.io#/#"]))
    }
}

/// A server that answers as one in a recording did.
final class PlayedServer: Sendable {
    private let client: FakeRedisClient
    private let subscription: any RedisSubscription
    private let answers = Mutex<[RedisVectors.Command]>([])

    init(_ redis: FakeRedis, namespaces: [String]) {
        let client = redis.client("B")
        self.client = client
        client.start()
        let box = Box()
        self.subscription = client.subscribe(
            to: namespaces.map { RedisChannel(.channel, "socket.io-request#\($0)#") }, onReady: nil
        ) { box.handler.withLock { $0 }?($0) }
        box.handler.withLock { handler in
            handler = { [weak self] message in
                guard let self, let id = message.payload.requestID else { return }
                for answer in self.answers.withLock({ $0 }) {
                    guard let payload = answer.payload, let recorded = payload.requestID else { continue }
                    redis.publish(answer.channel, payload.replacing([(recorded, id)]))
                }
            }
        }
    }

    private final class Box: Sendable {
        let handler = Mutex<(@Sendable (RedisMessage) -> Void)?>(nil)
    }

    /// Gives the answers of this case from now on.
    func play(_ entry: RedisVectors.Case, as server: String) {
        let commands = entry.commands.filter { $0.from == server && $0.name == "PUBLISH" }
        self.answers.withLock { $0 = commands }
    }

    func end() { self.subscription.cancel() }
}

extension SocketIOValue {
    func replacing(_ old: String, _ new: String) -> SocketIOValue {
        switch self {
        case .string(let text): .string(text == old ? new : text)
        case .array(let elements): .array(elements.map { $0.replacing(old, new) })
        case .object(let object): .object(Object(object.map { ($0.key, $0.value.replacing(old, new)) }))
        default: self
        }
    }

    /// With arrays in an order of their own, for what has none.
    var sorted: SocketIOValue {
        switch self {
        case .array(let elements): .array(elements.map(\.sorted).sorted { "\($0)" < "\($1)" })
        case .object(let object):
            .object(Object(object.sorted { $0.key < $1.key }.map { ($0.key, $0.value.sorted) }))
        default: self
        }
    }
}
