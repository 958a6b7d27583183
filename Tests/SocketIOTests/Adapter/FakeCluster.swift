import SocketIO
import Synchronization

/// Adapters of several servers in one process. What one sends to another is made of values, as if it crossed a network, but
/// for errors and delays.
final class FakeCluster: Sendable {
    private let nodes = Mutex<[Node]>([])

    /// The factory of one server.
    func server() -> AdapterFactory {
        { context in Node(context, cluster: self) }
    }

    fileprivate func join(_ node: Node) { self.nodes.withLock { $0.append(node) } }

    fileprivate func leave(_ node: Node) { self.nodes.withLock { $0.removeAll { $0 === node } } }

    fileprivate func all(_ namespace: String) -> [Node] {
        self.nodes.withLock { $0 }.filter { $0.context.namespace == namespace }
    }

    /// Number of adapters that were started and not closed.
    var count: Int { self.nodes.withLock { $0.count } }

    /// One namespace of one server.
    final class Node: Adapter {
        let context: AdapterContext
        private let cluster: FakeCluster

        init(_ context: AdapterContext, cluster: FakeCluster) {
            self.context = context
            self.cluster = cluster
        }

        private var all: [Node] { self.cluster.all(self.context.namespace) }
        private var others: [Node] { self.all.filter { $0 !== self } }

        func start() { self.cluster.join(self) }

        func close() async { self.cluster.leave(self) }

        func broadcast(_ packet: BroadcastPacket, to target: BroadcastTarget) {
            self.context.local.broadcast(packet, to: target)
            self.eachOther(packet) { $0.broadcast($1, to: target) }
        }

        func broadcastWithAck(_ packet: BroadcastPacket, to target: BroadcastTarget, collector: AckCollector) {
            collector.expectServers(self.all.count)
            self.context.local.broadcastWithAck(packet, to: target, collector: collector)
            self.eachOther(packet) { local, packet in
                let count = local.broadcastWithAck(packet, to: target, timeout: target.flags.timeout ?? .seconds(5)) {
                    collector.receive($0)
                }
                collector.expectAnswers(count: count)
            }
        }

        func fetchSockets(_ target: BroadcastTarget) async throws -> ClusterAnswer<SocketDescription> {
            ClusterAnswer(self.all.flatMap { $0.context.local.describeSockets(target) })
        }

        func socketsJoin(_ rooms: [Room], _ target: BroadcastTarget) {
            for node in self.all { node.context.local.socketsJoin(rooms, target) }
        }

        func socketsLeave(_ rooms: [Room], _ target: BroadcastTarget) {
            for node in self.all { node.context.local.socketsLeave(rooms, target) }
        }

        func disconnectSockets(_ target: BroadcastTarget, close: Bool) {
            for node in self.all { node.context.local.disconnectSockets(target, close: close) }
        }

        func serverSideEmit(_ packet: BroadcastPacket) {
            guard let arguments = try? packet.arguments() else { return }
            for node in self.others { node.context.receiveServerSideEvent(packet.event, arguments, nil) }
        }

        func serverSideEmitWithAck(
            _ packet: BroadcastPacket, timeout: Duration?
        ) async throws -> ClusterAnswer<SocketIOValue> {
            let arguments = try packet.arguments()
            return await withTaskGroup(of: SocketIOValue?.self) { group in
                for node in self.others {
                    group.addTask {
                        await withCheckedContinuation { continuation in
                            node.context.receiveServerSideEvent(packet.event, arguments) {
                                continuation.resume(returning: $0)
                            }
                        }
                    }
                }
                return ClusterAnswer(await group.reduce(into: []) { if let value = $1 { $0.append(value) } })
            }
        }

        func serverCount() async throws -> Int { self.all.count }

        /// The packet is encoded anew from its arguments, as another server would have to.
        private func eachOther(_ packet: BroadcastPacket, _ body: (LocalAdapter, BroadcastPacket) -> Void) {
            do {
                let arguments = try packet.arguments()
                let copy = try BroadcastPacket(
                    event: packet.event, arguments: arguments, namespace: self.context.namespace)
                for node in self.others { body(node.context.local, copy) }
            } catch {
                // A packet that was encoded here can be read here.
            }
        }
    }
}
