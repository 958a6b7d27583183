import EngineIO

extension SocketIOConfiguration {
    /// The metrics of the server and of its transport: that of ``engine``. Default nil: none.
    public var metrics: MetricsConfiguration? {
        get { self.engine.metrics }
        set { self.engine.metrics = newValue }
    }
}
