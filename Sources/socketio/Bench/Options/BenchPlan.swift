import ArgumentParser

/// What a message is, and when it has arrived.
enum BenchMode: String, ExpressibleByArgument, CaseIterable, Sendable {
    case connect, ack, echo, broadcast

    var hasMessages: Bool { self != .connect }
}

/// What is to be done, checked. Times are in nanoseconds.
struct BenchPlan: Sendable {
    var url: String
    var mode: BenchMode
    var clients: Int
    /// Clients that begin to connect in a second.
    var ramp: Double
    /// Messages in a second, of all clients together.
    var rate: Double
    var warmup: Int64
    var duration: Int64
    /// How long a reply may take.
    var timeout: Int64
    var maxInFlight: Int
    var payloadBytes: Int
    /// Nil without messages.
    var event: EventTemplate?
    var reply: String?
    var join: EventTemplate?
    var rooms: Int
    /// Whether the sender of a broadcast gets none.
    var exceptsSender: Bool
    var threads: Int
    /// Whether clients begin with polling and go on over WebSocket: no message is sent before.
    var upgrades: Bool
    var limits: [BenchLimit]

    func room(ofClient index: Int) -> Int { index % max(1, self.rooms) }

    /// One thread is enough for this many messages a second, sent and received, or this many clients.
    private static let messagesPerThread = 20_000.0
    private static let clientsPerThread = 2000

    /// As many threads as the load asks for.
    static func threads(mode: BenchMode, clients: Int, rooms: Int, rate: Double, ramp: Double, cores: Int) -> Int {
        let members = mode == .broadcast ? Double(clients) / Double(max(1, rooms)) : 1
        let load = mode.hasMessages ? rate * (1 + members) / 2 : ramp * 10
        let wanted = max(load / Self.messagesPerThread, Double(clients / Self.clientsPerThread))
        return max(1, min(cores, clients, 1 + Int(min(wanted, 1000))))
    }
}
