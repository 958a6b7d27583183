import EngineIO
import EngineIOCore
import NIOCore
import SocketIOCore

/// A client joins a namespace in which it may go on where a connection was lost.
///
/// Its session is taken out of what is kept, middlewares are passed if they are not left out, and what was missed is sent,
/// CONNECT behind it. Where that fails the client joins as a new one, and is told why.
extension ClientConnection {
    func joinRecoverably(
        _ namespace: Namespace,
        _ auth: SocketIOValue,
        _ recovery: NamespaceRecovery,
        attempt: Int = 0,
        on loop: LoopContext
    ) {
        guard !self.isClosing else { return namespace.unclaim() }
        guard let request = RecoveryRequest(auth) else { return self.joinAnew(namespace, auth, on: loop) }
        guard SessionID.isPossible(request.pid), attempt > 0 || self.beginsRecovery(in: namespace.name) else {
            return self.joinAnew(namespace, auth, failure: .unknownSession, on: loop)
        }
        switch namespace.local.claim(request, recovery) {
        case .connected(let old):
            guard attempt < 4, old.connection !== self else {
                return self.joinAnew(namespace, auth, failure: .unknownSession, on: loop)
            }
            // The client knows better than we that its old connection is lost.
            old.connection.abandon {
                self.session.enqueue { loop in
                    self.joinRecoverably(namespace, auth, recovery, attempt: attempt + 1, on: loop)
                }
            }
        case .claimed(let session, let position):
            self.rejoin(Rejoining(session: session, position: position, namespace: namespace, auth: auth), on: loop)
        case .failed(let failure):
            guard let sessions = namespace.sessions else {
                return self.joinAnew(namespace, auth, failure: failure, on: loop)
            }
            self.take(request, namespace, auth, sessions)
        }
    }

    /// Whether the client has a session to look for. It has one at the most in a namespace, from before this connection: what it
    /// has had since was ended on purpose, or was a new one.
    private func beginsRecovery(in namespace: String) -> Bool {
        guard self.recoveredNamespaces.count < self.server.configuration.maxNamespacesPerConnection else {
            return false
        }
        return self.recoveredNamespaces.insert(namespace).inserted
    }

    /// The connection is lost, as the client knows already. `then` is called when its sockets have left.
    func abandon(then: @escaping @Sendable () -> Void = {}) {
        self.session.enqueue { loop in
            self.closeSockets(.transportClose, on: loop)
            self.session.close()
            then()
        }
    }

    /// Takes a session from the adapter.
    private func take(
        _ request: RecoveryRequest,
        _ namespace: Namespace,
        _ auth: SocketIOValue,
        _ sessions: any SessionAdapter
    ) {
        // Not on the loop: there may be much to decode.
        Task {
            let taken: Result<Rejoining, RecoveryError>
            do {
                let session = try await sessions.takeSession(pid: request.pid)
                var position = session.history.start
                switch request.offset {
                case nil: if !session.startIsKnown { throw RecoveryError(.invalidOffset) }
                case .invalid: throw RecoveryError(.invalidOffset)
                case .text(let text):
                    guard let offset = sessions.position(of: text) else { throw RecoveryError(.invalidOffset) }
                    position = max(position, offset)
                }
                if position < session.history.forgottenUpTo { throw RecoveryError(.packetsDropped) }
                taken = .success(
                    Rejoining(session: session, position: position, namespace: namespace, auth: auth, adapter: sessions)
                )
            } catch {
                taken = .failure(error as? RecoveryError ?? RecoveryError(.unavailable))
            }
            self.session.enqueue { loop in
                switch taken {
                case .success(let rejoining): self.rejoin(rejoining, on: loop)
                case .failure(let error):
                    guard !self.isClosing else { return namespace.unclaim() }
                    if error.failure == .limited {
                        self.server.observation?.metrics?.exceeded(.maxSessionSearches)
                        self.server.logger.debug(
                            "session not waited for",
                            metadata: self.metadata([
                                "socketio.limit": "maxSessionSearches", "socketio.namespace": "\(namespace.name)",
                            ]))
                    }
                    self.joinAnew(namespace, auth, failure: error.failure, on: loop)
                }
            }
        }
    }

    // MARK: With the session in hand

    /// A session on its way from what was kept to a connection.
    struct Rejoining: Sendable {
        let session: LostSession
        var position: RecoveryPosition
        let namespace: Namespace
        let auth: SocketIOValue
        /// Who has kept the session; nil: this server's memory.
        var adapter: (any SessionAdapter)?
        /// What the adapter has found so far.
        var missed: [OffsetPacket] = []
        var bytes = 0
        var rounds = 0

        /// The client is gone again: it may come back once more.
        func giveBack() {
            guard let recovery = self.namespace.local.recovery else { return }
            if let adapter = self.adapter {
                adapter.keepSession(self.session, for: recovery.options.maxDisconnectionDuration)
            } else {
                self.namespace.local.giveBack(self.session, recovery)
            }
        }

        /// The session is over.
        func drop() {
            if self.adapter == nil { self.namespace.local.drop(self.session) }
        }
    }

