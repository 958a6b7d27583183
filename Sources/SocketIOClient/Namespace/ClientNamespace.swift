import EngineIOClient
import EngineIOCore
import Logging
import MessagePack
import NIOCore
import SocketIOCore
import Synchronization

/// A client in its namespace: does what ``NamespaceState`` says, on the event loop of its connection.
///
/// The client that users hold is another object, so that its end can be noticed while this one is held by the connection.
///
/// `@unchecked Sendable`: what is not under a lock or constant is touched on the manager's loop only.
final class ClientNamespace: @unchecked Sendable {
    let name: String
    let manager: Manager
    /// In the order in which they were made.
    let number: Int
    /// Why the connection can't even be tried.
    let configurationError: (any Error)?
    let onError: (@Sendable (any Error) -> Void)?
    let retries: Int?
    let ackTimeout: Duration?
    let joinTimeout: Duration

    let handlers: RunningHandlers
    let listeners = Mutex<ClientListeners>(ClientListeners())
    let hasOutgoingListeners = Atomic<Bool>(false)
    let shared: Mutex<Shared>
    private let nextAckID = Atomic<Int>(0)
    private let nextWaiter = Atomic<Int>(0)
    private static let nextNumber = Atomic<Int>(0)

    /// What other threads may ask for.
    struct Shared: Sendable {
        var state = SocketIOClientState.disconnected
        var id: String?
        var recovered = false
        var recoveryFailure: RecoveryFailure?
        var isActive = false
        var auth: SocketIOAuth
        var observers: [Int: AsyncStream<SocketIOClientState>.Continuation] = [:]
        var nextObserver = 0
        var isReleased = false
    }

    // On the loop only.
    var state: NamespaceState
    var waitingEvents: WaitingEvents
    var waiters: [Int: Waiter] = [:]
    var timers: [Int: LoopTimer] = [:]
    var authTimer: LoopTimer?
    /// For the answer to CONNECT.
    var joinTimer: LoopTimer?
    var authBackoff: Backoff
    var authTask: Task<Void, Never>?
    var lastError: (any Error)?
    /// An attempt has failed in a way that ends ``Waiter``s, once it is clear what comes of it.
    var hopelessError: (any Error)?

    struct Waiter {
        let complete: @Sendable (Result<Void, any Error>) -> Void
        var timer: LoopTimer?
    }

    init(
        _ name: String,
        manager: Manager,
        configuration: SocketIOClientConfiguration,
        configurationError: (any Error)? = nil
    ) {
        self.name = name
        self.manager = manager
        self.number = Self.nextNumber.add(1, ordering: .relaxed).newValue
        self.configurationError = configurationError
        self.onError = configuration.onError
        self.retries = configuration.retries
        self.ackTimeout = configuration.ackTimeout
        self.joinTimeout = configuration.joinTimeout
        self.handlers = RunningHandlers(limit: configuration.maxRunningHandlers)
        self.waitingEvents = WaitingEvents(maxBytes: configuration.maxWaitingBytes)
        self.shared = Mutex(Shared(auth: configuration.auth))
        self.authBackoff = Backoff(configuration.reconnection)
        self.state = NamespaceState(
            .init(
                namespace: name,
                retries: configuration.retries.map { max(0, $0) },
                ackTimeout: configuration.ackTimeout,
                buffer: configuration.offlineBuffer,
                maxEarlyBytes: configuration.maxEarlyBytes,
                form: configuration.parser.form
            ))
    }

    var isActive: Bool { self.state.isActive }

    func makeAckID() -> Int { self.nextAckID.add(1, ordering: .relaxed).oldValue }
    func makeWaiterID() -> Int { self.nextWaiter.add(1, ordering: .relaxed).newValue }
}
