import EngineIOClient
import EngineIOCore
import Logging
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
        var isActive = false
        var auth: SocketIOAuth
        var observers: [Int: AsyncStream<SocketIOClientState>.Continuation] = [:]
        var nextObserver = 0
        var isReleased = false
    }

    // On the loop only.
    var state: NamespaceState
    private var waiters: [Int: Waiter] = [:]
    private var timers: [Int: LoopTimer] = [:]
    private var authTimer: LoopTimer?
    private var authBackoff: Backoff
    private var authTask: Task<Void, Never>?
    private var lastError: (any Error)?
    /// An attempt has failed in a way that ends ``Waiter``s, once it is clear what comes of it.
    private var hopelessError: (any Error)?

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
        self.shared = Mutex(Shared(auth: configuration.auth))
        self.authBackoff = Backoff(configuration.reconnection)
        self.state = NamespaceState(
            .init(
                namespace: name,
                retries: configuration.retries.map { max(0, $0) },
                ackTimeout: configuration.ackTimeout,
                buffer: configuration.offlineBuffer,
                maxEarlyBytes: configuration.maxEarlyBytes
            ))
    }

    var isActive: Bool { self.state.isActive }

    func makeAckID() -> Int { self.nextAckID.add(1, ordering: .relaxed).oldValue }
    func makeWaiterID() -> Int { self.nextWaiter.add(1, ordering: .relaxed).newValue }

    // MARK: What the client asks for

    func activate() {
        if let error = self.configurationError {
            self.failAttempt(error)
            return self.endHopelessWaits()
        }
        self.state.maxMessageBytes = self.manager.maxPayload
        self.transportChanged()
        self.perform(self.state.activate(isOpen: self.manager.state.phase == .open))
    }

    func leave() {
        self.cancelAuth()
        self.perform(self.state.leave())
        self.resumeWaiters(
            .failure(SocketIOError(.disconnected, "the client was disconnected before it was connected")))
    }

    /// The client is gone.
    func release() {
        self.cancelAuth()
        self.perform(self.state.release())
        self.resumeWaiters(.failure(CancellationError()))
        self.manager.detach(self)
        let observers = self.shared.withLock { shared in
            shared.isReleased = true
            defer { shared.observers = [:] }
            return shared.observers
        }
        for observer in observers.values { observer.finish() }
        let old = self.listeners.withLock { listeners in
            let old = listeners
            listeners = ClientListeners()
            listeners.isReleased = true
            return old
        }
        for end in old.sequences.values { end() }
        for timer in self.timers.values { timer.cancel() }
        self.timers = [:]
    }

    func send(_ outgoing: Outgoing, using actions: inout [NamespaceState.Action]) {
        self.state.send(outgoing, isWritable: !outgoing.isVolatile || self.manager.isWritable, into: &actions)
        for action in actions { self.perform(action) }
        actions.removeAll(keepingCapacity: true)
    }

    func sendAck(_ packet: EncodedPacket, session: Int) {
        self.perform(self.state.sendAck(packet, session: session))
    }

    func cancelAck(_ id: Int) { self.perform(self.state.cancelled(id, CancellationError())) }

    // MARK: What the connection tells

    func connectionOpened() {
        self.state.maxMessageBytes = self.manager.maxPayload
        self.transportChanged()
        self.perform(self.state.opened())
    }

    func transportChanged() { self.state.usesBase64 = self.manager.transport == .polling }

    func connectionClosed(_ reason: DisconnectReason, _ error: (any Error)?, willReconnect: Bool) {
        self.cancelAuth()
        self.perform(self.state.closed(reason, error, willReconnect: willReconnect))
    }

    func attemptFailed(_ error: any Error) {
        guard self.isActive else { return }
        self.failAttempt(error)
    }

    func gaveUp(_ error: any Error) { self.perform(self.state.gaveUp(error)) }

    func receive(_ packet: Packet) {
        if packet.type == .event, self.state.accept(packet) {
            self.deliver(packet)
        } else {
            self.perform(self.state.receive(packet))
        }
    }

    // MARK: Doing what the state says

    private func perform(_ actions: [NamespaceState.Action]) {
        for action in actions { self.perform(action) }
        self.publishState()
        self.manager.activityChanged()
    }

    private func perform(_ action: NamespaceState.Action) {
        switch action {
        case .authenticate(let number): self.authenticate(number)
        case .authenticateLater:
            let delay = self.authBackoff.next(random: Double.random(in: 0...1))
            self.authTimer?.cancel()
            self.authTimer = LoopTimer(on: self.manager.eventLoop, in: delay) { [weak self] in
                guard let self else { return }
                self.perform(self.state.opened())
            }
        case .transmit(let packet, let isEvent):
            if isEvent, self.hasOutgoingListeners.load(ordering: .relaxed) { self.tellOutgoing(packet) }
            self.manager.transmit(packet)
        case .deliver(let packet): self.deliver(packet)
        case .complete(let complete, let result): complete(result)
        case .startTimer(let id, let timeout):
            self.timers[id]?.cancel()
            self.timers[id] = LoopTimer(on: self.manager.eventLoop, in: timeout) { [weak self] in
                guard let self else { return }
                self.timers[id] = nil
                self.perform(self.state.timedOut(id))
            }
        case .stopTimer(let id): self.timers.removeValue(forKey: id)?.cancel()
        case .connected:
            self.authBackoff.reset()
            self.lastError = nil
            self.publishState()
            self.notify(.connected)
            self.resumeWaiters(.success(()))
        case .disconnected(let disconnection):
            self.publishState()
            self.notify(.disconnected(disconnection))
        case .refused(let error):
            self.publishState()
            if self.waiters.isEmpty || self.hasHooks(.connectError) { self.notify(.connectError(error)) }
            self.resumeWaiters(.failure(error))
        case .gaveUp(let error):
            self.publishState()
            self.resumeWaiters(.failure(error))
        case .failed(let error): self.failAttempt(error)
        case .report(let error): self.report(error)
        case .violation(let error): self.manager.violated(error)
        }
    }

    /// An attempt has failed. Who waits in `connect()` goes on waiting if the next may do better.
    private func failAttempt(_ error: any Error) {
        self.lastError = error
        if self.waiters.isEmpty || self.hasHooks(.connectError) { self.notify(.connectError(error)) }
        if isLasting(error) { self.hopelessError = error }
    }

    /// Called when an attempt has failed and all that follows from it is done.
    func endHopelessWaits() {
        guard let error = self.hopelessError else { return }
        self.hopelessError = nil
        self.resumeWaiters(.failure(error))
    }

    // MARK: auth

    private func authenticate(_ number: Int) {
        self.cancelAuth()
        switch self.shared.withLock({ $0.auth.source }) {
        case .none: self.perform(self.state.authenticated(number, .success(nil)))
        case .value(let value): self.perform(self.state.authenticated(number, .success(value)))
        case .provider(let provider):
            self.authTask = Task { [weak self] in
                let result: Result<SocketIOValue?, any Error>
                do { result = .success(try await provider()) } catch { result = .failure(error) }
                guard let self else { return }
                self.manager.execute { self.perform(self.state.authenticated(number, result)) }
            }
        }
    }

    private func cancelAuth() {
        self.authTask?.cancel()
        self.authTask = nil
        self.authTimer?.cancel()
        self.authTimer = nil
    }

    // MARK: Those who wait to be connected

    func wait(_ id: Int, timeout: Duration?, _ complete: @escaping @Sendable (Result<Void, any Error>) -> Void) {
        if self.state.phase == .connected { return complete(.success(())) }
        var waiter = Waiter(complete: complete, timer: nil)
        if let timeout {
            waiter.timer = LoopTimer(on: self.manager.eventLoop, in: timeout) { [weak self] in
                guard let self else { return }
                let error = SocketIOError(
                    .connectTimeout, "not connected in time; the client goes on trying until disconnect() is called",
                    cause: self.lastError)
                self.endWait(id, .failure(error))
            }
        }
        self.waiters[id] = waiter
        self.activate()
    }

    func endWait(_ id: Int, _ result: Result<Void, any Error>) {
        guard let waiter = self.waiters.removeValue(forKey: id) else { return }
        waiter.timer?.cancel()
        waiter.complete(result)
    }

    private func resumeWaiters(_ result: Result<Void, any Error>) {
        for id in self.waiters.keys.sorted() { self.endWait(id, result) }
    }

    // MARK: The state as others see it

    func publishState() {
        let state = self.visibleState
        let observers = self.shared.withLock { shared in
            shared.id = self.state.id
            shared.recovered = self.state.recovered
            shared.isActive = self.state.isActive
            guard shared.state != state else { return [AsyncStream<SocketIOClientState>.Continuation]() }
            shared.state = state
            return Array(shared.observers.values)
        }
        for observer in observers { observer.yield(state) }
    }

    private var visibleState: SocketIOClientState {
        switch self.state.phase {
        case .inactive: return .disconnected
        case .connected: return .connected
        case .waiting, .authenticating, .joining: break
        }
        let manager = self.manager.state
        switch manager.phase {
        case .suspended: return .suspended
        case .waiting: return .reconnecting(attempt: manager.backoff.attempts)
        case .opening where manager.isReconnecting: return .reconnecting(attempt: manager.backoff.attempts)
        case .closed, .opening, .open: return .connecting
        }
    }

    /// Events, acknowledgements and waits that are kept (for tests).
    var pendingCount: Int { self.state.acks.count + self.timers.count + self.waiters.count }
}

/// Whether a failed attempt is not worth waiting for the next one: somebody has to change something first.
private func isLasting(_ error: any Error) -> Bool {
    guard let error = error as? EngineClientError else { return false }
    switch error.code {
    case .invalidConfiguration, .tlsCertificate, .tlsPin, .tlsClientCertificate, .tlsNotSpoken, .notHTTP, .notSocketIO,
        .unsupportedProtocol, .redirected, .notFound, .transportUnknown, .unauthorized, .forbidden:
        return true
    default: return false
    }
}
