import NIOCore
import RESP
import SocketIO
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIORedis

/// Plays recorded cases: has a server send what server A has sent, and tells it what A has sent.
struct VectorPlayer {
    let group: RedisVectors.Group
    let redis: FakeRedis
    let node: TestNode
    /// By namespace.
    let uids: [String: String]

    private static let uidMark = "UUUUUUUUUUUUUUUU"
    private static let idMark = "RRRRRRRRRRRRRRRR"
    /// What adapters do for themselves, and not for the operation.
    private static let housekeeping: Set<String> = [
        "PUBSUB", "SUBSCRIBE", "UNSUBSCRIBE", "SSUBSCRIBE", "SUNSUBSCRIBE", "XREAD", "XREVRANGE",
    ]

    // MARK: What is sent

    /// The commands of server A, with its ids replaced by marks.
    func recorded(_ vector: RedisVectors.Case) -> [[String]] {
        vector.commands.filter { $0.from == "A" && !Self.housekeeping.contains($0.name) }.map { command in
            var arguments = command.arguments.map { ByteBuffer(string: $0) }
            if let payload = command.payload { arguments.append(payload) }
            let uids = ["A", "A /admin"].compactMap { try? self.group.uid($0) }
            return [command.name] + Self.normalized(arguments, uids: uids, of: command.payload)
        }
    }

    /// Does something and returns the commands that the server has sent, as ``recorded(_:)`` does.
    func sent(_ count: Int, _ operation: () async throws -> Void) async throws -> [[String]] {
        let log = self.redis.log
        // A question of a short time is not asked when the servers were not counted within it.
        let sent = try await withGrowingLimit("\(count) commands", from: .seconds(5)) { limit in
            _ = self.redis.takeLog()
            try await operation()
            return try? await log.wait("\(count) commands", timeout: limit) { log -> [FakeRedis.Sent]? in
                let sent = log.filter { $0.client == "A" && !Self.housekeeping.contains($0.name) }
                return sent.count >= count ? sent : nil
            }
        }
        return sent.map { sent in
            [sent.name]
                + Self.normalized(
                    Array(sent.arguments.dropFirst()), uids: Array(self.uids.values),
                    of: sent.name == "XADD" ? nil : sent.arguments.last)
        }
    }

    private static func normalized(_ arguments: [ByteBuffer], uids: [String], of payload: ByteBuffer?) -> [String] {
        let id = payload.flatMap { requestID(of: $0) }
        return arguments.map { argument in
            var argument = argument
            for uid in uids { argument = argument.replacing(uid, with: Self.uidMark) }
            if let id { argument = argument.replacing(id, with: Self.idMark) }
            return argument.hex
        }
    }

    /// Checks what an operation sends.
    func check(
        _ vector: RedisVectors.Case,
        _ operation: (_ server: SocketIOServer, _ ids: SocketIOValue) async throws -> Void
    ) async throws {
        let recorded = self.recorded(vector)
        let ids = self.group.fields["socketIds"] ?? [:]
        let sent = try await self.sent(recorded.count) { try await operation(self.node.server, ids) }
        guard let big = vector.commands.first(where: { $0.fields["payloadLength"] != nil }) else {
            #expect(sent == recorded, "\(vector.name)")
            return
        }
        // Only its beginning, end and length were kept; the uid stands at the end.
        let payload = try #require(sent.first?.last)
        #expect(payload.utf8.count / 2 == big.fields["payloadLength"]?.intValue)
        #expect(payload.hasPrefix(try #require(big.fields["payloadStart"]?.stringValue)))
    }

    // MARK: What is received

    /// What a recorded message says: `{type, data, nsp}`.
    static func meaning(
        _ command: RedisVectors.Command, in vector: RedisVectors.Case
    ) throws -> (type: Int, data: SocketIOValue, namespace: String)? {
        if command.name == "XADD" {
            let arguments = command.arguments
            func field(_ name: String) -> String? {
                arguments.firstIndex(of: name).flatMap { $0 + 1 < arguments.count ? arguments[$0 + 1] : nil }
            }
            guard let type = field("type").flatMap({ Int($0) }), let text = field("data") else { return nil }
            let entry = vector.fields["entries"]?.arrayValue?.first { entry in
                entry["fields"]?.arrayValue?.contains { $0[1]?.stringValue == text } ?? false
            }
            let decoded = try entry?["dataDecoded"].flatMap { try RedisVectors.value($0) }
            return (type, try decoded ?? JSONText.read(ByteBuffer(string: text)), field("nsp") ?? "")
        }
        guard let payload = command.payload else { return nil }
        let value =
            command.fields["decoded"] == nil
            ? try JSONText.read(payload) : try RedisVectors.value(command.fields["decoded"] ?? .null) ?? .null
        guard let type = value["type"]?.intValue else { return nil }
        return (type, value["data"] ?? .null, value["nsp"]?.stringValue ?? "")
    }

    /// As a number has the precision that it has in JavaScript, in which the files were written.
    static func rounded(_ value: SocketIOValue) -> SocketIOValue {
        switch value {
        case .int(let number) where number.magnitude > 1 << 53: .double(Double(number))
        case .array(let elements): .array(elements.map(Self.rounded))
        default: value
        }
    }

    /// Sends a recorded command as it is, unless whoever is asked shall have more time to answer.
    func play(_ command: RedisVectors.Command, from client: FakeRedisClient, isPatient: Bool = false) throws {
        var arguments = [ByteBuffer(string: command.name)] + command.arguments.map { ByteBuffer(string: $0) }
        if let payload = command.payload { arguments.append(isPatient ? payload.patient : payload) }
        try client.send([RedisCommand(arguments: arguments)], completion: nil)
    }
}

extension ByteBuffer {
    /// A question of a recording with 30 seconds for its answers: machines that run tests may be busy.
    var patient: ByteBuffer {
        let hex = self.hex
            .replacing(/a774696d656f7574(cd....|cc..|[0-7].)/, with: "a774696d656f7574cd7530")
            .replacing(/2274696d656f7574223a(3.)+/, with: "2274696d656f7574223a3330303030")
        return (try? RedisVectors.bytes(hex)) ?? self
    }
}

/// Whether a broadcast with these options reaches a socket in these rooms.
func reaches(_ options: SocketIOValue?, _ rooms: Set<String>) -> Bool {
    func names(_ key: String) -> [String] {
        (options?[key]?.arrayValue ?? []).map { $0.stringValue ?? $0.description }
    }
    let wanted = names("rooms")
    return (wanted.isEmpty || wanted.contains(where: rooms.contains))
        && !names("except").contains(where: rooms.contains)
}

extension SIOClient {
    /// The events up to one of this name, each as an array of its name and arguments.
    func events(upTo end: String) async throws -> [SocketIOValue] {
        var events: [SocketIOValue] = []
        while true {
            let event = try await self.nextEvent()
            if event.name == end { return events }
            var reader = try ArgumentReader(
                checking: ByteBuffer(string: event.arguments.json),
                attachments: event.arguments.attachments.map { ByteBuffer(bytes: $0) })
            events.append(VectorPlayer.rounded(.array(try reader.remainingValues())))
        }
    }
}
