import NIOCore

/// A server, with its connections. Of a Redis Cluster, a primary node.
///
/// `@unchecked Sendable`: confined to the event loop of the client.
final class Node: @unchecked Sendable {
    /// The connection that hears the messages of the channels of this node.
    struct Carrier {
        let connection: RESPConnection
        /// How many requests that renew subscriptions are not answered.
        var renewing = 0
        var probes: [Probe] = []
        /// Kinds that the user may not probe.
        var refusesProbes: Set<RedisChannel.Kind> = []
    }

    let id: Int
    let address: RedisAddress
    /// Whether commands go there. The server of the URL may only have been asked for those of the cluster.
    var isMember = false
    var carrier: Carrier?
    var isDraining = false
    private let core: ClientCore
    private(set) var commands: Link?
    private(set) var subscriptions: Link?
    private(set) var blocking: BlockingLane?

    init(id: Int, address: RedisAddress, _ core: ClientCore) {
        self.id = id
        self.address = address
        self.core = core
    }

    func openCommands() {
        let link = self.commands ?? Link(.commands, of: self, self.core)
        self.commands = link
        link.open()
    }

    func openSubscriptions() {
        let link = self.subscriptions ?? Link(.subscriptions, of: self, self.core)
        self.subscriptions = link
        link.open()
    }

    func openBlocking() -> BlockingLane {
        let lane = self.blocking ?? BlockingLane(Link(.blocking, of: self, self.core))
        self.blocking = lane
        return lane
    }

    func close(_ error: RedisError) {
        self.subscriptions?.close(error)
        self.blocking?.close(error)
        self.commands?.close(error)
        self.subscriptions = nil
        self.blocking = nil
        self.commands = nil
    }
}
