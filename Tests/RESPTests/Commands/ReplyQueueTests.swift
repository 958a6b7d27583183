import NIOCore
import Testing

@testable import RESP

struct ReplyQueueTests {
    private func batch(_ count: Int, isHeard: Bool = true, isAsking: Bool = false) -> Batch {
        let hear: Batch.Completion = { (_: Result<[RedisValue], RedisError>) -> Void in }
        let completion = isHeard ? hear : nil
        var batch = Batch(commands: [], count: count, byteCount: 1, route: .any, completion: completion)
        batch.isAsking = isAsking
        return batch
    }

    private func completed(_ event: ReplyQueue.Event?) -> [RedisValue]? {
        if case .completed(_, let replies)? = event { replies } else { nil }
    }

    @Test func batches() throws {
        var queue = ReplyQueue()
        queue.append(.batch(self.batch(1)))
        queue.append(.batch(self.batch(2)))
        #expect(try self.completed(queue.receive(.integer(1))) == [.integer(1)])
        #expect(try queue.receive(.integer(2)) == nil)
        #expect(try self.completed(queue.receive(.error("ERR"))) == [.integer(2), .error("ERR")])
        #expect(queue.isEmpty)
    }

    @Test func ofWhatNobodyHearsOnlyErrorsAreKept() throws {
        var queue = ReplyQueue()
        queue.append(.batch(self.batch(3, isHeard: false)))
        #expect(try queue.receive(.integer(1)) == nil)
        #expect(try queue.receive(.error("ERR")) == nil)
        #expect(try self.completed(queue.receive(.integer(3))) == [.error("ERR")])
    }

    @Test func asking() throws {
        var queue = ReplyQueue()
        queue.append(.batch(self.batch(2, isAsking: true)))
        for value in [RedisValue.text("OK"), .integer(1), .text("OK")] { #expect(try queue.receive(value) == nil) }
        #expect(try self.completed(queue.receive(.integer(2))) == [.integer(1), .integer(2)])
    }

    @Test func confirmationsStandBetweenReplies() throws {
        var queue = ReplyQueue()
        let request = SubscriptionRequest(kind: .channel, isSubscribed: true, channels: ["a", "b"], token: 1)
        queue.append(.confirmations(request))
        queue.append(.batch(self.batch(1)))
        // A message in between is no confirmation.
        let message = queue.receive(
            .message(.channel, source: "a", channel: ByteBuffer(), payload: ByteBuffer()))
        guard case .message? = message else {
            Issue.record("no message")
            return
        }
        for (index, name) in ["a", "b"].enumerated() {
            guard case .confirmed(request, index)? = queue.receive(.subscribed(RedisChannel(.channel, name))) else {
                Issue.record("not confirmed")
                return
            }
        }
        #expect(try self.completed(queue.receive(.integer(1))) == [.integer(1)])
    }

    @Test func refusal() throws {
        var queue = ReplyQueue()
        let request = SubscriptionRequest(kind: .shard, isSubscribed: true, channels: ["a"], token: 1)
        queue.append(.confirmations(request))
        guard case .refused(request, from: 0, "NOPERM x")? = try queue.receive(.error("NOPERM x")) else {
            Issue.record("not refused")
            return
        }
        #expect(queue.isEmpty)
    }

    @Test func whatRedisEndsOfItsOwnAccord() {
        var queue = ReplyQueue()
        let request = SubscriptionRequest(kind: .shard, isSubscribed: false, channels: ["a"], token: 1)
        queue.append(.confirmations(request))
        guard
            case .dropped(RedisChannel(.shard, "other"))? = queue.receive(.unsubscribed(RedisChannel(.shard, "other")))
        else {
            Issue.record("not dropped")
            return
        }
        guard case .confirmed? = queue.receive(.unsubscribed(RedisChannel(.shard, "a"))) else {
            Issue.record("not confirmed")
            return
        }
        #expect(queue.isEmpty)
        #expect(queue.receive(.subscribed(RedisChannel(.shard, "a"))) == nil)
    }

    @Test func whatWasNotAskedIsAViolation() {
        var queue = ReplyQueue()
        #expect(throws: RedisError.self) { try queue.receive(.integer(1)) }
        queue.append(.confirmations(.init(kind: .channel, isSubscribed: true, channels: ["a"], token: 1)))
        #expect(throws: RedisError.self) { try queue.receive(.integer(1)) }
    }
}
