import EngineIO
import EngineIOCore
import NIOCore
import SocketIOCore

/// A client joins a namespace: it is looked up or made, middlewares are passed, CONNECT is sent.
extension ClientConnection {
    func connect(_ packet: Packet, on loop: LoopContext) {
        let name = packet.namespace
        let auth: SocketIOValue
        do { auth = try packet.connectData() } catch { return self.protocolError(error) }
        self.beginConnectSpan(name)
        let count = self.joined.withLock { $0.count } + self.joining.count
        guard count < self.server.configuration.maxNamespacesPerConnection else {
            self.server.logger.debug(
                "namespace refused", metadata: self.metadata(["socketio.limit": "maxNamespacesPerConnection"]))
            self.server.observation?.metrics?.exceeded(.maxNamespacesPerConnection)
            return self.refuse(name, ConnectError("Too many namespaces"), .limited)
        }
        self.joining.insert(name)
        if let namespace = self.server.claimNamespace(name) { return self.join(namespace, auth, on: loop) }
        let parents = self.server.parents
        guard !parents.isEmpty else { return self.refuse(name, ConnectError.invalidNamespace, .unknownNamespace) }
        startTask(on: loop.executor) {
            var admitting: ParentNamespace?
            for parent in parents where admitting == nil {
                if await parent.admits(name, auth) { admitting = parent }
            }
            let parent = admitting
            self.session.enqueue { loop in
                guard !self.isClosing else { return }
                guard let parent else { return self.refuse(name, ConnectError.invalidNamespace, .unknownNamespace) }
                guard let namespace = self.server.claimChild(name, of: parent) else {
                    return self.refuse(name, ConnectError("Too many namespaces"), .limited)
                }
                self.join(namespace, auth, on: loop)
            }
        }
    }

    private func join(_ namespace: Namespace, _ auth: SocketIOValue, on loop: LoopContext) {
        guard !self.isClosing else { return namespace.unclaim() }
        guard namespace.isReady else {
            // Another client is having it made right now.
            return startTask(on: loop.executor) {
                await Task.yield()
                self.session.enqueue { loop in self.join(namespace, auth, on: loop) }
            }
        }
        if let recovery = namespace.local.recovery, !self.isVersion4 {
            return self.joinRecoverably(namespace, auth, recovery, on: loop)
        }
        self.joinAnew(namespace, auth, on: loop)
    }

    /// - Parameter failure: Why the client does not go on where it had stopped, if it wanted to.
    func joinAnew(
        _ namespace: Namespace,
        _ auth: SocketIOValue,
        failure: RecoveryFailure? = nil,
        on loop: LoopContext
    ) {
        let socket = Socket(
            id: self.makeSocketID(namespace, on: loop),
            namespace: namespace,
            connection: self,
            handshake: Handshake(self.session.request, auth: auth),
            pid: namespace.local.recovery == nil || self.isVersion4 ? nil : SessionID.random(),
            recoveryFailure: failure,
            connectContext: self.connectSpans[namespace.name]?.context
        )
        let middlewares = namespace.middlewares
        guard !middlewares.isEmpty else { return self.finishJoin(socket, nil, on: loop) }
        self.joiningSockets[namespace.name] = socket
        self.withConnectSpan(namespace.name) {
            startTask(on: loop.executor) {
                var refusal: (any Error)?
                do {
                    for middleware in middlewares { try await middleware(socket) }
                } catch {
                    refusal = error
                }
                let error = refusal
                self.session.enqueue { loop in self.finishJoin(socket, error, on: loop) }
            }
        }
    }

    func finishJoin(_ socket: Socket, _ error: (any Error)?, on loop: LoopContext) {
        let namespace = socket.namespace
        self.endJoining(namespace.name)
        self.joiningSockets[namespace.name] = nil
        guard !self.isClosing else {
            self.server.observation?.metrics?.joined(.abandoned)
            socket.refuse()
            return namespace.unclaim()
        }
        if let error {
            socket.refuse()
            namespace.unclaim()
            if !(error is ConnectError) { namespace.report(error, socket: socket) }
            return self.refuse(namespace.name, error as? ConnectError ?? ConnectError("Connection refused"), .refused)
        }
        self.connectDeadline = nil
        self.server.observation?.metrics?.joined(.accepted)
        socket.log("socket connected")
        self.joined.withLock { $0.add(socket) }
        if namespace.name == "/" { self.mainSocket = socket }
        let frames = self.frames(of: self.connectPacket(socket))
        var staged: EngineIOSession.StagedSend?
        let fits = namespace.local.add(socket) {
            // Under the lock of the namespace: the consequences come after it.
            staged = frames.map { self.session.stage(frames: $0) }
            return socket.state.withLock { state in
                state.phase = .connected
                defer { state.earlyRooms = [] }
                return state.earlyRooms
            }
        }
        if let staged { self.session.complete(staged) }
        if !fits { socket.reportTooManyRooms() }
        namespace.unclaim()
        self.withConnectSpan(namespace.name) { namespace.callConnectionHandlers(socket, on: loop) }
        self.endConnectSpan(namespace.name)
    }

    private func endJoining(_ namespace: String) {
        self.joining.remove(namespace)
        // Most connections join one namespace, and keep nothing of that.
        if self.joining.isEmpty { self.joining = [] }
    }

    func refuse(_ namespace: String, _ error: ConnectError, _ result: JoinLabel) {
        self.endJoining(namespace)
        self.server.observation?.metrics?.joined(result)
        self.endConnectSpan(namespace, error)
        self.server.logger.debug(
            "namespace refused",
            metadata: self.metadata(["socketio.namespace": "\(namespace)", "socketio.reason": "\(error.message)"]))
        do {
            let packet = try self.refusalPacket(namespace, error, result)
            if let frames = self.frames(of: packet) { self.session.send(frames: frames) }
        } catch {
            // Data that can't be sent is left out; the refusal is not.
            self.server.main.report(error, socket: nil)
            self.refuse(namespace, ConnectError("Connection refused"), result)
        }
    }
}
