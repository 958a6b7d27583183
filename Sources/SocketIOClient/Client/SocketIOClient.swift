import EngineIOClient
import NIOCore
import SocketIOCore
import Synchronization

/// A client in one namespace of a Socket.IO server. See "The Socket instance (client-side)" in the Socket.IO documentation.
///
/// ```swift
/// let client = SocketIOClient("https://example.com/chat", auth: ["token": "abc"])
/// client.on("message") { (text: String) in print(text) }
/// try await client.connect()
/// client.emit("message", "hello")
/// let count: Int = try await client.emitWithAck("count", timeout: .seconds(5))
/// ```
///
/// It is safe to use from anywhere. What one thread emits leaves in the order of the calls. Handlers run in the actor that they
/// are written in; those that belong to none start on an event loop and must not block it. They start in the order of
/// arrival and may overlap after their first suspension. What a handler returns is the acknowledgement, if the server wants
/// one; what it throws goes to ``onError(_:)``.
///
/// A connection that is lost is tried again with growing delays, except after the server has disconnected or refused the
/// client. When the last reference to a client goes, it leaves its namespace, and the connection ends with its last
/// namespace: capture it weakly in its own handlers.
///
/// ## Topics
/// - Connecting: ``connect(timeout:)``, ``open()``, ``disconnect()``, ``auth``, ``state``, ``states``, ``of(_:auth:)``
/// - Sending: ``emit(_:_:)``, ``emitWithAck(_:_:timeout:as:)``, ``volatile``, ``timeout(_:)``
/// - Receiving: ``on(_:_:)``, ``once(_:_:)``, ``onAny(_:)``, ``events(_:limit:)``
/// - What happens to the connection: ``onConnect(_:)``, ``onDisconnect(_:)``, ``onConnectError(_:)``, ``onReconnect(_:)``
/// - On phones: ``networkChanged(available:)``, ``reconnectNow()``, ``background()``, ``foreground()``
public final class SocketIOClient: Sendable {
    let core: ClientNamespace
    private let configuration: SocketIOClientConfiguration

    /// A client of a namespace.
    ///
    /// It connects at once unless ``SocketIOClientConfiguration/autoConnect`` is off; then no event can come before its handlers are in
    /// place.
    /// - Parameters:
    ///   - url: `https://host:port/namespace?query`; `http`, `https`, `ws` or `wss`. The path names the namespace, not where on the
    ///     server Socket.IO answers; that is ``SocketIOClientConfiguration/path``. With a URL that can't be used, every attempt
    ///     fails with ``EngineIOClient/EngineClientError/Code/invalidConfiguration``.
    ///   - auth: what it shows of itself; it stands for that of the configuration.
    public convenience init(
        _ url: String,
        auth: SocketIOAuth? = nil,
        configuration: SocketIOClientConfiguration = SocketIOClientConfiguration()
    ) {
        var parsed = EngineURL(isSecure: false, host: "", port: 0)
        var failure: (any Error)?
        do { parsed = try EngineURL(url) } catch { failure = error }
        let namespace = parsed.path.isEmpty ? "/" : parsed.path
        let settings = ConnectionSettings(url: parsed, configuration: configuration)
        self.init(namespace, settings, auth: auth, failure: failure)
    }

    private convenience init(
        _ namespace: String,
        _ settings: ConnectionSettings,
        auth: SocketIOAuth?,
        failure: (any Error)?
    ) {
        let manager: Manager
        if settings.configuration.forceNew || failure != nil {
            manager = Manager(settings)
            _ = manager.claim(namespace)
        } else {
            manager = ManagerRegistry.manager(settings, claiming: namespace)
        }
        self.init(namespace, manager: manager, settings.configuration, auth: auth, failure: failure)
    }

    /// - Parameter manager: the namespace is claimed there.
    init(
        _ namespace: String,
        manager: Manager,
        _ configuration: SocketIOClientConfiguration,
        auth: SocketIOAuth? = nil,
        failure: (any Error)? = nil
    ) {
        var configuration = configuration
        if let auth { configuration.auth = auth }
        self.configuration = configuration
        let core = ClientNamespace(
            namespace, manager: manager, configuration: configuration, configurationError: failure)
        self.core = core
        let connects = configuration.autoConnect
        manager.execute {
            manager.attach(core)
            if connects { core.activate() }
        }
    }

    deinit {
        let core = self.core
        core.manager.execute { core.release() }
        // A client that takes the namespace from now on is attached after that.
        core.manager.unclaim(core.name)
    }

    /// A client of another namespace, over the same connection if the namespace is free there.
    ///
    /// - Parameter auth: what it shows of itself; that of this client if nil.
    public func of(_ namespace: String, auth: SocketIOAuth? = nil) -> SocketIOClient {
        let name = namespace.first == "/" ? namespace : "/" + namespace
        var configuration = self.configuration
        configuration.auth = auth ?? self.auth
        let manager = self.core.manager
        if manager.claim(name) {
            return SocketIOClient(name, manager: manager, configuration, failure: self.core.configurationError)
        }
        let settings = ConnectionSettings(url: manager.settings.url, configuration: configuration)
        return SocketIOClient(name, settings, auth: nil, failure: self.core.configurationError)
    }

    // MARK: What it is

    /// The name of its namespace, `/` or one that begins so.
    public var namespace: String { self.core.name }

