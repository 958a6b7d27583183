import NIOCore
import Testing

@testable import SocketIORedis

/// What is written, when, and what again.
@Suite struct StreamOutboxTests {
    private func item(_ number: Int, size: Int = 0) -> StreamOutbox.Item {
        let text = "\(number)" + String(repeating: " ", count: size)
        return StreamOutbox.Item(type: 3, data: ByteBuffer(string: text), event: nil)
    }

    private func numbers(_ action: StreamOutbox.Action?) -> [Int]? {
        guard case .write(let items) = action else { return nil }
        return items.compactMap { Int(String(buffer: $0.data).prefix { $0 != " " }) }
    }

    private func id(_ number: UInt64) -> StreamID { StreamID(milliseconds: number, sequence: 0) }

    private func entry(_ number: Int) -> (id: StreamID, type: Int?, data: ByteBuffer?) {
        (self.id(UInt64(number)), 3, ByteBuffer(string: "\(number)"))
    }

    @Test func oneBatchAtATime() {
        var outbox = StreamOutbox(maxBytes: 1 << 20, maxBatch: 3)
        #expect(self.numbers(outbox.add(self.item(1))) == [1])
        for number in 2...6 { #expect(self.numbers(outbox.add(self.item(number))) == nil) }
        #expect(self.numbers(outbox.answered([.written(self.id(1))])) == [2, 3, 4])
        #expect(self.numbers(outbox.answered((2...4).map { .written(self.id($0)) })) == [5, 6])
        _ = outbox.answered((5...6).map { .written(self.id($0)) })
        #expect(outbox.isEmpty && outbox.lastID == self.id(6))
        #expect(self.numbers(outbox.add(self.item(7))) == [7])
    }

    @Test func batchesAreLimitedInBytes() {
        var outbox = StreamOutbox(maxBytes: 1 << 20, maxBatchBytes: 5000)
        _ = outbox.add(self.item(1))
        for number in 2...4 { _ = outbox.add(self.item(number, size: 2000)) }
        #expect(self.numbers(outbox.answered([.written(self.id(1))])) == [2, 3])
    }

    @Test func whatWasWrittenBeforeALossIsNotWrittenAgain() {
        // However many of the three were executed, and whether or not the first ones were trimmed away since.
        for executed in 0...3 {
            for trimmed in 0...max(0, executed - 1) {
                var outbox = StreamOutbox(maxBytes: 1 << 20)
                _ = outbox.add(self.item(1))
                _ = outbox.add(self.item(2))
                _ = outbox.add(self.item(3))
                _ = outbox.add(self.item(4))
                #expect(self.numbers(outbox.answered([.written(self.id(1))])) == [2, 3, 4])
                guard case .lookUp(let after) = outbox.lost() else {
                    Issue.record("no look-up")
                    return
                }
                #expect(after == self.id(1))
                #expect(self.numbers(outbox.add(self.item(5))) == nil)
                let found = (2..<2 + executed).dropFirst(trimmed).map { self.entry($0) }
                #expect(self.numbers(outbox.found(found)) == Array((2 + executed)...5))
            }
        }
    }

    @Test func aSecondLossBeginsBehindWhatWasFound() {
        var outbox = StreamOutbox(maxBytes: 1 << 20)
        _ = outbox.add(self.item(1))
        _ = outbox.lost()
        _ = outbox.add(self.item(2))
        #expect(self.numbers(outbox.found([self.entry(1)])) == [2])
        guard case .lookUp(let after) = outbox.lost() else {
            Issue.record("no look-up")
            return
        }
        #expect(after == self.id(1))
        guard case .wait = outbox.notFound(), case .lookUp = outbox.resume() else {
            Issue.record("the look-up is not tried again")
            return
        }
        #expect(self.numbers(outbox.found([])) == [2])
    }

    @Test func whatIsNotAcceptedIsTriedAgainInOrder() {
        var outbox = StreamOutbox(maxBytes: 1 << 20)
        _ = outbox.add(self.item(1))
        _ = outbox.add(self.item(2))
        _ = outbox.notAccepted()
        #expect(self.numbers(outbox.add(self.item(3))) == nil)
        #expect(self.numbers(outbox.resume()) == [1, 2, 3])
        // Redis is loading, all are refused for now but one that never will be taken.
        guard case .wait = outbox.answered([.notNow, .refused, .notNow]) else {
            Issue.record("it does not wait")
            return
        }
        #expect(self.numbers(outbox.resume()) == [1, 3])
        #expect(self.numbers(outbox.resume()) == nil)
        _ = outbox.answered([.written(self.id(1)), .written(self.id(2))])
        #expect(outbox.isEmpty)
    }

    @Test func itIsBounded() {
        var outbox = StreamOutbox(maxBytes: 1000)
        #expect(outbox.add(self.item(1, size: 5000)) != nil, "one message has room always")
        #expect(outbox.add(self.item(2)) == nil)
        _ = outbox.answered([.written(self.id(1))])
        #expect(outbox.add(self.item(3)) != nil)
        outbox.close()
        #expect(outbox.isEmpty)
        #expect(self.numbers(outbox.add(self.item(4))) == nil)
        #expect(self.numbers(outbox.resume()) == nil)
    }
}
