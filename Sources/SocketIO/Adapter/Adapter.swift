import Logging
import NIOCore
import SocketIOCore

/// What carries broadcasts and queries to the other servers of a cluster: one for each namespace.
///
/// The rooms and sockets of this server live in its ``LocalAdapter``, to which the namespace talks itself. An adapter is told
/// what concerns the cluster, and calls the local adapter for this server's part. ``InMemoryAdapter`` is the one for a single
/// server. A suite that any adapter must pass is in the product `SocketIOTesting`.
public protocol Adapter: Sendable {
    /// Called once, when the namespace has come into being; one that was made for nothing (two clients asked for the same new
    /// name) is released without it. May connect in the background; it must not wait for a network.
    func start()
    /// Ends what ``start()`` has begun.
    func close() async
    /// Sends a packet to the sockets of all servers that `target` names. Delivery to this server's sockets happens before it
    /// returns, or in the order of the calls.
    func broadcast(_ packet: BroadcastPacket, to target: BroadcastTarget)
    /// As ``broadcast(_:to:)``, and asks each socket for an acknowledgement. `collector` is told how many servers there are,
    /// for each of them which or how many sockets were asked, and each answer; ``LocalAdapter/broadcastWithAck(_:to:collector:)``
    /// does so for this server.
    func broadcastWithAck(
        _ packet: BroadcastPacket,
        to target: BroadcastTarget,
        collector: AckCollector
    )
    /// The sockets of all servers that `target` names. Servers that don't answer in time are named in what is returned.
    func fetchSockets(_ target: BroadcastTarget) async throws -> ClusterAnswer<SocketDescription>
    /// Has them join rooms.
    func socketsJoin(_ rooms: [Room], _ target: BroadcastTarget)
    /// Has them leave rooms.
    func socketsLeave(_ rooms: [Room], _ target: BroadcastTarget)
    /// Disconnects them; with `close` their connections too.
    func disconnectSockets(_ target: BroadcastTarget, close: Bool)
    /// Sends an event to the other servers.
    func serverSideEmit(_ packet: BroadcastPacket)
    /// Sends an event to the other servers and returns their answers. `timeout` nil: the adapter's own.
    func serverSideEmitWithAck(_ packet: BroadcastPacket, timeout: Duration?) async throws -> ClusterAnswer<
        SocketIOValue
    >
    /// Number of servers, this one included.
    func serverCount() async throws -> Int
    /// Whether it reaches the other servers, as far as it knows now; it must not wait. Default: ready.
    var status: AdapterStatus { get }
}

/// What an adapter is made from.
public struct AdapterContext: Sendable {
    /// The namespace's name, with its slash.
    public let namespace: String
    /// The rooms and sockets of this server.
    public let local: LocalAdapter
    /// Hands an event of another server to the listeners of this one. `answer` takes the acknowledgement, at most once; nil if
    /// none is wanted.
    public let receiveServerSideEvent:
        @Sendable (_ event: String, _ arguments: [SocketIOValue], _ answer: (@Sendable (SocketIOValue?) -> Void)?) ->
            Void
    /// Tells the error hook of the namespace what the adapter could not do, such as an event that it could not pass on.
    public let report: @Sendable (_ error: any Error, _ event: String?) -> Void
    /// For what the adapter has to say to operators.
    public let logger: Logger
}

/// Makes the adapter of each namespace.
public typealias AdapterFactory = @Sendable (AdapterContext) -> any Adapter

/// Whom an operation concerns: the sockets in any of `rooms` (all of the namespace if there are none) that are in none of
/// `except`.
public struct BroadcastTarget: Sendable, Hashable {
    public var rooms: [Room]
    public var except: [Room]
    public var flags: BroadcastFlags

    public init(rooms: [Room] = [], except: [Room] = [], flags: BroadcastFlags = .init()) {
        self.rooms = rooms
        self.except = except
        self.flags = flags
    }
}

/// How a broadcast is to be sent.
public struct BroadcastFlags: Sendable, Hashable {
    /// Dropped for clients that can't be written to right now.
    public var volatile = false
    /// Only to sockets of this server.
    public var local = false
    /// Whether compression is wanted, for servers of the cluster that compress. nil: not said.
    public var compress: Bool?
    /// How long acknowledgements and queries may take. nil: the default.
    public var timeout: Duration?
    /// Takes the place of the last event with this key in what waits for a client of this server; other servers of a cluster
    /// know nothing of it. nil: an event like any other.
    public var conflationKey: String?
    /// Set by `socket.broadcast`, for servers of the cluster that look at it.
    public var broadcast = false
    /// Set for a socket of any server, of which there is one. Other servers look at it.
    package var expectsSingleResponse = false

    public init() {}
}

/// An event on its way to many sockets: its name, its arguments, and its frames, which are made once for all of them.
public struct BroadcastPacket: Sendable {
    /// The event's name.
    public let event: String
    package let encoded: EncodedPacket

    package init(event: String, encoded: EncodedPacket) {
        self.event = event
        self.encoded = encoded
    }

    /// An event with these arguments, for namespace `namespace`. Throws when the name is reserved or an argument can't be
    /// encoded.
    public init(event: String, arguments: [SocketIOValue], namespace: String) throws(SocketIOError) {
        self.event = event
        self.encoded = try PacketEncoder.event(event, namespace: namespace, id: nil, values: arguments)
    }

    /// The arguments, decoded anew at each call.
    public func arguments() throws -> [SocketIOValue] { try decodeOwnEvent(self.encoded).arguments }
}

/// A socket of any server, as ``Adapter/fetchSockets(_:)`` tells it.
public struct SocketDescription: Sendable {
    public let id: String
    public let handshake: Handshake
    public let rooms: Set<Room>
    public let data: [String: SocketIOValue]

    public init(id: String, handshake: Handshake, rooms: Set<Room>, data: [String: SocketIOValue]) {
        self.id = id
        self.handshake = handshake
        self.rooms = rooms
        self.data = data
    }
}
