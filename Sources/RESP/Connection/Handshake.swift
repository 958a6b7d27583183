import NIOCore

/// What is said first over a connection: version, user, name, database, and whether the server is ready for commands.
struct Handshake {
    enum Action: Equatable {
        case send(RedisCommand)
        case done(Outcome)
        case fail(RedisError)
    }

    struct Outcome: Equatable {
        var speaksRESP3 = false
        /// Nil: not asked for, or not said.
        var isCluster: Bool?
        /// Nil: not asked for, or not said.
        var identity: ConnectionIdentity?
    }

    private enum Step { case hello, auth, name, cluster, end, identity, select, ping }

    private let credentials: ConnectionOptions.Credentials?
    private let database: Int
    private let version: RESPConfiguration.ProtocolVersion
    private let clientName: String?
    private let asksForCluster: Bool
    private let succession: Succession?
    private var steps: [Step] = []
    private var outcome = Outcome()

    /// A connection that takes the place of another one.
    struct Succession {
        /// The one before, if there was one: it is ended first. It may be broken on this side only, and what it has sent
        /// must not be executed after what this one sends.
        var predecessor: ConnectionIdentity?
    }

    /// - Parameter succession: Nil: the order of what is sent on this connection and on others does not matter.
    init(_ options: ConnectionOptions, asksForCluster: Bool, succession: Succession? = nil) {
        self.credentials = options.credentials
        self.database = options.database
        self.version = options.configuration.protocolVersion
        self.clientName = options.configuration.clientName
        self.asksForCluster = asksForCluster
        self.succession = succession
    }

    mutating func start() -> Action {
        if self.version == .two {
            self.speakRESP2()
        } else {
            self.steps = [.hello]
        }
        return self.next()
    }

    mutating func receive(_ reply: RedisValue) -> Action {
        guard let step = self.steps.first else { return .fail(RESPParser.violation("a reply to nothing")) }
        self.steps.removeFirst()
        if case .error(let message) = reply { return self.receive(error: message, for: step) }
        switch step {
        case .hello:
            self.outcome.speaksRESP3 = true
            if case .map(let pairs) = reply, let mode = pairs.first(where: { $0.key.text == "mode" })?.value.text {
                self.outcome.isCluster = mode == "cluster"
            }
            self.steps = self.lastSteps
        case .cluster: self.outcome.isCluster = reply.text?.contains("cluster_enabled:1") == true
        case .identity: self.outcome.identity = ConnectionIdentity(reply)
        case .auth, .name, .end, .select, .ping: break
        }
        return self.next()
    }

    private mutating func receive(error message: String, for step: Step) -> Action {
        let code = message.prefix { $0 != " " }
        switch step {
        case .hello:
            let isRefusal = code == "NOAUTH" || code == "WRONGPASS" || self.version == .three
            // Servers of before 6 don't know the command, others don't allow it to every user.
            guard !isRefusal else { return .fail(RedisError(.redis, message)) }
            self.speakRESP2()
        case .auth, .select: return .fail(RedisError(.redis, message))
        // Not every user may ask, and not every server knows.
        case .name, .cluster, .end, .identity: break
        case .ping:
            let isUnready = ["LOADING", "BUSY", "MASTERDOWN", "NOAUTH"].contains(code)
            if isUnready { return .fail(RedisError(.redis, message)) }
        }
        return self.next()
    }

    private mutating func speakRESP2() {
        self.steps = self.credentials == nil ? [] : [.auth]
        if self.clientName != nil { self.steps.append(.name) }
        self.steps += self.lastSteps
    }

    private var lastSteps: [Step] {
        (self.asksForCluster && self.outcome.isCluster == nil ? [.cluster] : [])
            + (self.succession?.predecessor == nil ? [] : [.end]) + (self.succession == nil ? [] : [.identity])
            + (self.database == 0 ? [] : [.select]) + [.ping]
    }

    private func next() -> Action {
        guard let step = self.steps.first else { return .done(self.outcome) }
        var words: [String]
        switch step {
        case .hello:
            words = ["HELLO", "3"]
            if let credentials { words += ["AUTH", credentials.username ?? "default", credentials.password] }
            if let clientName { words += ["SETNAME", clientName] }
        case .auth:
            words = ["AUTH"] + [self.credentials?.username, self.credentials?.password].compactMap { $0 }
        case .name: words = ["CLIENT", "SETNAME", self.clientName ?? ""]
        case .cluster: words = ["INFO", "cluster"]
        case .end: words = self.succession?.predecessor?.end ?? []
        case .identity: words = ConnectionIdentity.question
        case .select: words = ["SELECT", String(self.database)]
        case .ping: words = ["PING"]
        }
        return .send(RedisCommand(arguments: words.map { ByteBuffer(string: $0) }, keyIndex: nil))
    }
}
