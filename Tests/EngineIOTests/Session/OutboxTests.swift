import NIOCore
import TestSupport
import Testing

@testable import EngineIO

/// Packets that are copied into an outbox, beside others that are kept as they are.
@Suite struct OutboxTests {
    /// Both kinds in random order, taken now and then: nothing is lost, doubled or out of order.
    @Test func copiesKeepTheOrder() {
        let here = LoopContext(eventLoop: PeerLoops.group.next())
        var random = SystemRandomNumberGenerator()
        var outbox = Outbox()
        var expected = ByteBuffer()
        var taken = ByteBuffer()
        var packets = 0
        for number in 0..<5000 {
            let packet = ByteBuffer(string: "\(number)," + String(repeating: "x", count: Int.random(in: 0...40)))
            expected.writeImmutableBuffer(packet)
            switch Int.random(in: 0..<8, using: &random) {
            case 0: outbox.append(OutboundPacket(frames: packet))
            case 1:
                // One that is larger than a segment.
                let large = ByteBuffer(repeating: 0x61, count: Outbox.segmentBytes + 1)
                expected.writeImmutableBuffer(large)
                outbox.append(copying: packet, here)
                outbox.append(copying: large, here)
                packets += 1
            default: outbox.append(copying: packet, here)
            }
            packets += 1
            #expect(outbox.count == packets)
            #expect(outbox.byteCount == expected.readableBytes - taken.readableBytes)
            #expect(outbox.cost == outbox.byteCount + packets * Outbox.packetOverhead)
            guard Int.random(in: 0..<50, using: &random) == 0 else { continue }
            while !outbox.isEmpty, let packet = outbox.popFirst() {
                taken.writeImmutableBuffer(packet.frames)
                if Bool.random(using: &random) { here.giveBack(spare: packet.frames) }
            }
            packets = 0
        }
        for packet in outbox.removeAll() { taken.writeImmutableBuffer(packet.frames) }
        #expect(taken == expected)
        #expect(outbox.count == 0 && outbox.byteCount == 0 && outbox.cost == 0)
    }

    /// Storage that was given back is not written to while somebody still refers to it.
    @Test func storageInUseIsLeftAlone() throws {
        let here = LoopContext(eventLoop: PeerLoops.group.next())
        var outbox = Outbox()
        outbox.append(copying: ByteBuffer(string: "first"), here)
        let first = outbox.popFirst()
        let held = try #require(first).frames
        here.giveBack(spare: held)
        outbox.append(copying: ByteBuffer(string: "other"), here)
        #expect(String(buffer: held) == "first")
        #expect(outbox.removeAll().map { String(buffer: $0.frames) } == ["other"])
    }

    /// Small packets leave together, and a packet that is kept as it is begins anew.
    @Test func smallPacketsShareASegment() {
        let here = LoopContext(eventLoop: PeerLoops.group.next())
        var outbox = Outbox()
        for text in ["a", "b", "c"] { outbox.append(copying: ByteBuffer(string: text), here) }
        outbox.append(OutboundPacket(frames: ByteBuffer(string: "shared")))
        outbox.append(copying: ByteBuffer(string: "d"), here)
        #expect(outbox.removeAll().map { String(buffer: $0.frames) } == ["abc", "shared", "d"])
    }
}
