import NIOCore
import Testing

@testable import RESP

struct OutboxTests {
    private func bytes(_ outbox: inout Outbox, _ node: Int) -> String {
        var text = ""
        while let segment = outbox.take(node) { text += String(buffer: segment.bytes) }
        return text
    }

    /// The names of the commands that wait for a node.
    private func names(_ outbox: inout Outbox, _ node: Int) -> [String] {
        self.bytes(&outbox, node).split(separator: "\r\n").map(String.init)
            .filter { !$0.hasPrefix("*") && !$0.hasPrefix("$") }
    }

    @Test func oneWakeUpForManyCommands() throws {
        var outbox = Outbox(limit: 1 << 20)
        outbox.setOneServer()
        // Nobody is there yet.
        #expect(try outbox.append([RedisCommand("A")], nil) == nil)
        outbox.setOpen(true, 0)
        // The one who opens it looks for himself.
        #expect(try outbox.append([RedisCommand("B")], nil) == nil)
        #expect(self.names(&outbox, 0) == ["A", "B"])
        #expect(try outbox.append([RedisCommand("C")], nil) == 0)
        #expect(try outbox.append([RedisCommand("D")], nil) == nil)
        #expect(self.names(&outbox, 0) == ["C", "D"])
        #expect(try outbox.append([RedisCommand("E")], nil) == 0)
    }

    @Test func whatIsNotTakenStays() throws {
        var outbox = Outbox(limit: 1 << 20)
        outbox.setOneServer()
        outbox.setOpen(true, 0)
        let large = RedisCommand(arguments: [ByteBuffer(repeating: 65, count: 40_000)])
        for _ in 0..<3 { _ = try outbox.append([large], nil) }
        #expect(outbox.take(0)?.batches.count == 1)
        outbox.setOpen(false, 0)
        outbox.setOpen(true, 0)
        #expect(outbox.take(0)?.batches.count == 1)
        #expect(outbox.take(0)?.batches.count == 1)
        #expect(outbox.take(0) == nil)
    }

    @Test func bound() throws {
        let command = RedisCommand("PING")
        let size = RESPEncoder.size(of: command)
        var outbox = Outbox(limit: 2 * size)
        outbox.setOneServer()
        _ = try outbox.append([command], nil)
        _ = try outbox.append([command], nil)
        #expect(throws: RedisError(.bufferFull, "\(2 * size) bytes of commands wait for Redis")) {
            try outbox.append([command], nil)
        }
        // It is not written bytes that make room but answered ones.
        _ = outbox.take(0)
        #expect(throws: RedisError.self) { try outbox.append([command], nil) }
        outbox.release(size)
        _ = try outbox.append([command], nil)
        #expect(throws: RedisError.self) { try outbox.append([command, command, command], nil) }
    }

    @Test func closing() throws {
        var outbox = Outbox(limit: 1000)
        _ = try outbox.append([RedisCommand("A")], nil)
        _ = try outbox.append([RedisCommand("B", "key")], nil)
        #expect(outbox.close().count == 2)
        #expect(throws: Outbox.closed) { try outbox.append([RedisCommand("C")], nil) }
        #expect(outbox.take(0) == nil)
    }

    private func owners(_ node: (Int) -> Int?) -> [Int?] { (0..<SlotHash.slotCount).map(node) }

    @Test func whatWaitedBeforeTheClusterWasKnownIsSorted() throws {
        var outbox = Outbox(limit: 1 << 20)
        // Slots 12182 and 5061.
        for name in ["A", "B"] { _ = try outbox.append([RedisCommand(name, "foo")], nil) }
        _ = try outbox.append([RedisCommand("C", "bar")], nil)
        _ = try outbox.append([RedisCommand("PUBLISH", "foo", "x")], nil)
        _ = try outbox.append([RedisCommand("D", keyIndex: nil)], nil)
        outbox.setCluster(self.owners { $0 < 10_000 ? 1 : 2 }, anyNode: 3)
        #expect(self.names(&outbox, 0).isEmpty)
        #expect(self.names(&outbox, 1) == ["C", "bar"])
        #expect(self.names(&outbox, 2) == ["A", "foo", "B", "foo"])
        #expect(self.names(&outbox, 3) == ["PUBLISH", "foo", "x", "D"])
    }

    @Test func aNodeThatLeaves() throws {
        var outbox = Outbox(limit: 1 << 20)
        outbox.setCluster(self.owners { _ in 1 }, anyNode: 1)
        _ = try outbox.append([RedisCommand("A", "foo")], nil)
        _ = try outbox.append([RedisCommand("B")], to: 1, nil)
        let pinned = outbox.retire(1)
        #expect(pinned.map(\.route) == [.node(1)])
        outbox.setCluster(self.owners { _ in 2 }, anyNode: 2)
        #expect(self.names(&outbox, 2) == ["A", "foo"])
        // Only what was pinned is no longer counted.
        #expect(outbox.byteCount == RESPEncoder.size(of: RedisCommand("A", "foo")))
    }

    @Test func aSlotThatMoves() throws {
        var outbox = Outbox(limit: 1 << 20)
        outbox.setCluster(self.owners { _ in 1 }, anyNode: 1)
        outbox.setOwner(of: SlotHash.slot(of: "foo"), 2)
        _ = try outbox.append([RedisCommand("A", "foo")], nil)
        _ = try outbox.append([RedisCommand("B", "bar")], nil)
        #expect(self.names(&outbox, 2) == ["A", "foo"])
        #expect(self.names(&outbox, 1) == ["B", "bar"])
    }

    @Test func askingGoesBeforeEachCommand() throws {
        var outbox = Outbox(limit: 1 << 20)
        outbox.setCluster(self.owners { _ in 1 }, anyNode: 1)
        _ = try outbox.append([RedisCommand("A", "foo"), RedisCommand("B", "foo")], nil)
        var batch = try #require(outbox.take(1)?.batches.first)
        batch.isAsking = true
        _ = outbox.putBack(batch, at: 2)
        #expect(self.names(&outbox, 2) == ["ASKING", "A", "foo", "ASKING", "B", "foo"])
        #expect(batch.replyCount == 4)
    }

    @Test func routes() {
        #expect(Batch.route(of: [RedisCommand("GET", "foo")]) == .slot(12182))
        #expect(Batch.route(of: [RedisCommand("PING")]) == .any)
        #expect(Batch.route(of: [RedisCommand("pubLISH", "foo", "x")]) == .any)
        #expect(Batch.route(of: [RedisCommand("SPUBLISH", "foo", "x")]) == .slot(12182))
        #expect(Batch.route(of: [RedisCommand("MULTI"), RedisCommand("GET", "foo")]) == .slot(12182))
        #expect(Batch.route(of: [RedisCommand("XREAD", "STREAMS", "foo", "0", keyIndex: 2)]) == .slot(12182))
        #expect(Batch.route(of: [RedisCommand("GET", "foo", keyIndex: -1)]) == .any)
    }
}
