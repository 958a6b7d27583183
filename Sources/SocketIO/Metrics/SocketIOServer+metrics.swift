import EngineIO

extension SocketIOServer {
    /// Has this server's metrics told with those of its transport.
    func observe(_ engine: EngineIOServer) {
        guard let metrics = self.observation?.metrics else { return }
        engine.metrics?.onTelling { [weak self] in
            if let self { metrics.collect(self) }
        } counts: { counts, last in
            metrics.tell(counts, since: last)
        }
    }
}