    private func rejoin(_ rejoining: Rejoining, on loop: LoopContext) {
        let namespace = rejoining.namespace
        guard !self.isClosing, let recovery = namespace.local.recovery else {
            rejoining.giveBack()
            return namespace.unclaim()
        }
        let session = rejoining.session
        let socket = Socket(
            id: session.sid,
            namespace: namespace,
            connection: self,
            handshake: Handshake(self.session.request, auth: rejoining.auth),
            pid: session.pid,
            recovered: true,
            connectContext: self.connectSpans[namespace.name]?.context
        )
        socket.data.values = session.data
        socket.state.withLock { $0.earlyRooms = Set(session.history.since.keys) }
        self.joiningSockets[namespace.name] = socket
        let mayPass = recovery.options.skipMiddlewares && session.namespaceIsKnown
        let middlewares = mayPass ? [] : namespace.middlewares
        guard !middlewares.isEmpty else { return self.catchUp(socket, rejoining, on: loop) }
        self.withConnectSpan(namespace.name) {
            startTask(on: loop.executor) {
                var refusal: (any Error)?
                do {
                    for middleware in middlewares { try await middleware(socket) }
                } catch {
                    refusal = error
                }
                let error = refusal
                self.session.enqueue { loop in
                    guard !self.isClosing, let error else { return self.catchUp(socket, rejoining, on: loop) }
                    rejoining.drop()
                    self.finishJoin(socket, error, on: loop)
                }
            }
        }
    }

    /// Sends what was missed and lets the socket in; what the adapter keeps is asked for first.
    private func catchUp(_ socket: Socket, _ rejoining: Rejoining, on loop: LoopContext) {
        guard !self.isClosing, let recovery = socket.namespace.local.recovery else {
            socket.refuse()
            rejoining.giveBack()
            return socket.namespace.unclaim()
        }
        let limit = self.server.configuration.engine.maxOutboxBytes / 2
        guard let adapter = rejoining.adapter else {
            return self.enter(socket, rejoining, on: loop) { frames, fits in
                let result = socket.namespace.local.resume(
                    socket, rejoining.session, after: rejoining.position, limit: limit, recovery, send: frames)
                fits = result.fits
                return result.failure
            }
        }
        Task {
            var next = rejoining
            var failure: RecoveryFailure?
            do {
                if next.rounds > 100 { throw RecoveryError(.unavailable) }
                let found = try await adapter.missed(
                    by: next.session, after: next.position, isFirst: next.rounds == 0, limit: limit - next.bytes)
                next.rounds += 1
                next.position = found.upTo
                next.missed += found.packets
                next.bytes += found.packets.reduce(0) { $0 + $1.frames.readableBytes + 256 }
            } catch {
                failure = (error as? RecoveryError)?.failure ?? .unavailable
            }
            let (result, reason) = (next, failure)
            self.session.enqueue { loop in self.enter(socket, result, reason, recovery, on: loop) }
        }
    }

    /// What the adapter has found is sent, unless packets behind it were given to sockets meanwhile.
    private func enter(
        _ socket: Socket,
        _ rejoining: Rejoining,
        _ failure: RecoveryFailure?,
        _ recovery: NamespaceRecovery,
        on loop: LoopContext
    ) {
        guard !self.isClosing else { return self.catchUp(socket, rejoining, on: loop) }
        if let failure { return self.startAnew(socket, rejoining, failure, on: loop) }
        var isBehind = false
        let missed: [ByteBuffer]
        do { missed = try rejoining.missed.map { try socket.namespace.local.encode(frames: $0.frames) } } catch {
            socket.report(error)
            return self.startAnew(socket, rejoining, .unavailable, on: loop)
        }
        self.enter(socket, rejoining, on: loop) { send, fits in
            let result = socket.namespace.local.resume(
                socket, rejoining.session, upTo: rejoining.position, recovery
            ) { send(missed) }
            isBehind = result == nil
            fits = result ?? true
            return isBehind ? .unavailable : nil
        } onFailure: { failure in
            if isBehind {
                self.catchUp(socket, rejoining, on: loop)
            } else {
                self.startAnew(socket, rejoining, failure, on: loop)
            }
        }
    }

    /// It can't go on: a new socket takes the place of the one that was made for it.
    private func startAnew(
        _ socket: Socket,
        _ rejoining: Rejoining,
        _ failure: RecoveryFailure,
        on loop: LoopContext
    ) {
        socket.refuse()
        self.joinAnew(rejoining.namespace, rejoining.auth, failure: failure, on: loop)
    }

    /// - Parameter resume: Adds the socket to the namespace, with a function that sends packets and connects it; returns why it
    ///   could not.
    private func enter(
        _ socket: Socket,
        _ rejoining: Rejoining,
        on loop: LoopContext,
        resume: (_ send: ([ByteBuffer]) -> Set<Room>, _ fits: inout Bool) -> RecoveryFailure?,
        onFailure: ((RecoveryFailure) -> Void)? = nil
    ) {
        let namespace = socket.namespace
        let connect = self.frames(
            of: PacketEncoder.connect(namespace: namespace.name, sid: socket.id, pid: socket.pid))
        var staged: [EngineIOSession.StagedSend] = []
        var fits = true
        self.joined.withLock { $0.add(socket) }
        let failure = resume(
            { frames in
                // Under the lock of the namespace: the consequences come after it.
                for frames in frames { staged.append(self.session.stage(frames: frames)) }
                if let connect { staged.append(self.session.stage(frames: connect)) }
                return socket.state.withLock { state in
                    state.phase = .connected
                    defer { state.earlyRooms = [] }
                    return state.earlyRooms
                }
            }, &fits)
        if let failure {
            _ = self.joined.withLock { $0.remove(socket) }
            if let onFailure { return onFailure(failure) }
            return self.startAnew(socket, rejoining, failure, on: loop)
        }
        if namespace.name == "/" { self.mainSocket = socket }
        self.joining.remove(namespace.name)
        self.joiningSockets[namespace.name] = nil
        self.connectDeadline = nil
        for staged in staged where !staged.isDone { self.session.complete(staged) }
        self.server.observation?.metrics?.joined(.recovered)
        socket.log("socket recovered")
        if !fits { socket.reportTooManyRooms() }
        namespace.unclaim()
        self.withConnectSpan(namespace.name) { namespace.callConnectionHandlers(socket, on: loop) }
        self.endConnectSpan(namespace.name)
    }
}
