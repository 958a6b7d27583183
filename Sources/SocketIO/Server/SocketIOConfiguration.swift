import EngineIO
import SocketIOCore

/// The settings of a Socket.IO server. The defaults are those of the reference implementation where it has the setting.
public struct SocketIOConfiguration: Sendable {
    /// The host name or address that ``SocketIOServer/run()`` listens on. Default `127.0.0.1`.
    public var host: String
    /// The port that ``SocketIOServer/run()`` listens on. Default 3000; 0 lets the system choose.
    public var port: Int
    /// The settings of the transport: path (`/socket.io/`), transports, heartbeat, CORS, TLS, limits in bytes.
    public var engine: EngineIOConfiguration
    /// Time within which a client must have joined a namespace. Default 45 s. Then its connection is closed.
    public var connectTimeout: Duration
    /// Time within which the attachments of a packet must have come. Default 20 s. Then the connection is closed.
    public var attachmentsTimeout: Duration
    /// Most attachments of a packet. Default 10, as in current JavaScript clients. More close the connection.
    public var maxAttachments: Int
    /// Deepest nesting of arrays and objects in what clients send. Default 128. Deeper closes the connection.
    public var maxDepth: Int
    /// Most arguments of an event. Default 1000. More close the connection.
    public var maxArguments: Int
    /// Most bytes of the attachments of a packet, in all. Default nil: what `maxAttachments` messages of `engine.maxPayload` hold,
    /// 10 MB at least. More close the connection.
    public var maxAttachmentBytes: Int?
    /// How many async handlers of one client may run at a time, about (an event may start several), 1 at least. Default 1000.
    ///
    /// What the client sends meanwhile waits for one of them to end, up to
    /// ``EngineIO/EngineIOConfiguration/maxInboundQueueBytes``; over that it is disconnected. That is true of a DISCONNECT too, but
    /// not of acknowledgements. So a handler must not wait for another event of its client if as many of them may run as are
    /// allowed. What still waits when the connection ends is dropped, and the error hook told.
    public var maxRunningHandlers: Int
    /// Most namespaces of one dynamic namespace. Default 10,000. Clients that ask for further ones are refused.
    public var maxChildNamespaces: Int
    /// Most namespaces that a client may join over one connection. Default 100. Further ones are refused.
    public var maxNamespacesPerConnection: Int
    /// Most rooms that a socket may be in, that of its own id not counted. Default 10,000.
    public var maxRoomsPerSocket: Int
    /// How packets are written, for all clients of this server. Default ``SocketIOCore/ParserChoice/json``. Clients must have the same.
    public var parser: ParserChoice
    /// How many events a socket may send in a time. Default nil: no limit. Acknowledgements don't count. What is dropped, or the
    /// end of a connection because of it, is told to the error hooks (`rateLimited`) and to `engine.onLimit`. With
    /// the policy `wait` all sockets of the connection wait; acknowledgements that have been read are let through.
    ///
    /// It counts events that have been read and decoded; `engine.messageRate` and `engine.byteRate` come before that. These can't
    /// have the policy `drop` here, which would tear packets from their attachments.
    public var eventRate: RateLimit?
    /// How many times a client may ask to join a namespace in a time, over one connection. Default nil: no limit, but for that of
    /// `maxNamespacesPerConnection` at a time. With the policy `drop` what is over it is refused, with `wait` all of the connection
    /// waits. Refusals and ends of connections are told to `engine.onLimit`. A client asks once for each of its namespaces when it
    /// connects: leave room for that in `burst`.
    public var connectRate: RateLimit?
    /// Whether a namespace of a dynamic one is removed when its last client has left. Default false.
    public var cleanupEmptyChildNamespaces: Bool
    /// How ``SocketIOServer/run()`` ends at a graceful shutdown. Default nil: all clients are disconnected at once.
    public var drain: DrainConfiguration?
    /// How clients that lose their connection can go on where they had stopped. Default nil: they start anew.
    public var connectionStateRecovery: ConnectionStateRecovery?
    /// Makes the adapter of each namespace. Default ``InMemoryAdapter``.
    public var adapter: AdapterFactory
    /// Called for what goes wrong in handlers and with what is sent; see ``Namespace/onError(_:)``. Default: it is logged.
    public var onError: (@Sendable (any Error, Socket?) -> Void)?
    /// Distributed tracing. Default nil: none.
    public var tracing: TracingConfiguration?
    /// A directory with the files of the JavaScript client (`socket.io.js`, `socket.io.min.js`, …), served below the path:
    /// `/socket.io/socket.io.js`. Default none.
    public var clientDirectory: String?

    /// The defaults above.
    public init(host: String = "127.0.0.1", port: Int = 3000) {
        self.host = host
        self.port = port
        self.engine = EngineIOConfiguration(path: "/socket.io/")
        self.connectTimeout = .seconds(45)
        self.attachmentsTimeout = .seconds(20)
        self.maxAttachments = 10
        self.maxDepth = 128
        self.maxArguments = 1000
        self.maxAttachmentBytes = nil
        self.maxRunningHandlers = 1000
        self.maxChildNamespaces = 10_000
        self.maxNamespacesPerConnection = 100
        self.maxRoomsPerSocket = 10_000
        self.parser = .json
        self.eventRate = nil
        self.connectRate = nil
        self.cleanupEmptyChildNamespaces = false
        self.drain = nil
        self.connectionStateRecovery = nil
        self.adapter = { InMemoryAdapter($0) }
        self.onError = nil
        self.tracing = nil
        self.clientDirectory = nil
    }
}
