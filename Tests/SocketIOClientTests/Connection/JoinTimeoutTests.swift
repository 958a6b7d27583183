import SocketIOCore
import TestSupport
import Testing

@testable import SocketIOClient

/// A server that does not answer CONNECT.
struct JoinTimeoutTests {
    private let network = FakeNetwork()
    private let record = Recorder()

    private var configuration: SocketIOClientConfiguration {
        var configuration = SocketIOClientConfiguration.quick
        configuration.joinTimeout = .milliseconds(20)
        configuration.autoConnect = false
        return configuration
    }

    @Test func anotherConnectionIsTried() async throws {
        let client = self.network.client("/", self.configuration)
        self.record.watch(client)
        let result = Task { try await client.connect() }
        let first = try await self.network.next()
        first.handshake()
        #expect(try await first.next() == "0")
        try await first.waitFor(call: "close")
        // As many as it takes, on a machine that is busy.
        let server = Task { while true { try await self.network.next().join() } }
        try await result.value
        server.cancel()
        #expect(
            try await self.record.wait(count: 3).prefix(3) == [
                "connect_error join_timeout", "reconnect_attempt 1", "reconnect 1",
            ])
        // No time runs after the answer.
        #expect(try await client.pendingCount == 0)
        #expect(client.connected)
    }

    @Test func isThrownWhenNothingMoreIsTried() async throws {
        var configuration = self.configuration
        configuration.reconnection.isEnabled = false
        let client = self.network.client("/slow", configuration)
        let result = Task { try await client.connect() }
        try await self.network.next().handshake()
        let error = await #expect(throws: SocketIOError.self) { try await result.value }
        #expect(error?.code == .joinTimeout)
        #expect(error?.message.contains("/slow") == true)
        #expect(!client.active)
    }

    /// Others that use the connection are left alone.
    @Test func aSharedConnectionStays() async throws {
        let manager = self.network.manager()
        let root = self.network.client(on: manager)
        let slow = self.network.client("/slow", on: manager, self.configuration)
        self.record.watch(slow)
        let engine = try await self.network.next()
        try await engine.join()
        try await root.connect()
        slow.open()
        #expect(try await engine.next() == "0/slow,")
        try await eventually { self.record.count("connect_error join_timeout") >= 2 }
        #expect(root.connected)
        #expect(!engine.wasClosed)
        // Late, but welcome.
        engine.receive(#"0/slow,{"sid":"s"}"#)
        try await slow.connect()
        #expect(engine.sent.value == [])
    }

    @Test func aClientThatHasLeftIsNotConcerned() async throws {
        var configuration = self.configuration
        configuration.joinTimeout = .seconds(600)
        let client = self.network.client("/", configuration)
        self.record.watch(client)
        client.open()
        let engine = try await self.network.next()
        engine.handshake()
        #expect(try await engine.next() == "0")
        #expect(try await client.pendingCount == 1)
        await client.disconnect()
        try await engine.waitFor(call: "close")
        #expect(try await client.pendingCount == 0)
        #expect(self.record.all == [])
        #expect(self.network.count == 1)
    }
}
