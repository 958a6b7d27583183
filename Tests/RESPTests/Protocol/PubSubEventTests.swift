import NIOCore
import Testing

@testable import RESP

struct PubSubEventTests {
    @Test func messages() {
        let (a, b) = (ByteBuffer(string: "a"), ByteBuffer(string: "b"))
        #expect(
            PubSubEvent([.text("message"), .string(a), .string(b)])
                == .message(.channel, source: "a", channel: a, payload: b))
        #expect(
            PubSubEvent([.text("smessage"), .string(a), .string(b)])
                == .message(.shard, source: "a", channel: a, payload: b))
        #expect(
            PubSubEvent([.text("pmessage"), .text("a*"), .string(a), .string(b)])
                == .message(.pattern, source: "a*", channel: a, payload: b))
    }

    @Test func confirmations() {
        #expect(
            PubSubEvent([.text("subscribe"), .text("a"), .integer(1)]) == .subscribed(RedisChannel(.channel, "a")))
        #expect(
            PubSubEvent([.text("psubscribe"), .text("a"), .integer(1)]) == .subscribed(RedisChannel(.pattern, "a")))
        #expect(
            PubSubEvent([.text("sunsubscribe"), .text("a"), .integer(0)]) == .unsubscribed(RedisChannel(.shard, "a")))
    }

    @Test func others() {
        let others: [[RedisValue]] = [
            [], [.null], [.text("message")], [.text("message"), .text("a")], [.text("message"), .null, .text("b")],
            [.text("message"), .text("a"), .integer(1)], [.text("pmessage"), .text("a"), .text("b"), .null],
            [.text("pong"), .text("")], [.text("invalidate"), .array([])], [.integer(3), .text("a"), .text("b")],
            [.text("unsubscribe"), .null, .integer(0)], [.text("messagE"), .text("a"), .text("b")],
        ]
        for elements in others { #expect(PubSubEvent(elements) == nil) }
    }
}
