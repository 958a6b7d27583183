import SocketIOCore

/// The adapter of a server that stands alone: everybody is here.
public struct InMemoryAdapter: Adapter {
    private let local: LocalAdapter

    public init(_ context: AdapterContext) {
        self.local = context.local
    }

    init(local: LocalAdapter) {
        self.local = local
    }

    public func start() {}

    public func close() async {}

    public func broadcast(_ packet: BroadcastPacket, to target: BroadcastTarget) {
        self.local.broadcast(packet, to: target)
    }

    public func broadcastWithAck(_ packet: BroadcastPacket, to target: BroadcastTarget, collector: AckCollector) {
        collector.expectServers(1)
        self.local.broadcastWithAck(packet, to: target, collector: collector)
    }

    public func fetchSockets(_ target: BroadcastTarget) async throws -> ClusterAnswer<SocketDescription> {
        ClusterAnswer(self.local.describeSockets(target))
    }

    public func socketsJoin(_ rooms: [Room], _ target: BroadcastTarget) {
        self.local.socketsJoin(rooms, target)
    }

    public func socketsLeave(_ rooms: [Room], _ target: BroadcastTarget) {
        self.local.socketsLeave(rooms, target)
    }

    public func disconnectSockets(_ target: BroadcastTarget, close: Bool) {
        self.local.disconnectSockets(target, close: close)
    }

    public func serverSideEmit(_ packet: BroadcastPacket) {}

    public func serverSideEmitWithAck(
        _ packet: BroadcastPacket, timeout: Duration?
    ) async throws -> ClusterAnswer<SocketIOValue> {
        ClusterAnswer([])
    }

    public func serverCount() async throws -> Int { 1 }
}
