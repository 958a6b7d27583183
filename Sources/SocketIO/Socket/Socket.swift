import EngineIO
import Logging
import NIOCore
import SocketIOCore
import Synchronization
import Tracing

/// One client in one namespace. See "The Socket instance (server-side)" in the Socket.IO documentation.
///
/// A socket is safe to use from anywhere. What it sends leaves in the order of the calls; its handlers are called one at a
/// time, on event loops: `connection` first, then events, then `disconnecting` and `disconnect` exactly once.
///
/// ## Topics
/// - Receiving: ``on(_:_:)``, ``once(_:_:)``, ``onAny(_:)``, ``use(_:)``, ``events(_:)``
/// - Sending: ``emit(_:_:)``, ``emitWithAck(_:_:timeout:as:)``, ``to(_:)``, ``broadcast``
/// - Rooms: ``join(_:)``, ``leave(_:)``, ``rooms``
/// - The end: ``disconnect(close:)``, ``onDisconnecting(_:)``, ``onDisconnect(_:)``
/// - After it: ``recovered``, ``recoveryFailure``
public final class Socket: Sendable {
    // What each packet touches comes first, so that it lies together.

    /// That of the connection.
    let session: EngineIOSession
    /// nil unless events are limited by time.
    let eventRate: EventRate?
    let listeners = ListenerBox()
    /// Whether anybody listens to what is sent; looked at for each packet.
    let hasOutgoingListeners = Atomic<Bool>(false)
    /// Whether the socket was disconnected or refused; looked at for each packet, where the lock would cost too much.
    let isGone = Atomic<Bool>(false)
    /// Whether the server disconnects it: it can't come back, whatever its connection does meanwhile.
    let isLeaving = Atomic<Bool>(false)
    /// The namespace it belongs to.
    public let namespace: Namespace
    /// The connection, which sockets of other namespaces may share.
    public let connection: ClientConnection
    /// 20 characters, unguessable. The socket is in the room of this name. That of a client of Socket.IO 2 is made of the session's
    /// id, a secret (``EngineIO/EngineIOConfiguration/allowEIO3``).
    public let id: String
    let state = Mutex<SocketState>(SocketState())
    /// Values kept with the socket.
    public let data = SocketData()
    /// How it came to be.
    public let handshake: Handshake
    /// Whether it goes on where a connection of the same client was lost: with that socket's id, rooms and ``data``, and the
    /// client has got what it has missed. See ``ConnectionStateRecovery``.
    public let recovered: Bool
    /// Why it does not, although the client has asked for it: the client may have missed events. It is told so too.
    public let recoveryFailure: RecoveryFailure?
    /// The private id of the session; nil if it can't be continued.
    let pid: String?
    /// The span in which it was connected, with tracing.
    let connectContext: ServiceContext?

    init(
        id: String,
        namespace: Namespace,
        connection: ClientConnection,
        handshake: Handshake,
        pid: String? = nil,
        recovered: Bool = false,
        recoveryFailure: RecoveryFailure? = nil,
        connectContext: ServiceContext? = nil
    ) {
        self.connectContext = connectContext
        self.pid = pid
        self.recovered = recovered
        self.recoveryFailure = recoveryFailure
        self.id = id
        self.namespace = namespace
        self.connection = connection
        self.session = connection.session
        self.eventRate = connection.countsEvents ? connection.makeEventRate() : nil
        self.handshake = handshake
    }

    /// Whether the socket is connected: true from before the `connection` handlers until the disconnection.
    public var connected: Bool { self.state.withLock { $0.phase == .connected } }

    /// Whether the socket was disconnected, or refused.
    public var disconnected: Bool { self.state.withLock { $0.phase == .disconnected } }

    /// The transport that serves the client now.
    public var transport: EngineIOTransport { self.session.transport }

    func report(_ error: any Error, event: String? = nil) {
        self.namespace.report(error, socket: self, event: event)
    }
}

extension Socket: CustomStringConvertible {
    public var description: String { "\(self.namespace.name)#\(self.id)" }
}

/// What changes about a socket.
struct SocketState: Sendable {
    enum Phase: Sendable {
        case connecting
        case connected
        case disconnected
    }

    var phase = Phase.connecting
    /// Rooms joined before the socket was connected: by middlewares.
    var earlyRooms: Set<Room> = []
    /// Who waits for an acknowledgement, by its id.
    var acks: [Int: PendingAck] = [:]
}

/// Somebody who waits for an acknowledgement. `complete` is called once, outside locks.
struct PendingAck: Sendable {
    let complete: @Sendable (Result<ArgumentReader, any Error>) -> Void
    var timer: Scheduled<Void>?
}
