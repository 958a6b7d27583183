/// How a server is, for the probes of whoever runs it. See ``SocketIOServer/health(timeout:)``.
public struct ServerHealth: Codable, Sendable, Hashable {
    /// Where a server is in its life.
    public enum Phase: String, Codable, Sendable, Hashable {
        /// It does not listen yet.
        case idle
        /// It listens and serves.
        case listening
        /// It is being closed: no new clients, those that are there get what was sent to them.
        case draining
        /// It is closed, for good.
        case closed
    }

    public let phase: Phase
    /// Whether the process does its work: all event loops have answered, or there are none. If not, and not soon, it should be
    /// restarted.
    public let isAlive: Bool
    /// Whether clients should be sent here: it listens and is alive. An adapter that is not ready does not count: all servers of a
    /// cluster would be taken away at once with their Redis, without which they serve their own clients well.
    public let isReady: Bool
    /// Engine.IO sessions, those that are being closed included.
    public let sessions: Int
    /// Sockets of all namespaces.
    public let sockets: Int
    /// Event loops.
    public let loops: Int
    /// Event loops that have answered in time. One that has not is busy, mostly with a handler that blocks.
    public let answeringLoops: Int
    /// Whether the adapters of all namespaces reach the other servers; with Redis: it is connected and subscribed.
    public let isAdapterReady: Bool
    /// What is not as it should be, in words; empty if all is well.
    public let problems: [String]

    init(
        phase: Phase, sessions: Int, sockets: Int, loops: Int, answeringLoops: Int, adapterProblems: [String]
    ) {
        var problems: [String] = []
        switch phase {
        case .idle: problems.append("the server does not listen yet")
        case .listening: break
        case .draining: problems.append("the server is being closed")
        case .closed: problems.append("the server is closed")
        }
        if answeringLoops < loops {
            problems.append("\(loops - answeringLoops) of \(loops) event loops have not answered in time")
        }
        self.phase = phase
        self.isAlive = answeringLoops == loops
        self.isReady = phase == .listening && answeringLoops == loops
        self.sessions = sessions
        self.sockets = sockets
        self.loops = loops
        self.answeringLoops = answeringLoops
        self.isAdapterReady = adapterProblems.isEmpty
        self.problems = problems + adapterProblems
    }
}
