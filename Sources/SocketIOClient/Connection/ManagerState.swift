import EngineIOClient
import EngineIOCore
import SocketIOCore

/// What a connection does: opening, reconnecting, pausing. A value that is told what happened and says what is to be done;
/// it knows no time, no transport and no namespace.
struct ManagerState: Sendable {
    enum Phase: Sendable, Equatable {
        /// Nothing is open or being tried.
        case closed
        case opening
        case open
        /// For the next attempt.
        case waiting
        /// For a network, or for the application to come to the foreground.
        case suspended
    }

    enum Action: Sendable {
        /// A new engine is to be opened.
        case open
        /// Ends the engine, sending what waits.
        case close
        /// Ends the engine at once.
        case cut
        /// The engine is to find out whether the connection still works.
        case checkLiveness
        case startTimer(Duration)
        case stopTimer
        // For the namespaces.
        case opened
        case closed(DisconnectReason, (any Error)?)
        /// An attempt has failed; another may follow.
        case failed(any Error)
        /// There are no more attempts.
        case gaveUp(any Error)
        // For listeners.
        case reconnectAttempt(Int)
        case reconnectError(any Error)
        case reconnected(Int)
        case reconnectFailed
    }

    private let policy: SocketIOClientConfiguration.Reconnection
    private(set) var phase = Phase.closed
    /// Whether the attempt that is being made is a further one.
    private(set) var isReconnecting = false
    private(set) var backoff: Backoff
    private var isWanted = false
    private var isNetworkAvailable = true
    private var isInBackground = false

    init(_ policy: SocketIOClientConfiguration.Reconnection) {
        self.policy = policy
        self.backoff = Backoff(policy)
    }

    // MARK: What the namespaces want

    /// At least one namespace wants the connection, or none any more.
    mutating func want(_ isWanted: Bool) -> [Action] {
        guard isWanted != self.isWanted else { return [] }
        self.isWanted = isWanted
        if isWanted { return self.phase == .closed ? self.begin(again: false) : [] }
        self.backoff.reset()
        defer { self.phase = .closed }
        switch self.phase {
        case .closed, .suspended: return []
        case .opening, .open: return [.close, .closed(.ioClientDisconnect, nil)]
        case .waiting: return [.stopTimer]
        }
    }

    // MARK: What becomes of the engine

    mutating func opened() -> [Action] {
        guard self.phase == .opening else { return [] }
        self.phase = .open
        let attempts = self.backoff.attempts
        self.backoff.reset()
        defer { self.isReconnecting = false }
        return self.isReconnecting ? [.reconnected(attempts), .opened] : [.opened]
    }

    /// The engine has ended.
    ///
    /// - Parameter random: 0 to 1, for the delay of the next attempt.
    mutating func ended(_ reason: DisconnectReason, _ error: (any Error)?, random: Double) -> [Action] {
        switch self.phase {
        case .closed, .waiting, .suspended: return []
        case .open:
            self.backoff.reset()
            return [.closed(reason, error)] + self.tryAgain(after: error ?? Self.lost(reason), random)
        case .opening:
            let error = error ?? Self.lost(reason)
            let told: [Action] = self.isReconnecting ? [.failed(error), .reconnectError(error)] : [.failed(error)]
            return told + self.tryAgain(after: error, random)
        }
    }

    /// The delay before the next attempt is over.
    mutating func delayIsOver() -> [Action] {
        self.phase == .waiting ? self.begin(again: true) : []
    }

    // MARK: What the application says

    mutating func networkChanged(isAvailable: Bool) -> [Action] {
        let wasAvailable = self.isNetworkAvailable
        self.isNetworkAvailable = isAvailable
        guard isAvailable else { return self.suspend(Self.noNetwork, .cut) }
        switch self.phase {
        case .open: return wasAvailable ? [.checkLiveness] : []
        case .waiting, .suspended: return self.attemptNow()
        case .opening: return self.attemptAnew()
        case .closed: return []
        }
    }

    /// Does not wait any longer for the next attempt.
    mutating func reconnectNow() -> [Action] {
        guard self.phase == .waiting || self.phase == .suspended else { return [] }
        self.isNetworkAvailable = true
        self.isInBackground = false
        return self.attemptNow()
    }

    mutating func background() -> [Action] {
        self.isInBackground = true
        return self.suspend(nil, .close)
    }

    mutating func foreground() -> [Action] {
        self.isInBackground = false
        switch self.phase {
        case .open: return [.checkLiveness]
        case .waiting, .suspended: return self.attemptNow()
        case .opening: return self.attemptAnew()
        case .closed: return []
        }
    }

    // MARK: Pieces

    private mutating func begin(again: Bool) -> [Action] {
        guard self.isNetworkAvailable, !self.isInBackground else {
            self.phase = .suspended
            return []
        }
        self.phase = .opening
        self.isReconnecting = again
        return again ? [.reconnectAttempt(self.backoff.attempts), .open] : [.open]
    }

    private mutating func attemptNow() -> [Action] {
        let stop: [Action] = self.phase == .waiting ? [.stopTimer] : []
        self.backoff.reset()
        _ = self.backoff.next(random: 0.5)
        return stop + self.begin(again: true)
    }

    /// The attempt under way may hang on a network that is gone.
    private mutating func attemptAnew() -> [Action] {
        [.cut] + (self.isReconnecting ? self.attemptNow() : self.begin(again: false))
    }

    private mutating func tryAgain(after error: any Error, _ random: Double) -> [Action] {
        self.phase = .closed
        self.isReconnecting = false
        guard self.isWanted else { return [] }
        guard self.policy.isEnabled, !Self.isFinal(error) else {
            self.isWanted = false
            return [.gaveUp(error)]
        }
        if let most = self.policy.maxAttempts, self.backoff.attempts >= most {
            self.isWanted = false
            self.backoff.reset()
            return [.reconnectFailed, .gaveUp(error)]
        }
        guard self.isNetworkAvailable, !self.isInBackground else {
            self.phase = .suspended
            return []
        }
        self.phase = .waiting
        return [.startTimer(self.backoff.next(random: random))]
    }

    /// Ends what there is; something else is waited for before the next attempt.
    private mutating func suspend(_ error: EngineClientError?, _ end: Action) -> [Action] {
        self.backoff.reset()
        defer { if self.phase != .closed { self.phase = .suspended } }
        switch self.phase {
        case .closed, .suspended: return []
        case .opening: return [end]
        case .waiting: return [.stopTimer]
        case .open: return [end, .closed(.transportClose, error)]
        }
    }

    /// Whether further attempts are of no use.
    private static func isFinal(_ error: any Error) -> Bool {
        (error as? EngineClientError)?.code == .invalidConfiguration
    }

    private static func lost(_ reason: DisconnectReason) -> EngineClientError {
        EngineClientError(
            .connectionLost, "the connection has ended (\(reason)); another is tried if reconnection is on")
    }

    private static let noNetwork = EngineClientError(
        .connectionLost, "the application says that there is no network; the client waits for one")
}
