import SocketIO
import SocketIOTesting
import TestSupport
import Testing

/// The suite for adapters: what is right passes, and what is wrong does not.
@Suite struct AdapterSuiteTests {
    @Test(arguments: AdapterSuite.Check.allCases) func inMemory(_ check: AdapterSuite.Check) async throws {
        try await AdapterSuite(servers: 1, patience: defaultTimeout) { _ in [{ InMemoryAdapter($0) }] }.run(check)
    }

    @Test(arguments: AdapterSuite.Check.allCases) func cluster(_ check: AdapterSuite.Check) async throws {
        let suite = AdapterSuite(servers: 3, patience: defaultTimeout) { count in
            let cluster = FakeCluster()
            return (0..<count).map { _ in cluster.server() }
        }
        try await suite.run(check)
    }

    /// Servers that do not know of each other are no cluster.
    @Test func separateServersFail() async throws {
        let suite = AdapterSuite(servers: 2, patience: .milliseconds(100)) { count in
            (0..<count).map { _ in { InMemoryAdapter($0) } }
        }
        do {
            try await suite.run()
            Issue.record("passed")
        } catch let failure as AdapterSuiteFailure {
            #expect(failure.check == .broadcast)
            #expect("\(failure)".contains("server 0 to count 2 servers in /"), "\(failure)")
        }
        let wrong = AdapterSuite(servers: 2) { _ in [] }
        await #expect(throws: AdapterSuiteFailure.self) { try await wrong.run(.rooms) }
    }

    /// An adapter that claims two servers and sends nothing to the other one fails all checks that need one.
    @Test(arguments: [
        AdapterSuite.Check.broadcast, .rooms, .arguments, .order, .acknowledgements, .fetchSockets, .joinAndLeave,
        .disconnectSockets, .serverSideEmit, .serverSideEmitWithAck, .namespaces,
    ]) func deafClusterFails(_ check: AdapterSuite.Check) async throws {
        let suite = AdapterSuite(servers: 2, patience: .milliseconds(300)) { count in
            (0..<count).map { _ in { Deaf(local: InMemoryAdapter($0)) } }
        }
        await #expect(throws: (any Error).self) { try await suite.run(check) }
    }
}

/// Says that there are two servers, and knows one.
private struct Deaf: Adapter {
    let local: InMemoryAdapter

    func start() {}
    func close() async {}
    func broadcast(_ packet: BroadcastPacket, to target: BroadcastTarget) { self.local.broadcast(packet, to: target) }
    func broadcastWithAck(_ packet: BroadcastPacket, to target: BroadcastTarget, collector: AckCollector) {
        self.local.broadcastWithAck(packet, to: target, collector: collector)
    }
    func fetchSockets(_ target: BroadcastTarget) async throws -> ClusterAnswer<SocketDescription> {
        try await self.local.fetchSockets(target)
    }
    func socketsJoin(_ rooms: [Room], _ target: BroadcastTarget) { self.local.socketsJoin(rooms, target) }
    func socketsLeave(_ rooms: [Room], _ target: BroadcastTarget) { self.local.socketsLeave(rooms, target) }
    func disconnectSockets(_ target: BroadcastTarget, close: Bool) {
        self.local.disconnectSockets(target, close: close)
    }
    func serverSideEmit(_ packet: BroadcastPacket) {}
    func serverSideEmitWithAck(
        _ packet: BroadcastPacket, timeout: Duration?
    ) async throws -> ClusterAnswer<SocketIOValue> { ClusterAnswer([]) }
    func serverCount() async throws -> Int { 2 }
}
