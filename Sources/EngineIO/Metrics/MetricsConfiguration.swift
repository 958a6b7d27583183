public import Metrics

/// Which metrics system a server tells what it does, and under which names. `OBSERVABILITY.md` lists the metrics.
///
/// Packets and bytes are counted by each event loop for itself and told once in ``interval``; what is rare, and durations, are
/// told at once.
public struct MetricsConfiguration: Sendable {
    /// Makes the metrics. Default nil: that of `MetricsSystem`, as it is when the server is made.
    public var factory: (any MetricsFactory)?
    /// What the names begin with, an underscore follows. Default `socketio`.
    public var prefix: String
    /// Dimensions (labels) of all metrics, such as the name of the server. Two servers of one process need different ones, or
    /// different prefixes: else the gauges of one replace those of the other. Default none.
    public var dimensions: [(String, String)]
    /// How often counts and gauges are told. Default 1 s.
    public var interval: Duration

    /// The defaults above.
    public init(factory: (any MetricsFactory)? = nil) {
        self.factory = factory
        self.prefix = "socketio"
        self.dimensions = []
        self.interval = .seconds(1)
    }
}
