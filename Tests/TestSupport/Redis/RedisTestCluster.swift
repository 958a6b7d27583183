/// A Redis Cluster of three primary nodes without replicas. Nodes serve their slots when others are missing.
package final class RedisTestCluster: Sendable {
    package let nodes: [RedisServer]
    /// The ids that the nodes have in the cluster.
    package let ids: [String]

    package var urls: [String] { nodes.map(\.url) }

    private init(nodes: [RedisServer], ids: [String]) {
        self.nodes = nodes
        self.ids = ids
    }

    /// Starts the nodes, joins them, and waits until all of them know all of it.
    package static func start() async throws -> RedisTestCluster {
        var options = RedisServer.Options()
        options.isClusterNode = true
        options.arguments = ["--cluster-node-timeout", "10000", "--cluster-require-full-coverage", "no"]
        var nodes: [RedisServer] = []
        var ids: [String] = []
        do {
            for index in 0..<3 {
                let node = try await RedisServer.start(options)
                nodes.append(node)
                try await node.command("CLUSTER", "SET-CONFIG-EPOCH", "\(index + 1)")
                let slots = initialSlots(of: index)
                try await node.command("CLUSTER", "ADDSLOTSRANGE", "\(slots.lowerBound)", "\(slots.upperBound)")
                ids.append(try await node.command("CLUSTER", "MYID").text ?? "")
            }
            for node in nodes.dropFirst() {
                try await nodes[0].command("CLUSTER", "MEET", "127.0.0.1", "\(node.port)")
            }
            let cluster = RedisTestCluster(nodes: nodes, ids: ids)
            try await cluster.waitUntilReady()
            return cluster
        } catch {
            for node in nodes { try? await node.stop() }
            throw error
        }
    }

    /// Slots that a node serves at first.
    package static func initialSlots(of index: Int) -> ClosedRange<Int> {
        [0...5460, 5461...10922, 10923...16383][index]
    }

    private func waitUntilReady() async throws {
        try await eventually("the cluster to be ready", timeout: .seconds(60)) {
            for node in nodes {
                let info = try await node.command("CLUSTER", "INFO").text ?? ""
                let slots = try await node.command("CLUSTER", "SLOTS").elements?.count
                guard info.contains("cluster_state:ok"), info.contains("cluster_slots_assigned:16384"), slots == 3
                else {
                    return false
                }
            }
            return true
        }
    }

    /// Gives a slot without keys to another node.
    package func move(slot: Int, from source: Int, to target: Int) async throws {
        // From a node that imports, the others believe it: its epoch becomes the highest.
        try await beginMoving(slot: slot, from: source, to: target)
        for index in [target, source] + nodes.indices.filter({ $0 != source && $0 != target }) {
            try await nodes[index].command("CLUSTER", "SETSLOT", "\(slot)", "NODE", ids[target])
        }
    }

    /// Begins to move a slot: keys that the source does not have are to be asked of the target.
    package func beginMoving(slot: Int, from source: Int, to target: Int) async throws {
        try await nodes[target].command("CLUSTER", "SETSLOT", "\(slot)", "IMPORTING", ids[source])
        try await nodes[source].command("CLUSTER", "SETSLOT", "\(slot)", "MIGRATING", ids[target])
    }

    package func stop() async throws {
        for node in nodes { try await node.stop() }
    }
}

/// Runs a body with a cluster, which is stopped afterwards.
package func withRedisCluster(
    isolation: isolated (any Actor)? = #isolation, _ body: (RedisTestCluster) async throws -> Void
) async throws {
    let cluster = try await RedisTestCluster.start()
    do {
        try await body(cluster)
    } catch {
        try? await cluster.stop()
        throw error
    }
    try await cluster.stop()
}
