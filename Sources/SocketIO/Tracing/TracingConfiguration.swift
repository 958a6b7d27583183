public import Tracing

/// To whom a server tells its spans. `OBSERVABILITY.md` lists them.
public struct TracingConfiguration: Sendable {
    /// Default nil: that of `InstrumentationSystem`, as it is when the server is made.
    public var tracer: (any Tracer)?
    /// Whether a trace that the headers of a client's first request name (such as `traceparent`) goes on here. Default false: any
    /// client could add to any trace, and have it recorded.
    public var continuesTraces: Bool

    /// The defaults above.
    public init(tracer: (any Tracer)? = nil) {
        self.tracer = tracer
        self.continuesTraces = false
    }
}
