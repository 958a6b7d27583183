import NIOCore
import RESP
import SocketIO
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIORedis

/// Messages that nobody should send: ignored, and those behind them are heard.
@Suite struct ClusterFuzzTests {
    private struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            self.state ^= self.state << 13
            self.state ^= self.state >> 7
            self.state ^= self.state << 17
            return self.state
        }
    }

    /// Every payload and every text of an entry that was recorded.
    private static func corpus() throws -> [ByteBuffer] {
        var corpus: [ByteBuffer] = []
        for file in ["redis-adapter", "redis-streams"] {
            for group in try RedisVectors.groups(file) {
                for command in group.cases.flatMap(\.commands) {
                    if let payload = command.payload { corpus.append(payload) }
                    if command.name == "XADD", let data = command.arguments.last {
                        corpus.append(ByteBuffer(string: data))
                    }
                }
            }
        }
        return corpus
    }

    private static func mutated(_ payload: ByteBuffer, _ random: inout Random) -> ByteBuffer {
        var bytes = Array(payload.readableBytesView)
        for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.removeSubrange(index...)
            case 2: bytes.remove(at: index)
            case 3: bytes.insert(UInt8.random(in: 0...255, using: &random), at: index)
            case 4: bytes[index] = [0xC0, 0xC1, 0xDF, 0xDD, 0xDB, 0xC6, 0x7B, 0x5B, 0x22][index % 9]
            default:
                let end = min(bytes.count, index + Int.random(in: 1...20, using: &random))
                bytes.insert(contentsOf: bytes[index..<end], at: index)
            }
        }
        return ByteBuffer(bytes: bytes)
    }

    /// Messages made on purpose.
    private static let hostile: [String] = [
        "", "{", "{}", "[]", "null", "{\"type\":3}", "{\"type\":99,\"uid\":\"x\",\"nsp\":\"/\"}",
        "{\"type\":1e300,\"uid\":\"x\",\"nsp\":\"/\",\"data\":{}}",
        "{\"type\":3,\"data\":null,\"uid\":\"x\",\"nsp\":\"/\"}",
        "{\"type\":3,\"data\":{\"packet\":null},\"uid\":\"x\",\"nsp\":\"/\"}",
        "{\"type\":3,\"data\":{\"packet\":{\"data\":[\"e\"]}},\"uid\":\"x\",\"nsp\":\"/\"}",
        "{\"type\":3,\"data\":{\"packet\":{\"data\":[]},\"opts\":{\"rooms\":[]}},\"uid\":\"x\",\"nsp\":\"/\"}",
        "{\"type\":3,\"data\":{\"packet\":{\"data\":[{}]},\"opts\":{\"rooms\":[]}},\"uid\":\"x\",\"nsp\":\"/\"}",
        "{\"type\":3,\"data\":{\"packet\":{\"data\":[\"disconnect\"]},\"opts\":{\"rooms\":[]}},\"uid\":\"x\",\"nsp\":\"/\"}",
        "{\"type\":3,\"data\":{\"packet\":{\"data\":[\"e\"]},\"opts\":[]},\"uid\":\"x\",\"nsp\":\"/\"}",
        "{\"type\":4,\"data\":{\"opts\":{\"rooms\":[]}},\"uid\":\"x\",\"nsp\":\"/\"}",
        "{\"type\":4,\"data\":{\"opts\":{\"rooms\":[]},\"rooms\":\"r\"},\"uid\":\"x\",\"nsp\":\"/\"}",
        "{\"type\":7,\"data\":{\"opts\":{\"rooms\":[]}},\"uid\":\"x\",\"nsp\":\"/\"}",
        "{\"type\":8,\"data\":{\"requestId\":\"x\",\"sockets\":{}},\"uid\":\"x\",\"nsp\":\"/\"}",
        "{\"type\":8,\"data\":{\"requestId\":\"x\",\"sockets\":[{\"id\":\"a\",\"handshake\":{\"headers\":{\"é\":\"1\"}}}]},"
            + "\"uid\":\"x\",\"nsp\":\"/\"}",
        "{\"type\":9,\"data\":{\"packet\":[]},\"uid\":\"x\",\"nsp\":\"/\"}",
        "{\"type\":9,\"data\":{\"packet\":3},\"uid\":\"x\",\"nsp\":\"/\"}",
        "{\"type\":11,\"data\":{\"requestId\":\"x\",\"clientCount\":-1},\"uid\":\"x\",\"nsp\":\"/\"}",
        "{\"type\":3,\"data\":{\"requestId\":\"x\",\"packet\":{\"data\":[\"e\"]},"
            + "\"opts\":{\"rooms\":[],\"flags\":{\"timeout\":1e300}}},"
            + "\"uid\":\"" + String(repeating: "u", count: 1000) + "\",\"nsp\":\"/\"}",
        "{\"type\":3,\"data\":" + String(repeating: "[", count: 100_000),
        "{\"type\":3,\"data\":{\"packet\":{\"data\":[\"e\"," + String(repeating: "[", count: 1000)
            + String(repeating: "]", count: 1000) + "]},\"opts\":{\"rooms\":[]}},\"uid\":\"x\",\"nsp\":\"/\"}",
    ]

    private static func isHarmless(_ payload: ByteBuffer) -> Bool {
        // Mutants may still say that everybody is to be disconnected, or say something to the clients.
        guard let message = try? ClusterMessage(payload), message.namespace == "/" else { return true }
        return message.type != .disconnectSockets && message.type != .broadcast
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func sharded(_ seed: UInt64) async throws {
        let redis = FakeRedis()
        try await withNodes([ShardedRedisAdapter.factory(redis.client("A"))]) { nodes in
            let client = try await nodes[0].client(rooms: "r1")
            let other = redis.client("other")
            other.start()
            var random = Random(state: seed &* 0x9E37_79B9_7F4A_7C15)
            let channels = ["socket.io#/#", "socket.io#/#r1#", "socket.io#/#\(try nodes[0].sharded().uid)#"]
            func send(_ payload: ByteBuffer) throws {
                let channel = ByteBuffer(string: channels[Int.random(in: 0..<3, using: &random)])
                try other.send(
                    [RedisCommand(arguments: [ByteBuffer(string: "SPUBLISH"), channel, payload])], completion: nil)
            }
            for text in Self.hostile { try send(ByteBuffer(string: text)) }
            let invalid = ByteBuffer(
                bytes: Array("{\"type\":3,\"data\":{\"packet\":{\"data\":[\"".utf8) + [0xFF, 0xC0]
                    + Array("\"]},\"opts\":{\"rooms\":[]}},\"uid\":\"x\",\"nsp\":\"/\"}".utf8))
            try send(invalid)
            try await redis.settle()
            // One of them says something, with a time and a name that are out of bounds.
            _ = try await client.expectEvent("e")
            nodes[0].io.emit("that is all")
            _ = try await client.expectEvent("that is all")
            for payload in try Self.corpus() {
                await Task.yield()
                for _ in 0..<10 {
                    let mutant = Self.mutated(payload, &random)
                    if Self.isHarmless(mutant) { try send(mutant) }
                }
            }
            for number in 0..<2000 {
                if number % 50 == 0 { await Task.yield() }
                let length = Int.random(in: 0..<100, using: &random)
                let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
                if Self.isHarmless(ByteBuffer(bytes: bytes)) { try send(ByteBuffer(bytes: bytes)) }
            }
            let good =
                "{\"type\":3,\"data\":{\"packet\":{\"type\":2,\"data\":[\"good\"]},\"opts\":{\"rooms\":[]}},"
                + "\"uid\":\"x\",\"nsp\":\"/\"}"
            try other.send([RedisCommand("SPUBLISH", "socket.io#/#", good)], completion: nil)
            _ = try await client.expectEvent("good")
            #expect(client.protocolError == nil)
        }
    }

    @Test(arguments: [1, 2] as [UInt64]) func streams(_ seed: UInt64) async throws {
        let redis = FakeRedis()
        try await withNodes([RedisStreamsAdapter.factory(redis.client("A"))]) { nodes in
            let client = try await nodes[0].client(rooms: "r1")
            let other = redis.client("other")
            other.start()
            var random = Random(state: seed &* 0x9E37_79B9_7F4A_7C15)
            func write(_ fields: [ByteBuffer]) throws {
                let command = ["XADD", "socket.io", "*"].map { ByteBuffer(string: $0) }
                try other.send([RedisCommand(arguments: command + fields)], completion: nil)
            }
            func fields(_ texts: String...) -> [ByteBuffer] { texts.map { ByteBuffer(string: $0) } }
            try write(fields("a", "b"))
            try write(fields("nsp", "/"))
            try write(fields("nsp", "/", "type", "x"))
            try write(fields("uid", "x", "nsp", "/", "type", "99", "data", "{}"))
            try write(fields("uid", "x", "nsp", "/", "type", "3"))
            for payload in try Self.corpus() {
                await Task.yield()
                for _ in 0..<3 {
                    // Those of type 6 might be obeyed.
                    let type = [3, 4, 5, 7, 8, 9, 10, 11, 12, 13][Int.random(in: 0..<10, using: &random)]
                    let text = payload.readableBytes < 5000 ? Self.mutated(payload, &random) : payload
                    try write(fields("uid", "x", "nsp", "/", "type", "\(type)", "data") + [text])
                }
            }
            try write(
                fields(
                    "uid", "x", "nsp", "/", "type", "3", "data",
                    "{\"packet\":{\"type\":2,\"data\":[\"good\"]},\"opts\":{\"rooms\":[]}}"))
            while try await client.nextEvent().name != "good" {}
            #expect(client.protocolError == nil)
        }
    }

    /// What is wrong is told once for each kind.
    @Test func complaints() async throws {
        let redis = FakeRedis()
        try await withNodes([ShardedRedisAdapter.factory(redis.client("A"))]) { nodes in
            let other = redis.client("other")
            other.start()
            for _ in 0..<50 {
                try other.send([RedisCommand("SPUBLISH", "socket.io#/#", "{\"type\":3}")], completion: nil)
                try other.send([RedisCommand("SPUBLISH", "socket.io#/#", "{")], completion: nil)
            }
            try await redis.settle()
            #expect(try nodes[0].sharded().complaints == 2)
        }
    }
}
