import MetricsTestKit
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIO

/// Sessions that are kept elsewhere: looking for one costs something there, and anybody can make up ids.
@Suite struct SessionAdapterTests {
    /// Keeps nothing, and notes what it was asked for.
    private final class Store: SessionAdapter {
        private let inMemory: InMemoryAdapter
        private let asked: Recorder
        private let failure: RecoveryFailure

        init(_ context: AdapterContext, _ asked: Recorder, _ failure: RecoveryFailure) {
            self.inMemory = InMemoryAdapter(context)
            self.asked = asked
            self.failure = failure
        }

        func takeSession(pid: String) async throws -> LostSession {
            self.asked.add(pid)
            throw RecoveryError(self.failure)
        }

        func keepSession(_ session: LostSession, for duration: Duration) {}
        func position(of offset: String) -> RecoveryPosition? { nil }
        func missed(
            by session: LostSession, after position: RecoveryPosition, isFirst: Bool, limit: Int
        ) async throws -> MissedPackets { throw RecoveryError(.unavailable) }
        func afterPending(_ body: @escaping @Sendable () -> Void) { body() }

        func start() { self.inMemory.start() }
        func close() async { await self.inMemory.close() }
        func broadcast(_ packet: BroadcastPacket, to target: BroadcastTarget) {
            self.inMemory.broadcast(packet, to: target)
        }
        func broadcastWithAck(_ packet: BroadcastPacket, to target: BroadcastTarget, collector: AckCollector) {
            self.inMemory.broadcastWithAck(packet, to: target, collector: collector)
        }
        func fetchSockets(_ target: BroadcastTarget) async throws -> ClusterAnswer<SocketDescription> {
            try await self.inMemory.fetchSockets(target)
        }
        func socketsJoin(_ rooms: [Room], _ target: BroadcastTarget) { self.inMemory.socketsJoin(rooms, target) }
        func socketsLeave(_ rooms: [Room], _ target: BroadcastTarget) { self.inMemory.socketsLeave(rooms, target) }
        func disconnectSockets(_ target: BroadcastTarget, close: Bool) {
            self.inMemory.disconnectSockets(target, close: close)
        }
        func serverSideEmit(_ packet: BroadcastPacket) {}
        func serverSideEmitWithAck(
            _ packet: BroadcastPacket, timeout: Duration?
        ) async throws -> ClusterAnswer<SocketIOValue> { ClusterAnswer([]) }
        func serverCount() async throws -> Int { 1 }
    }

    private func run(
        _ failure: RecoveryFailure = .unknownSession,
        configure: (inout SocketIOConfiguration) -> Void = { _ in },
        _ body: (SocketIOServer, Int, Recorder) async throws -> Void
    ) async throws {
        let asked = Recorder()
        try await withServer {
            $0.connectionStateRecovery = .init()
            $0.adapter = { Store($0, asked, failure) }
            configure(&$0)
        } _: { io, port in
            try await body(io, port, asked)
        }
    }

    private func pid(_ number: Int) -> String { "AAAAAAAAAAAAAAAAAA\(10 + number)" }

    @Test func idsOfAnotherForm() async throws {
        try await self.run { io, port, asked in
            let long = String(repeating: "x", count: 256)
            for pid in [
                "", "x", "AAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAA+", "AAAAAAAAAAAAAAAAAAAAA", "ÄÄÄÄÄÄÄÄÄÄ", long,
            ] {
                let client = try await ReturningClient.join(port, auth: ["pid": pid])
                #expect(client.failure == "unknown_session" && client.pid?.count == 20)
                await client.close()
            }
            #expect(asked.all.isEmpty)
            // Ours, and one of the reference, which ends in a number.
            let other = try await ReturningClient.join(port)
            for pid in [try #require(other.pid), "paEPxYvnCi4Fd1OcAAAF"] {
                let client = try await ReturningClient.join(port, auth: ["pid": pid])
                #expect(client.failure == "unknown_session")
                #expect(asked.all.last == pid)
                await client.close()
            }
            await other.close()
        }
    }

    /// A connection has one session to continue in each namespace.
    @Test func onceForEachNamespace() async throws {
        try await self.run {
            $0.maxNamespacesPerConnection = 3
        } _: { io, port, asked in
            for name in ["/a", "/b", "/c"] { io.of(name).onConnection { _ in } }
            let client = try await join(port, auth: "{\"pid\":\"\(self.pid(0))\"}")
            for number in 1..<5 {
                try client.disconnect()
                let reply = try await client.connectForReply(auth: "{\"pid\":\"\(self.pid(number))\"}")
                #expect(reply.contains("unknown_session"))
            }
            #expect(asked.all == [self.pid(0)])
            for name in ["/a", "/b", "/c"] {
                try await client.connect(name, auth: "{\"pid\":\"\(self.pid(7))\"}")
                try client.disconnect(name)
            }
            // In as many namespaces as it may be in.
            #expect(asked.all == [self.pid(0), self.pid(7), self.pid(7)])
            await client.close()
            // Over another connection once more.
            let next = try await join(port, auth: "{\"pid\":\"\(self.pid(8))\"}")
            #expect(asked.all.last == self.pid(8))
            await next.close()
        }
    }

    /// So many come back at a time that it is not waited for all: it is told to the client, and counted.
    @Test func tooMany() async throws {
        let metrics = TestMetrics()
        try await self.run(.limited) {
            $0.metrics = MetricsConfiguration(factory: metrics)
        } _: { io, port, asked in
            let client = try await ReturningClient.join(port, auth: ["pid": self.pid(0)])
            #expect(client.failure == "limited" && !client.recovered)
            #expect(try await onlySocket(io.main).recoveryFailure == .limited)
            #expect(metrics.count("limits_exceeded_total", ("limit", "maxSessionSearches")) == 1)
            #expect(metrics.count("joins_total", ("result", "accepted")) == 1)
            await client.close()
        }
    }
}