    /// The id that the server has given it; nil while it is not connected. The server may give another with the next connection.
    public var id: String? { self.core.shared.withLock { $0.id } }

    /// Whether it is connected to its namespace.
    public var connected: Bool { self.state == .connected }

    /// Whether it is not.
    public var disconnected: Bool { !self.connected }

    /// Whether it is connected or tries to be.
    public var active: Bool { self.core.shared.withLock { $0.isActive } }

    /// Whether this connection goes on where the last one was lost: the server has sent what was missed. See "Connection
    /// state recovery" in the Socket.IO documentation.
    public var recovered: Bool { self.core.shared.withLock { $0.recovered } }

    /// Why it does not, if the server could not let it go on: events may be missing. Only servers of this package say so; nil from
    /// others, also when there is a gap, and where there was nothing to go on with.
    public var recoveryFailure: RecoveryFailure? { self.core.shared.withLock { $0.recoveryFailure } }

    /// The transport of its connection, if there is one.
    public var transport: SocketIOClientConfiguration.Transport? { self.core.manager.transport }

    /// What it shows of itself when it joins its namespace. A change counts from the next attempt.
    public var auth: SocketIOAuth {
        get { self.core.shared.withLock { $0.auth } }
        set {
            // The old one may hold what calls back when it is released.
            let old = self.core.shared.withLock { shared in
                let old = shared.auth
                shared.auth = newValue
                return old
            }
            _ = old
        }
    }

    /// What it does at the moment.
    public var state: SocketIOClientState { self.core.shared.withLock { $0.state } }

    /// What it does, from now on: the state there is, then each change. Of those that nobody has taken yet the latest 64 are
    /// kept. Ends with the client.
    public var states: AsyncStream<SocketIOClientState> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: SocketIOClientState.self, bufferingPolicy: .bufferingNewest(64))
        let core = self.core
        let number = core.shared.withLock { shared -> Int in
            continuation.yield(shared.state)
            shared.nextObserver += 1
            shared.observers[shared.nextObserver] = continuation
            return shared.nextObserver
        }
        continuation.onTermination = { [weak core] _ in
            _ = core?.shared.withLock { $0.observers.removeValue(forKey: number) }
        }
        return stream
    }

    // MARK: Connecting

    /// Connects, and returns once the client is connected, at once if it is.
    ///
    /// It waits for as many attempts as it takes and throws when no further attempt is made, or is of no use before something is
    /// changed. The client goes on trying if the configuration says so and the server has not refused it, until ``disconnect()`` is
    /// called. A task that is cancelled stops waiting, no more.
    /// - Parameter timeout: how long to wait. Default nil: for ever.
    /// - Throws: ``SocketIOCore/ConnectError`` if the server refuses the client, with its `message` and `data`;
    ///   ``EngineIOClient/EngineClientError`` for what is wrong with the connection; ``SocketIOCore/SocketIOError`` with the codes `authFailed`,
    ///   `connectTimeout` (its cause is why the last attempt failed), `unsupportedProtocol`, or `disconnected` when ``disconnect()`` was
    ///   called; `CancellationError`.
    public func connect(timeout: Duration? = nil) async throws {
        let core = self.core
        let id = core.makeWaiterID()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                core.manager.execute { core.wait(id, timeout: timeout) { continuation.resume(with: $0) } }
                if Task.isCancelled { core.manager.execute { core.endWait(id, .failure(CancellationError())) } }
            }
        } onCancel: {
            core.manager.execute { core.endWait(id, .failure(CancellationError())) }
        }
    }

    /// Begins to connect, and does not wait for it. Nothing happens if it is connected or tries to be.
    public func open() {
        let core = self.core
        core.manager.execute { core.activate() }
    }

    /// Leaves the namespace, and returns when all of the client is over: what was emitted before has been sent, as far as
    /// ``SocketIOClientConfiguration/closeTimeout`` allows, and its handlers, which are cancelled, have ended, with those that
    /// ``onDisconnect(_:)`` has started. None starts after that until the client is used again. The connection ends if it was the last namespace; one that other
    /// clients use is not awaited. The client stays disconnected until ``connect(timeout:)`` or ``open()`` is called.
    ///
    /// Called from a handler of the client, or from a task that one has made, it cancels the others and awaits no handler. In places
    /// that can't wait, such as a `deinit` or a button's action, the same call without `await` is the other form of it, which only
    /// begins to disconnect.
    public func disconnect() async {
        let core = self.core
        let caller = RunningHandlers.caller
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            core.manager.execute {
                core.close(caller: caller) {
                    core.manager.execute { core.manager.whenClosed { continuation.resume() } }
                }
            }
        }
    }

    /// Begins to leave the namespace, and does not wait for it: for places that can't. Where the compiler demands an `await` it is the
    /// other form that is called, which returns when all is over.
    ///
    /// What was emitted before is sent before that, if the client is connected. Handlers that run go on, and those of
    /// ``onDisconnect(_:)`` are called; other events that have come are dropped. The connection ends if it was the last namespace. The
    /// client stays disconnected until ``connect(timeout:)`` or ``open()`` is called.
    public func disconnect() {
        let core = self.core
        core.manager.execute { core.leave() }
    }
}

extension SocketIOClient: CustomStringConvertible {
    public var description: String { "\(self.namespace)#\(self.id ?? "\(self.state)")" }
}
