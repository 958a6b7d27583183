import Logging
import Synchronization

/// Says once for each kind what is wrong with messages of others: strangers decide how many of them there are.
final class ClusterComplaints: Sendable {
    private let said = Mutex<Set<String>>([])
    private let logger: Logger
    private let namespace: String

    /// Kinds are texts of this package; a bound all the same.
    private static var limit: Int { 100 }

    init(_ logger: Logger, namespace: String) {
        self.logger = logger
        self.namespace = namespace
    }

    /// - Parameter kind: What is wrong: a text that holds nothing of the message.
    func log(_ kind: String, channel: String) {
        let isNew = self.said.withLock { $0.count < Self.limit && $0.insert(kind).inserted }
        guard isNew else { return }
        self.logger.warning(
            "a message of another server is ignored, and so are others like it",
            metadata: [
                "socketio.namespace": "\(self.namespace)", "socketio.channel": "\(channel.prefix(200))",
                "socketio.error": "\(kind)",
            ]
        )
    }

    /// How many kinds were told.
    var count: Int { self.said.withLock { $0.count } }
}
