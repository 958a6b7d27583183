import Foundation
import Logging
import RESP
import SocketIO
import SocketIOTesting
import TestSupport

/// A client of a real server, which comes back quickly.
func realClient(_ url: String, commandTimeout: Duration = .seconds(60)) throws -> RESPClient {
    var configuration = RESPConfiguration()
    configuration.backoff = .init(minimum: .milliseconds(10), maximum: .milliseconds(100))
    configuration.connectTimeout = .seconds(2)
    configuration.commandTimeout = commandTimeout
    configuration.probeTimeout = .seconds(60)
    return try RESPClient(
        url: url, configuration: configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
}

/// Runs a test with servers that have clients of their own of a real Redis.
func withRealNodes(
    _ urls: [String],
    commandTimeout: Duration = .seconds(60),
    isolation: isolated (any Actor)? = #isolation,
    _ factory: (any RedisClient) -> AdapterFactory,
    _ body: ([TestNode]) async throws -> Void
) async throws {
    let clients = try urls.map { try realClient($0, commandTimeout: commandTimeout) }
    let result: Result<Void, any Error>
    do {
        result = .success(try await withNodes(clients.map(factory), body))
    } catch {
        result = .failure(error)
    }
    for client in clients { await client.shutdown() }
    try result.get()
}

/// Runs one check of the suite with three servers that have clients of their own.
func runSuite(
    _ check: AdapterSuite.Check,
    _ urls: [String],
    _ factory: @escaping @Sendable (any RedisClient) -> AdapterFactory
) async throws {
    let clients = try urls.map { try realClient($0) }
    // Subscriptions of a client are confirmed in order: when this one is, all before it are. The channel is on the same node of a cluster.
    let settle: @Sendable () async throws -> Void = {
        for client in clients {
            let ready = Awaited(false)
            let subscription = client.subscribe(
                to: [RedisChannel(.shard, "{\(check)}:settle:\(UUID())")], onReady: { ready.update { $0 = true } },
                onMessage: { _ in })
            try await ready.wait("a subscription") { $0 ? true : nil }
            subscription.cancel()
        }
    }
    let suite = AdapterSuite(servers: urls.count, patience: defaultTimeout, settle: settle) { _ in clients.map(factory)
    }
    let result: Result<Void, any Error>
    do { result = .success(try await suite.run(check)) } catch { result = .failure(error) }
    for client in clients { await client.shutdown() }
    try result.get()
}
