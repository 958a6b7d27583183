import ArgumentParser
import BenchSupport
import CAllocationCounter
import SocketIO

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Counts what a message costs in allocations, by a server and clients in one process whose clients allocate nothing, and fails
/// above the limits checked in here. A count depends on the compiler and the system, not on the machine's speed or load.
@main
struct AllocationCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "allocation-check",
        abstract: "Counts allocations per message and fails above the limits."
    )

    struct Case {
        let name: String
        /// Most allocations per message, or per delivery where so said.
        let limit: Double
        let measure: (Int) throws -> Double
    }

    @Option(help: "Only pass this many events through a server, and compare its memory before and after.")
    var events: Int?

    func run() async throws {
        try Self.selfTest()
        if let events = self.events {
            return try await MemoryCheck.run(events: events, settling: min(events / 4, 1_000_000))
        }
        // With metrics that go nowhere: what counting and timing cost, and not what a metrics system does.
        let failed = try await [
            Self.run(Self.cases + Self.clusterCases()),
            Self.run(Self.cases, metrics: MetricsConfiguration()),
        ]
        try await MemoryCheck.run(events: 800_000, settling: 200_000)
        if failed.contains(true) { throw ExitCode(1) }
    }

    /// Returns whether a limit was exceeded.
    private static func run(_ cases: [Case], metrics: MetricsConfiguration? = nil) async throws -> Bool {
        var configuration = SocketIOConfiguration(port: 0)
        configuration.engine.eventLoopCount = 1
        configuration.metrics = metrics
        let io = SocketIOServer(configuration: configuration)
        io.onConnection { socket in
            socket.on("echo") { (text: String) in socket.emit("echo", text) }
            socket.on("struct") { (message: Message) in socket.emit("struct", message) }
            socket.on("ack") { (text: String) in text }
            socket.on("data") { (data: Data) in socket.emit("data", data) }
            socket.on("join") { (room: String) in socket.join(Room(room)) }
            socket.on("all") { (text: String) in io.to("room").emit("all", text) }
        }
        let port = try await io.start().port ?? 0
        var failed = false
        for test in cases {
            let count = try test.measure(port)
            let isOver = count > test.limit
            failed = failed || isOver
            let mark = isOver ? "OVER THE LIMIT" : "ok"
            let name = metrics == nil ? test.name : "\(test.name), with metrics"
            print("\(name): \(Double(Int(count * 100)) / 100) allocations, limit \(test.limit): \(mark)")
        }
        await io.close()
        return failed
    }

    /// A counter that does not count would pass everything.
    static func selfTest() throws {
        let before = allocation_count()
        for _ in 0..<100 { allocation_self_test(64) }
        guard allocation_count() - before == 100 else {
            throw CheckFailure("the allocation counter does not count on this system")
        }
        let live = allocation_live_bytes()
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { memory.deallocate() }
        guard allocation_live_bytes() - live >= 1 << 20 else {
            throw CheckFailure("the allocation counter does not know how much memory is held on this system")
        }
    }

    static var cases: [Case] {
        [
            Case(name: "echo of a text", limit: 1.2) { try Self.exchange($0, "42[\"echo\",\"\(Self.text)\"]") },
            Case(name: "echo of a struct", limit: 7.5) {
                try Self.exchange($0, "42[\"struct\",{\"user\":\"somebody\",\"text\":\"\(Self.text)\",\"likes\":7}]")
            },
            Case(name: "acknowledgement of a text", limit: 2.3) {
                try Self.exchange($0, "421[\"ack\",\"\(Self.text)\"]", reply: "431[\"\(Self.text)\"]")
            },
            Case(name: "echo of 1 KiB of data", limit: 6.5) { try Self.binary($0) },
            Case(name: "delivery of a broadcast to 100", limit: 0.2) { try Self.broadcast($0) },
        ]
    }

    static let text = "0123456789abcdef0123456789abcdef"
    static let warmUp = 500
    static let messages = 5000

    private static func exchange(_ port: Int, _ message: String, reply: String? = nil) throws -> Double {
        let client = try RawClient(port: port)
        try client.join()
        let frame = RawClient.frame(0x1, Array(message.utf8))
        let size = 2 + (reply ?? message).utf8.count
        return try self.count(per: 1) {
            try client.send(frame)
            try client.receive(size)
        }
    }

    private static func binary(_ port: Int) throws -> Double {
        let client = try RawClient(port: port)
        try client.join()
        let header = "451-[\"data\",{\"_placeholder\":true,\"num\":0}]"
        let frames =
            RawClient.frame(0x1, Array(header.utf8)) + RawClient.frame(0x2, Array(repeating: 7, count: 1024))
        return try self.count(per: 1) {
            try client.send(frames)
            try client.receive(2 + header.utf8.count + 4 + 1024)
        }
    }

    private static func broadcast(_ port: Int) throws -> Double {
        let clients = try (0..<100).map { _ in try RawClient(port: port) }
        for client in clients {
            try client.join()
            try client.send(RawClient.frame(0x1, Array("42[\"join\",\"room\"]".utf8)))
        }
        let frame = RawClient.frame(0x1, Array("42[\"all\",\"\(Self.text)\"]".utf8))
        let size = 2 + "42[\"all\",\"\(Self.text)\"]".utf8.count
        // Every client has joined once each has had an echo of its own behind its join.
        for client in clients {
            try client.send(RawClient.frame(0x1, Array("42[\"echo\",\"x\"]".utf8)))
            try client.receive(2 + "42[\"echo\",\"x\"]".utf8.count)
        }
        return try self.count(per: clients.count, divisor: 50) {
            try clients[0].send(frame)
            for client in clients { try client.receive(size) }
        }
    }

    static func count(per units: Int, divisor: Int = 1, _ body: () throws -> Void) rethrows -> Double {
        for _ in 0..<(Self.warmUp / divisor) { try body() }
        let before = allocation_count()
        let rounds = Self.messages / divisor
        for _ in 0..<rounds { try body() }
        return Double(allocation_count() - before) / Double(rounds * units)
    }
}

struct Message: Codable, Sendable {
    var user: String
    var text: String
    var likes: Int
}
