import SocketIOClient
import TestSupport

/// What happened, in order.
final class Recorder: Sendable {
    private let entries = Awaited<[String]>([]) { "\($0)" }

    func add(_ entry: String) { self.entries.update { $0.append(entry) } }

    var all: [String] { self.entries.value }

    func count(_ entry: String) -> Int { self.all.count { $0 == entry } }

    /// Waits until there are so many entries, and returns all.
    @discardableResult
    func wait(count: Int, timeout: Duration = defaultTimeout) async throws -> [String] {
        try await self.entries.wait("\(count) entries", timeout: timeout) { $0.count >= count ? $0 : nil }
    }

    func wait(for entry: String, timeout: Duration = defaultTimeout) async throws {
        try await self.entries.wait("the entry \"\(entry)\"", timeout: timeout) { $0.contains(entry) ? true : nil }
    }

    /// Records what happens to a client.
    func watch(_ client: SocketIOClient) {
        client.onConnect { [weak client] in self.add("connect \(client?.recovered == true ? "recovered" : "new")") }
        client.onDisconnect { self.add("disconnect \($0.reason) \($0.willReconnect)") }
        client.onConnectError { self.add("connect_error \(code(of: $0))") }
        client.onReconnectAttempt { self.add("reconnect_attempt \($0)") }
        client.onReconnect { self.add("reconnect \($0)") }
        client.onReconnectError { self.add("reconnect_error \(code(of: $0))") }
        client.onReconnectFailed { self.add("reconnect_failed") }
        client.onError { self.add("error \(code(of: $0))") }
    }
}

/// What kind of error it is, in one word or a few.
func code(of error: any Error) -> String {
    switch error {
    case let error as SocketIOError: error.code.rawValue
    case let error as EngineClientError: error.code.rawValue
    case let error as ConnectError: "refused: \(error.message)"
    default: "\(error)"
    }
}

/// The kind of error that a call throws; nil if it throws none.
func thrown(
    isolation: isolated (any Actor)? = #isolation,
    _ body: () async throws -> Void
) async -> String? {
    do {
        try await body()
        return nil
    } catch {
        return code(of: error)
    }
}

struct TestError: Error, Equatable {}
