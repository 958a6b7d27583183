/// How a ``RedisAdapter`` uses Redis. All servers and emitters of a cluster must agree on the key.
public struct RedisAdapterOptions: Sendable {
    /// What the names of all channels begin with. Clusters with different keys do not meet. Default: `socket.io`.
    public var key = "socket.io"
    /// How long the answers of other servers are waited for, where the call does not say it. Default: 5 seconds.
    public var requestsTimeout: Duration = .seconds(5)
    /// Whether answers to other servers are published for the one that asks only, rather than for all. All servers understand
    /// both. Default: false, since servers older than version 7.1 of the Node.js adapter hear only the latter.
    public var publishesOnSpecificResponseChannel = false

    public init() {}
}
