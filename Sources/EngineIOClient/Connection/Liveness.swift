/// Whether the server is still there, as a value: it pings, and its silence for too long ends the connection.
///
/// Times are nanoseconds of any monotonic clock.
struct Liveness: Equatable {
    /// From one ping to the end, if no other follows.
    private let patience: UInt64
    private var pingDeadline: UInt64
    private var probeDeadline: UInt64?
    private(set) var hasBeenPinged = false

    /// - Parameters: of the handshake, in milliseconds.
    init(pingInterval: Int, pingTimeout: Int, now: UInt64) {
        self.patience = (UInt64(clamping: pingInterval) &+ UInt64(clamping: pingTimeout)) &* 1_000_000
        self.pingDeadline = now &+ self.patience
    }

    /// When the connection is over unless something is heard.
    var deadline: UInt64 { min(self.pingDeadline, self.probeDeadline ?? .max) }

    mutating func pinged(now: UInt64) {
        self.hasBeenPinged = true
        self.pingDeadline = now &+ self.patience
        self.probeDeadline = nil
    }

    /// The server was asked for a sign of life, which must come within `timeout` nanoseconds.
    mutating func probe(timeout: UInt64, now: UInt64) {
        self.probeDeadline = min(self.probeDeadline ?? .max, now &+ timeout)
    }

    /// Anything has come from the server. If that answers a probe, the next ping may be a whole interval away.
    mutating func heard(now: UInt64) {
        guard self.probeDeadline != nil else { return }
        self.probeDeadline = nil
        self.pingDeadline = max(self.pingDeadline, now &+ self.patience)
    }
}
