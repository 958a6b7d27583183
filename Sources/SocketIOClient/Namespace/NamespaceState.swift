import EngineIOClient
import SocketIOCore

/// What a namespace of a client does: joining, what waits to be sent, acknowledgements, recovery. A value that is told what
/// happened and says what is to be done, in order; it knows no time and no transport.
struct NamespaceState: Sendable {
    enum Phase: Sendable, Equatable {
        /// It is not to be joined.
        case inactive
        /// For a connection, or for the next try of a reconnection's `auth`.
        case waiting
        /// `auth` is being asked for.
        case authenticating
        /// CONNECT was sent.
        case joining
        /// A CONNECT of before it was left was not answered yet; then it is joined anew, with the `auth` there is by then.
        case rejoining
        case connected
    }

    enum Action: Sendable {
        /// ``NamespaceState/authenticated(_:_:)`` is to be called with what `auth` gives, and this number.
        case authenticate(Int)
        /// `auth` is to be asked for again after a while, by ``NamespaceState/opened()``.
        case authenticateLater
        case transmit(EncodedPacket, isEvent: Bool)
        case deliver(Packet)
        case complete(AckCompletion, Result<ArgumentReader, any Error>)
        case startTimer(ackID: Int, Duration)
        case stopTimer(ackID: Int)
        case connected
        case disconnected(Disconnection)
        /// The server, or `auth`, has refused: nothing more is tried.
        case refused(any Error)
        /// Nothing more is tried, for a reason that was told.
        case gaveUp(any Error)
        /// An attempt has failed; another will follow.
        case failed(any Error)
        case report(any Error)
        /// The server breaks the protocol: the connection is to be ended.
        case violation(SocketIOError)
    }

    struct Options: Sendable {
        var namespace: String
        var retries: Int?
        var ackTimeout: Duration?
        var buffer: SocketIOClientConfiguration.OfflineBuffer
        var maxEarlyBytes: Int
        /// How packets are written; nil: the default form.
        var form: (any PacketForm)?
    }

    let options: Options
    var phase = Phase.inactive
    var id: String?
    /// Whether this connection goes on where the last one has ended.
    var recovered = false
    /// Why it does not, if the server says so.
    var recoveryFailure: RecoveryFailure?
    /// Counts the connections, so that an acknowledgement goes to the one that has asked for it.
    var session = 0

    var authNumber = 0
    /// A CONNECT of this connection was not answered yet.
    var isJoinPending = false
    /// Whether it was connected since it was last asked to.
    var wasConnected = false
    /// What those are told who ask for an acknowledgement while nothing is tried any more. Before the first try they wait for it.
    var ended: SocketIOError?
    var pid: String?
    var offset: String?
    /// Events that came before the answer to CONNECT.
    var early: [Packet] = []
    var earlyBytes = 0

    var buffer: OutgoingBuffer
    var queue: RetryQueue
    var acks: [Int: AckCompletion] = [:]
    /// Largest message that the server takes.
    var maxMessageBytes = Int.max
    /// Whether binary messages are sent as base64 now.
    var usesBase64 = false

    init(_ options: Options) {
        self.options = options
        self.buffer = OutgoingBuffer(options.buffer)
        self.queue = RetryQueue(options.buffer)
    }

    var isActive: Bool { self.phase != .inactive }

    /// Whether the server's answer to a CONNECT is awaited.
    var isAwaitingAnswer: Bool { self.phase == .joining || self.phase == .rejoining }
}
