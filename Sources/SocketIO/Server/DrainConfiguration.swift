import EngineIO

/// How a server takes leave of its clients before it ends; see ``SocketIOConfiguration/drain`` and ``SocketIOServer/drain(_:)``.
///
/// Clients that lose their server connect to another one, all at once if they lose it at once. So they are disconnected in
/// batches. New ones are refused from the beginning, with status 503 and `Retry-After`; those whose turn has not come are served as
/// ever.
public struct DrainConfiguration: Sendable, Hashable {
    /// The time over which clients are disconnected. Default 10 s; 0 for all at once.
    public var duration: Duration
    /// The time between two batches. Default 100 ms. With the default duration a batch has a hundredth of the clients.
    public var interval: Duration
    /// How long a client whose turn has come may keep its connection until the handlers of its events have ended and the
    /// acknowledgements that it is asked for have come. Default 10 s. Who has none of these is disconnected at once.
    public var timeout: Duration
    /// How long the end may take: what was sent to clients until they have taken it, and then connections are cut. Default 5 s.
    public var closeTimeout: Duration

    public init(
        duration: Duration = .seconds(10), interval: Duration = .milliseconds(100), timeout: Duration = .seconds(10),
        closeTimeout: Duration = .seconds(5)
    ) {
        self.duration = duration
        self.interval = interval
        self.timeout = timeout
        self.closeTimeout = closeTimeout
    }

    /// How many batches there are.
    var batchCount: Int {
        let (duration, interval) = (self.duration.nanoseconds, max(1, self.interval.nanoseconds))
        return Int(clamping: max(1, duration / interval))
    }

    /// How many of those that are left have their turn.
    func batchSize(of remaining: Int, batch: Int) -> Int {
        let left = max(1, self.batchCount - batch)
        return remaining / left + (remaining % left == 0 ? 0 : 1)
    }
}
