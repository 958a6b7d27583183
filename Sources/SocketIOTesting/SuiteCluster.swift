import NIOCore
import SocketIO
import Synchronization

/// The servers and clients of one check.
final class SuiteCluster: Sendable {
    let suite: AdapterSuite
    let check: AdapterSuite.Check
    let servers: [SocketIOServer]
    private let ports: [Int]
    private let clients = Mutex<[SuiteClient]>([])

    init(_ suite: AdapterSuite, _ check: AdapterSuite.Check) async throws {
        let factories = try await suite.makeCluster(suite.servers)
        guard factories.count == suite.servers else {
            throw AdapterSuiteFailure(
                check: check, message: "makeCluster has made \(factories.count) factories for \(suite.servers) servers")
        }
        self.suite = suite
        self.check = check
        var servers: [SocketIOServer] = []
        var ports: [Int] = []
        for factory in factories {
            var configuration = SocketIOConfiguration()
            configuration.adapter = factory
            configuration.engine.eventLoopCount = 1
            let server = SocketIOServer(configuration: configuration)
            servers.append(server)
            ports.append(try await server.start(port: 0).port ?? 0)
        }
        self.servers = servers
        self.ports = ports
    }

    func close() async {
        for client in self.clients.withLock({ $0 }) { await client.close() }
        for server in self.servers { await server.close(timeout: .milliseconds(500)) }
    }

    // MARK: Waiting

    func fail(_ message: String) -> AdapterSuiteFailure { AdapterSuiteFailure(check: self.check, message: message) }

    func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
        guard condition else { throw self.fail(message()) }
    }

    /// Asks again and again until there is a value.
    func wait<Value>(
        for what: @autoclosure () -> String,
        isolation: isolated (any Actor)? = #isolation,
        _ body: () async throws -> Value?
    ) async throws -> Value {
        let deadline = ContinuousClock.now + self.suite.patience
        while ContinuousClock.now < deadline {
            if let value = try await body() { return value }
            try await Task.sleep(for: .milliseconds(2))
        }
        throw self.fail("waited \(self.suite.patience) for \(what())")
    }

    /// Waits until each server knows of all. Adapters may need some time to find each other.
    func waitUntilComplete(_ namespace: String = "/") async throws {
        for (index, server) in self.servers.enumerated() {
            try await self.waitForCount(self.servers.count, at: index, server.of(namespace))
        }
    }

    func waitForCount(_ count: Int, at index: Int, _ namespace: Namespace) async throws {
        _ = try await self.wait(for: "server \(index) to count \(count) servers in \(namespace.name)") {
            // An adapter may not be able to answer before it is connected.
            (try? await namespace.adapter.serverCount()) == count ? true : nil
        }
    }

    // MARK: Clients

    /// A client of each server.
    func connect(_ namespace: String = "/") async throws -> [SuiteClient] {
        var clients: [SuiteClient] = []
        for port in self.ports {
            let client = try await SuiteClient.connect(port: port, namespace: namespace)
            self.clients.withLock { $0.append(client) }
            _ = try await self.wait(for: "a client to join \(namespace)") {
                if let fault = client.state.withLock({ $0.fault }) { throw self.fail(fault) }
                return client.id
            }
            clients.append(client)
        }
        // Each is in the room of its id.
        try await self.settle()
        return clients
    }

    func id(_ client: SuiteClient) throws -> String {
        guard let id = client.id else { throw self.fail("a client has no id") }
        return id
    }

    /// Has a client's socket, on whatever server it is, join a room. The server is that of the client's index.
    func join(_ index: Int, _ client: SuiteClient, _ rooms: Room..., namespace: String = "/") throws {
        guard let socket = self.servers[index].of(namespace).socket(id: try self.id(client)) else {
            throw self.fail("socket \(index) is not on its server")
        }
        socket.join(rooms)
    }

    /// Waits until joins are in force for other servers.
    func settle() async throws { try await self.suite.settle?() }

    /// Sends a last event from a server and compares what each client has got before it, by name.
    func expect(
        _ expected: [[String]],
        at clients: [SuiteClient],
        from server: Int,
        namespace: String = "/",
        _ what: String
    ) async throws {
        self.servers[server].of(namespace).emit("the end")
        for (index, client) in clients.enumerated() {
            let events = try await self.events(of: client, index, what)
            try self.require(
                events.map(\.name) == expected[index],
                "\(what): client \(index) got \(events.map(\.name)) instead of \(expected[index])")
        }
    }

    func events(of client: SuiteClient, _ index: Int, _ what: String) async throws -> [SuiteClient.Received] {
        try await self.wait(for: "the last broadcast at client \(index), after \(what)") {
            client.takeEvents(upTo: "the end")
        }
    }
}
