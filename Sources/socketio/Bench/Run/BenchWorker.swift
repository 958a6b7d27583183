import NIOCore
import NIOPosix
import SocketIOClient

/// One thread of a run: an event loop, and clients that have everything on it.
///
/// `@unchecked Sendable`: what is not constant is touched on `loop` only.
final class BenchWorker: @unchecked Sendable {
    typealias MakeClient =
        @Sendable (_ number: Int, _ change: (inout SocketIOClientConfiguration) -> Void) ->
        SocketIOClient

    let index: Int
    /// Never shut down: clients that are released later still have something for the loop. The process ends with it.
    let group: MultiThreadedEventLoopGroup
    let loop: any EventLoop
    let shared: BenchShared
    let makeClient: MakeClient

    var clients: [BenchClient] = []
    var counts = BenchCounts()
    var ramp: SendSchedule?
    /// What is disconnected from now on was not lost.
    var isEnding = false

    // Messages.
    var messages: SendSchedule?
    var window = BenchWindow(origin: 0, start: .max, end: .max)
    /// The clients that send, by their places in `clients`, and whose turn it is.
    var senders: [Int] = []
    var turn = 0
    /// The next message, if there was time to encode it before it is due.
    var prepared: PreparedMessage?
    /// Until when as many messages were on their way as may be.
    var heldUntil = Int64.min
    var pulse = BenchPulse()

    init(_ index: Int, _ shared: BenchShared, _ makeClient: @escaping MakeClient) {
        self.index = index
        self.shared = shared
        self.makeClient = makeClient
        self.group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        self.loop = self.group.next()
    }

    var plan: BenchPlan { self.shared.plan }
    var flights: BenchShared.Flights { self.shared.flights[self.index] }

    /// How many clients of all are this thread's.
    var share: Int {
        let (count, threads) = (self.plan.clients, self.plan.threads)
        return count / threads + (self.index < count % threads ? 1 : 0)
    }

    /// Calls `body` on the loop.
    func perform<Result: Sendable>(_ body: @escaping @Sendable (BenchWorker) -> Result) async -> Result? {
        try? await self.loop.submit { body(self) }.get()
    }

    /// What there is by now.
    ///
    /// - Parameter withTimes: without them, nothing is held that recording would have to copy.
    func report(withTimes: Bool) -> BenchCounts {
        var counts = self.counts
        if !withTimes { counts.forgetTimes() }
        counts.open = self.flights.table.withLock { $0.open }
        return counts
    }

    /// What has happened since the last time.
    func takePulse() -> BenchPulse {
        let pulse = self.pulse
        self.pulse = BenchPulse()
        return pulse
    }

    /// Nothing is sent any more, and what ends now is not lost.
    func end() -> [SocketIOClient] {
        self.isEnding = true
        self.ramp = nil
        self.messages = nil
        return self.clients.filter { $0.phase == .connected || $0.phase == .connecting }.map(\.socket)
    }
}

/// A message of one client, encoded.
struct PreparedMessage: Sendable {
    var place: Int
    var number: Int
    var event: SocketIOClient.PreparedEvent
}

/// A moment of a run, for those who watch.
struct BenchPulse: Sendable {
    var sent = 0
    var received = 0
    var latencies = Latencies()

    mutating func add(_ other: BenchPulse) {
        self.sent += other.sent
        self.received += other.received
        self.latencies.add(other.latencies)
    }
}
