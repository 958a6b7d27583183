import Tracing

// The spans of those namespaces that are being joined.
extension ClientConnection {
    func beginConnectSpan(_ namespace: String) {
        guard let tracing = self.server.observation?.tracing else { return }
        self.connectSpans[namespace] = tracing.beginConnect(namespace, self.session)
    }

    func endConnectSpan(_ namespace: String, _ error: (any Error)? = nil) {
        guard !self.connectSpans.isEmpty, let span = self.connectSpans.removeValue(forKey: namespace) else { return }
        if self.connectSpans.isEmpty { self.connectSpans = [:] }
        if let error { span.end(failing: error) } else { span.end() }
    }

    /// The connection has ended before it was decided who may join.
    func endConnectSpans() {
        guard !self.connectSpans.isEmpty else { return }
        let spans = self.connectSpans
        self.connectSpans = [:]
        for span in spans.values { span.end(failing: Socket.isDisconnected) }
    }

    /// Does something, such as starting a task, below the span of a namespace that is being joined.
    func withConnectSpan(_ namespace: String, _ body: () -> Void) {
        guard !self.connectSpans.isEmpty, let span = self.connectSpans[namespace] else { return body() }
        ServiceContext.$current.withValue(span.context) { body() }
    }
}
