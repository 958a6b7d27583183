extension SocketIOServer {
    /// How the server is now.
    ///
    /// - Parameter timeout: How long event loops may take to answer; it returns after that at the latest. What takes a loop longer
    ///   than that is in the way of all clients of that loop.
    public func health(timeout: Duration = .seconds(1)) async -> ServerHealth {
        let (_, engine) = self.life
        var loops = 0
        var answering = 0
        if let engine, let answers = await engine.answeringLoops(within: timeout) {
            loops = engine.loops.count
            answering = answers
        }
        let namespaces = self.namespaces.values
        return ServerHealth(
            phase: self.life.phase,
            sessions: engine?.sessionCount ?? 0,
            sockets: namespaces.reduce(0) { $0 + $1.local.socketCount },
            loops: loops,
            answeringLoops: answering,
            adapterProblems: Self.adapterProblems(namespaces)
        )
    }

    /// One line for each reason, however many namespaces it concerns.
    private static func adapterProblems(_ namespaces: some Sequence<Namespace>) -> [String] {
        var concerned: [String: [String]] = [:]
        for namespace in namespaces {
            if case .notReady(let reason) = namespace.adapter.status {
                concerned[reason, default: []].append(namespace.name)
            }
        }
        return concerned.sorted { $0.key < $1.key }.map { reason, names in
            let first = names.min() ?? ""
            let others = names.count > 1 ? " and \(names.count - 1) more" : ""
            return "adapter of \(first)\(others): \(reason)"
        }
    }
}
