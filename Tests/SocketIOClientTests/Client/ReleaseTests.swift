import SocketIOCore
import TestSupport
import Testing

@testable import SocketIOClient

/// Nothing of a client is left when its last reference goes: no retain cycle between it, its connection and its handlers.
struct ReleaseTests {
    private let network = FakeNetwork()

    /// What handlers hold.
    private final class Token: Sendable {}

    private final class Remains: @unchecked Sendable {
        weak var client: SocketIOClient?
        weak var core: ClientNamespace?
        weak var manager: Manager?
        weak var token: Token?

        var isEmpty: Bool { self.client == nil && self.core == nil && self.manager == nil && self.token == nil }
    }

    /// A client with a handler of each kind, all of which hold the token.
    private func make(_ remains: Remains) -> SocketIOClient {
        let token = Token()
        let client = self.network.client(
            "/",
            auth: SocketIOAuth { () async throws -> [String: String] in
                withExtendedLifetime(token) {}
                return [:]
            })
        let touch: @Sendable () -> Void = { withExtendedLifetime(token) {} }
        client.on("a") { [weak client] in
            touch()
            client?.emit("b")
        }
        client.on("ask") { [weak client] in
            touch()
            return try await client?.emitWithAck("never answered", as: Int.self)
        }
        client.once("b") { touch() }
        client.onAny { _, _ in touch() }
        client.onAnyOutgoing { _, _ in touch() }
        client.onConnect { touch() }
        client.onDisconnect { _ in touch() }
        client.onConnectError { _ in touch() }
        client.onReconnect { _ in touch() }
        client.onPing { touch() }
        client.onError { _ in touch() }
        remains.client = client
        remains.core = client.core
        remains.manager = client.core.manager
        remains.token = token
        return client
    }

    enum Moment: CaseIterable, Sendable {
        case atOnce, connecting, connected, handling, waiting, disconnected, closed
    }

    @Test(arguments: Moment.allCases)
    func nothingIsLeft(_ moment: Moment) async throws {
        let remains = Remains()
        var client: SocketIOClient? = self.make(remains)
        let states = try #require(client).states
        let events = try #require(client).events("a", as: Int.self)
        var engine: FakeEngine?
        if moment != .atOnce { engine = try await self.network.next() }
        if moment != .atOnce && moment != .connecting {
            try await engine?.join()
            try await client?.connect()
        }
        switch moment {
        case .atOnce, .connecting, .connected: break
        case .handling:
            engine?.receive(#"21["ask"]"#)
            #expect(try await engine?.next().hasSuffix(#"["never answered"]"#) == true)
        case .waiting:
            engine?.end()
            try await eventually { client?.connected == false }
            client?.emit("kept")
        case .disconnected: client?.leave()
        case .closed: await client?.disconnect()
        }
        client = nil
        // A handler that waits for an answer holds the client until it comes, or can't come any more.
        if moment == .handling { engine?.end() }
        // Both end with the client.
        for await _ in states {}
        for await _ in events {}
        engine = nil
        try await eventually("nothing is left of \(moment)") { remains.isEmpty }
    }
}
