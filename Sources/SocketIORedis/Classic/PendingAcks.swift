import SocketIO
import SocketIOCore
import Synchronization

/// Broadcasts of this server whose acknowledgements are collected, by the id of the request.
final class PendingAcks: Sendable {
    private let collectors = Mutex<[String: AckCollector]>([:])

    /// Each is removed when its caller waits no more.
    func add(_ collector: AckCollector, _ id: String) { self.collectors.withLock { $0[id] = collector } }

    func remove(_ id: String) {
        let collector = self.collectors.withLock { $0.removeValue(forKey: id) }
        _ = collector
    }

    subscript(id: String) -> AckCollector? { self.collectors.withLock { $0[id] } }

    /// Ends all with what has come.
    func finishAll() {
        let collectors = self.collectors.withLock { Array($0.values) }
        for collector in collectors { collector.finish() }
    }

    var count: Int { self.collectors.withLock { $0.count } }
}
