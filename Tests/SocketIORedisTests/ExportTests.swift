import SocketIORedis
import Testing

struct ExportTests {
    /// One import is enough for a server on Redis.
    @Test func oneImport() { #expect(RedisState.connecting.isUsable == SocketIOServer().isNothing) }
}

extension SocketIOServer { fileprivate var isNothing: Bool { self.connectionCount != 0 } }
