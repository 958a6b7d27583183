import Synchronization

/// The connections that clients may share, held weakly.
enum ManagerRegistry {
    private struct Entry: Sendable {
        let id: ObjectIdentifier
        weak var manager: Manager?
    }

    private static let entries = Mutex<[ConnectionSettings.Key: [Entry]]>([:])

    /// A connection with these settings on which `namespace` is free, claimed for the caller; a new one if there is none.
    static func manager(_ settings: ConnectionSettings, claiming namespace: String) -> Manager {
        if let shared = self.find(settings, claiming: namespace, orAdd: nil) { return shared }
        let manager = Manager(settings)
        _ = manager.claim(namespace)
        // Another thread may have made one meanwhile.
        return self.find(settings, claiming: namespace, orAdd: manager) ?? manager
    }

    private static func find(
        _ settings: ConnectionSettings, claiming namespace: String, orAdd manager: Manager?
    ) -> Manager? {
        let entry = manager.map { Entry(id: ObjectIdentifier($0), manager: $0) }
        // What is found is released outside the lock: it may be the last reference.
        let (shared, _) = self.entries.withLock { entries -> (Manager?, [Manager]) in
            let found = entries[settings.key, default: []].compactMap(\.manager)
            let shared = found.first { $0.settings.hasSameTLS(as: settings) && $0.claim(namespace) }
            if shared == nil, let entry { entries[settings.key, default: []].append(entry) }
            return (shared, found)
        }
        return shared
    }

    /// Forgets a connection that is going. It is known by its address, since looking at a weak reference under the lock could
    /// make it the last one.
    static func remove(_ id: ObjectIdentifier, _ key: ConnectionSettings.Key) {
        self.entries.withLock { entries in
            entries[key]?.removeAll { $0.id == id }
            if entries[key]?.isEmpty == true { entries[key] = nil }
        }
    }

    /// The number of connections (for tests).
    static var count: Int { self.entries.withLock { $0.values.reduce(0) { $0 + $1.count } } }
}
