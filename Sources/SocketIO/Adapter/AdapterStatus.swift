/// Whether an adapter reaches the other servers, for probes and metrics.
public enum AdapterStatus: Sendable, Hashable {
    case ready
    /// Broadcasts to other servers wait or are lost; this server's own clients are served. `reason` is for people.
    case notReady(reason: String)

    public var isReady: Bool { self == .ready }
}

extension Adapter {
    /// Ready: for adapters that need nobody.
    public var status: AdapterStatus { .ready }
}
