import Logging
import SocketIO
import Synchronization

/// Tells operators of each kind of trouble once: strangers must not fill the log.
final class Complaints: Sendable {
    enum Kind: String {
        case broadcast, request, response, peer, publish
    }

    private let noted = Mutex<Set<Kind>>([])
    private let logger: Logger
    private let namespace: String

    init(_ context: AdapterContext) {
        self.logger = context.logger
        self.namespace = context.namespace
    }

    /// Something of this kind was ignored, or could not be done. `channel`: where, if that is known.
    func note(_ kind: Kind, _ channel: String, _ reason: some Sendable) {
        guard self.noted.withLock({ $0.insert(kind).inserted }) else { return }
        self.logger.warning(
            kind == .publish
                ? "an answer may not have reached the other servers; no more of these are logged"
                : "a message of the cluster was ignored; others of this kind are not logged",
            metadata: [
                "socketio.namespace": "\(self.namespace)",
                "socketio.redis.kind": "\(kind.rawValue)",
                "socketio.redis.channel": "\(String(channel.prefix(256)))",
                "socketio.error": "\(String("\(reason)".prefix(256)))",
            ]
        )
    }

    /// The kinds that were told.
    var kinds: Set<Kind> { self.noted.withLock { $0 } }
}
