import NIOCore
import SocketIOCore
import Testing

@testable import SocketIOClient

struct OutgoingBufferTests {
    private func outgoing(_ id: Int, bytes: Int = 10, isAwaited: Bool = false) -> Outgoing {
        let frames = ByteBuffer(repeating: 0, count: bytes)
        var outgoing = Outgoing(packet: EncodedPacket(frames: frames, attachmentCount: 0), ackID: id)
        if isAwaited { outgoing.complete = { _ in } }
        return outgoing
    }

    private func limits(
        events: Int = 3, bytes: Int = 100, _ overflow: SocketIOClientConfiguration.OfflineBuffer.Overflow = .dropNewest
    ) -> SocketIOClientConfiguration.OfflineBuffer {
        var limits = SocketIOClientConfiguration.OfflineBuffer()
        limits.maxEvents = events
        limits.maxBytes = bytes
        limits.overflow = overflow
        return limits
    }

    @Test func theNewestGivesWay() {
        var buffer = OutgoingBuffer(self.limits())
        for id in 1...3 { #expect(buffer.append(self.outgoing(id)).isEmpty) }
        #expect(buffer.append(self.outgoing(4)).compactMap(\.ackID) == [4])
        #expect(buffer.takeAll().compactMap(\.ackID) == [1, 2, 3])
        #expect(buffer.bytes == 0)
    }

    @Test func theOldestGivesWay() {
        var buffer = OutgoingBuffer(self.limits(.dropOldest))
        for id in 1...3 { #expect(buffer.append(self.outgoing(id)).isEmpty) }
        #expect(buffer.append(self.outgoing(4)).compactMap(\.ackID) == [1])
        #expect(buffer.append(self.outgoing(5, bytes: 85)).compactMap(\.ackID) == [2, 3])
        #expect(buffer.entries.compactMap(\.ackID) == [4, 5])
        #expect(buffer.bytes == 95)
        // What would not fit into the empty buffer displaces nothing.
        #expect(buffer.append(self.outgoing(6, bytes: 101)).compactMap(\.ackID) == [6])
        #expect(buffer.entries.count == 2)
    }

    @Test func bytesCount() {
        var buffer = OutgoingBuffer(self.limits(events: 10))
        #expect(buffer.append(self.outgoing(1, bytes: 60)).isEmpty)
        #expect(buffer.append(self.outgoing(2, bytes: 41)).compactMap(\.ackID) == [2])
        #expect(buffer.append(self.outgoing(3, bytes: 40)).isEmpty)
        #expect(buffer.remove(ackID: 1)?.ackID == 1)
        #expect(buffer.remove(ackID: 1) == nil)
        #expect(buffer.bytes == 40)
    }

    @Test func thoseThatAreAwaitedAreTakenOut() {
        var buffer = OutgoingBuffer(self.limits())
        _ = buffer.append(self.outgoing(1))
        _ = buffer.append(self.outgoing(2, bytes: 20, isAwaited: true))
        _ = buffer.append(self.outgoing(3))
        #expect(buffer.takeAwaited().compactMap(\.ackID) == [2])
        #expect(buffer.entries.compactMap(\.ackID) == [1, 3])
        #expect(buffer.bytes == 20)
    }

    @Test func queueKeepsWhatIsOnItsWay() {
        var queue = RetryQueue(self.limits(.dropOldest))
        for id in 1...3 { #expect(queue.append(self.outgoing(id)).isEmpty) }
        queue.updateFirst { $0.isPending = true }
        #expect(queue.append(self.outgoing(4)).compactMap(\.ackID) == [2])
        #expect(queue.first?.outgoing.ackID == 1)
        #expect(queue.ackIDs == [1, 3, 4])
        queue.removeFirst()
        #expect(queue.remove(ackID: 4)?.ackID == 4)
        #expect(queue.takeAll().compactMap(\.ackID) == [3])
        #expect(queue.first == nil)
        queue.removeFirst()
        queue.updateFirst { $0.tries = 9 }
        #expect(queue.count == 0)
    }

    @Test func queueIsBounded() {
        var queue = RetryQueue(self.limits(events: 2, bytes: 50))
        #expect(queue.append(self.outgoing(1, bytes: 51)).count == 1)
        #expect(queue.append(self.outgoing(2, bytes: 30)).isEmpty)
        #expect(queue.append(self.outgoing(3, bytes: 30)).count == 1)
        #expect(queue.append(self.outgoing(4, bytes: 20)).isEmpty)
        #expect(queue.append(self.outgoing(5, bytes: 0)).count == 1)
        var alone = RetryQueue(self.limits(events: 1, .dropOldest))
        _ = alone.append(self.outgoing(1))
        alone.updateFirst { $0.isPending = true }
        #expect(alone.append(self.outgoing(2)).compactMap(\.ackID) == [2])
    }

    @Test func longQueueStaysInOrder() {
        var queue = RetryQueue(self.limits(events: .max, bytes: .max))
        var expected = 0
        for id in 0..<2000 {
            _ = queue.append(self.outgoing(id))
            if id % 3 != 0 {
                #expect(queue.first?.outgoing.ackID == expected)
                expected += 1
                queue.removeFirst()
            }
        }
        #expect(queue.takeAll().compactMap(\.ackID) == Array(expected..<2000))
    }
}
