import NIOCore
import Testing

@testable import RESP

struct SlotTests {
    @Test func checksum() {
        #expect(SlotHash.checksum("123456789".utf8) == 0x31C3)
        #expect(SlotHash.checksum("".utf8) == 0)
    }

    /// As `CLUSTER KEYSLOT` has them.
    @Test(arguments: [("foo", 12182), ("bar", 5061), ("hello", 866), ("", 0), ("somekey", 11058)])
    func slots(key: String, slot: Int) {
        #expect(SlotHash.slot(of: key) == slot)
        #expect(SlotHash.slot(of: ByteBuffer(string: key)) == slot)
    }

    @Test func tags() {
        #expect(SlotHash.slot(of: "{foo}.a") == SlotHash.slot(of: "foo"))
        #expect(SlotHash.slot(of: "x{foo}{bar}") == SlotHash.slot(of: "foo"))
        #expect(SlotHash.slot(of: "x{{foo}}") == SlotHash.slot(of: "{foo"))
        // Nothing between the first braces, or no end: the whole key counts.
        #expect(SlotHash.slot(of: "x{}{foo}") != SlotHash.slot(of: "foo"))
        #expect(Int(SlotHash.checksum("x{}{foo}".utf8)) % 16384 == SlotHash.slot(of: "x{}{foo}"))
        #expect(Int(SlotHash.checksum("{foo".utf8)) % 16384 == SlotHash.slot(of: "{foo"))
    }

    private let source = RedisAddress.tcp(host: "10.0.0.1", port: 7000)

    private func node(_ host: RedisValue, _ port: Int64) -> RedisValue { .array([host, .integer(port), .text("id")]) }

    @Test func map() throws {
        let reply = RedisValue.array([
            .array([.integer(0), .integer(99), self.node(.text("10.0.0.2"), 7001), self.node(.text("10.0.0.9"), 1)]),
            .array([.integer(100), .integer(16383), self.node(.text(""), 7002)]),
            .array([.integer(5), .integer(5), self.node(.null, 7003)]),
        ])
        let map = try ClusterMap(reply, from: self.source)
        #expect(
            map.ranges == [
                .init(slots: 0...99, primary: .tcp(host: "10.0.0.2", port: 7001)),
                .init(slots: 100...16383, primary: .tcp(host: "10.0.0.1", port: 7002)),
                .init(slots: 5...5, primary: .tcp(host: "10.0.0.1", port: 7003)),
            ])
    }

    @Test func malformedMaps() {
        let malformed: [RedisValue] = [
            .null, .array([]), .error("ERR x"), .array([.null]), .array([.array([.integer(0), .integer(1)])]),
            .array([.array([.integer(1), .integer(0), self.node(.text("h"), 1)])]),
            .array([.array([.integer(-1), .integer(0), self.node(.text("h"), 1)])]),
            .array([.array([.integer(0), .integer(16384), self.node(.text("h"), 1)])]),
            .array([.array([.integer(0), .integer(1), .array([.text("h")])])]),
        ]
        for reply in malformed { #expect(throws: RedisError.self) { try ClusterMap(reply, from: self.source) } }
    }

    @Test func redirections() {
        func parse(_ message: String) -> Redirection? { Redirection(message, from: self.source) }
        #expect(parse("MOVED 3999 127.0.0.1:6381") == .moved(slot: 3999, .tcp(host: "127.0.0.1", port: 6381)))
        #expect(parse("MOVED 1 :6381") == .moved(slot: 1, .tcp(host: "10.0.0.1", port: 6381)))
        #expect(parse("MOVED 1 ::1:6381") == .moved(slot: 1, .tcp(host: "::1", port: 6381)))
        #expect(parse("ASK 3999 host:6381") == .ask(.tcp(host: "host", port: 6381)))
        #expect(parse("TRYAGAIN x") == .later)
        #expect(parse("CLUSTERDOWN Hash slot not served") == .later)
        for message in [
            "", "ERR x", "MOVED", "MOVED x h:1", "MOVED 16384 h:1", "MOVED 1 h", "MOVED 1 h:0", "ASK 1 h:x",
        ] {
            #expect(parse(message) == nil)
        }
    }
}
