import BenchSupport
import CAllocationCounter
import SocketIO

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Whether events leave anything behind: the memory of a server after some events, and after many more of all kinds, while clients
/// come and go and rooms are made and left. Clients are in the same process and hold the same memory both times.
enum MemoryCheck {
    private static let clients = 20
    /// What the memory may grow by, in percent.
    private static let tolerance = 5.0

    /// - Parameters:
    ///   - events: how many clients send in all.
    ///   - settling: after how many the memory is looked at for the first time.
    /// - Throws: ``CheckFailure`` if it has grown by more than the tolerance.
    static func run(events: Int, settling: Int) async throws {
        var configuration = SocketIOConfiguration(port: 0)
        configuration.engine.eventLoopCount = 1
        let io = SocketIOServer(configuration: configuration)
        io.onConnection { socket in
            socket.join("all")
            socket.on("echo") { (text: String) in socket.emit("echo", text) }
            socket.on("struct") { (message: Message) in socket.emit("struct", message) }
            socket.on("ack") { (text: String) in text }
            socket.on("data") { (data: Data) in socket.emit("data", data) }
            socket.on("move") { (from: String, to: String) in
                socket.leave(Room(from))
                socket.join(Room(to))
            }
            socket.on("all") { (text: String) in io.to("all").emit("all", text) }
        }
        let port = try await io.start().port ?? 0
        var traffic = try Traffic(port: port, clients: Self.clients)
        while traffic.events < settling { try traffic.round() }
        let before = await Self.memory(io)
        while traffic.events < events { try traffic.round() }
        let after = await Self.memory(io)
        await io.close()

        let growth = 100 * (Double(after.live) / Double(before.live) - 1)
        let resident = 100 * (Double(after.resident) / Double(max(1, before.resident)) - 1)
        print(
            "memory after \(settling) events: \(before.live / 1024) KiB held, \(before.resident) KiB resident; "
                + "after \(traffic.events): \(after.live / 1024) and \(after.resident), "
                + "\(traffic.connections) connections: "
                + "\(Self.text(growth)) % and \(Self.text(resident)) %, limit \(Self.tolerance) %"
        )
        // In a long run timers of connections that have gone within its last minute count among what is held, and the lists of the
        // wheel of timers, which are made within the first half minute: the system's view is what says more. It has a noise of its own,
        // which a short run can't average out.
        let isLong = events >= 24_000_000
        let judged = isLong ? resident : growth
        guard judged <= Self.tolerance else { throw CheckFailure("the memory has grown by \(Self.text(judged)) %") }
    }

    private static func text(_ number: Double) -> String { "\(Double(Int(number * 100)) / 100)" }

    /// What is held when the connections that were closed are gone; the least of several looks, in bytes and KiB.
    private static func memory(_ io: SocketIOServer) async -> (live: Int, resident: Int) {
        var least = Int.max
        for _ in 0..<25 {
            try? await Task.sleep(for: .milliseconds(40))
            least = min(least, Int(allocation_live_bytes()))
        }
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return (least, line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0)
    }
}

/// Clients that send events of all kinds, all answers awaited.
private struct Traffic {
    private(set) var events = 0
    private(set) var connections = 0
    private var rounds = 0
    private let port: Int
    private var clients: [(number: Int, client: RawClient)] = []
    /// What each client sends in most rounds, and how many bytes come back.
    private let frames: [UInt8]
    private let answer: Int

    init(port: Int, clients: Int) throws {
        self.port = port
        let (frames, answer) = Self.mixture
        self.frames = frames
        self.answer = answer
        for _ in 0..<clients { try self.add() }
    }

    private mutating func add() throws {
        let client = try RawClient(port: self.port)
        try client.join()
        self.connections += 1
        self.clients.append((self.connections, client))
    }

    /// 15 events: texts, a value, an acknowledgement and data.
    private static var mixture: (frames: [UInt8], answer: Int) {
        let text = AllocationCheck.text
        var frames: [UInt8] = []
        var answer = 0
        func add(_ message: String, reply: String? = nil) {
            frames += RawClient.frame(0x1, Array(message.utf8))
            answer += 2 + (reply ?? message).utf8.count
        }
        for _ in 0..<12 { add("42[\"echo\",\"\(text)\"]") }
        add("42[\"struct\",{\"user\":\"somebody\",\"text\":\"\(text)\",\"likes\":7}]")
        add("421[\"ack\",\"\(text)\"]", reply: "431[\"\(text)\"]")
        add("451-[\"data\",{\"_placeholder\":true,\"num\":0}]")
        frames += RawClient.frame(0x2, Array(repeating: 7, count: 100))
        answer += 2 + 100
        return (frames, answer)
    }

    /// Each client sends those and one that goes from a room to another; now and then one sends one to all, and one is replaced.
    mutating func round() throws {
        for (number, client) in self.clients {
            let move = "42[\"move\",\"\(self.rounds - 1) of \(number)\",\"\(self.rounds) of \(number)\"]"
            try client.send(self.frames + RawClient.frame(0x1, Array(move.utf8)))
        }
        for (_, client) in self.clients { try client.receive(self.answer) }
        self.events += 16 * self.clients.count
        if self.rounds.isMultiple(of: 64) {
            let message = "42[\"all\",\"\(self.rounds)\"]"
            try self.clients.last?.client.send(RawClient.frame(0x1, Array(message.utf8)))
            for (_, client) in self.clients { try client.receive(2 + message.utf8.count) }
            self.events += 1
        }
        self.rounds += 1
        if self.rounds.isMultiple(of: 100) {
            self.clients.removeFirst()
            try self.add()
        }
    }
}
