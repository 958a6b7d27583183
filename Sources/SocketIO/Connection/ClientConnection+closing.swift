import EngineIO
import SocketIOCore

/// Sockets leave one by one, or all with the connection.
extension ClientConnection {
    func violation(_ what: String) {
        self.server.logger.debug("connection closed: \(what)", metadata: self.metadata())
        self.closeByServer()
    }

    func protocolError(_ error: any Error) {
        self.server.logger.debug(
            "connection closed: invalid packet", metadata: self.metadata(["socketio.error": "\(error)"]))
        for socket in self.socketsInOrder { socket.tellError(error) }
        self.closeByServer()
    }

    /// Closes the connection because of what the client did.
    func closeByServer() {
        guard !self.isClosing else { return }
        self.isClosing = true
        self.decoder.reset()
        if !self.session.close() {
            // The transport waits for the client's next poll; the sockets do not.
            self.session.enqueue { loop in self.closeSockets(.forcedServerClose, on: loop) }
        }
    }

    func closeSockets(_ reason: DisconnectReason, on loop: LoopContext) {
        self.isClosing = true
        self.decoder.reset()
        self.server.remove(self)
        self.endConnectSpans()
        self.passing = [:]
        self.dropWaiting()
        // Those whose middlewares still run: what they wait for will not come.
        for socket in self.joiningSockets.values { socket.refuse() }
        self.joiningSockets = [:]
        for socket in self.socketsInOrder where socket.beginDisconnect() { socket.finishDisconnect(reason, on: loop) }
    }

    func remove(_ socket: Socket) {
        let isCurrent = self.joined.withLock { $0.remove(socket) }
        if self.countsEvents { self.keepRate(of: socket) }
        if self.mainSocket === socket { self.mainSocket = nil }
        if isCurrent, self.left.count < 1024 { self.left.insert(socket.namespace.name) }
    }

    /// Tells the client that it is in the namespace no more.
    func sendDisconnect(_ namespace: String) {
        let packet = PacketEncoder.disconnect(namespace: namespace)
        if let frames = self.frames(of: packet) { self.session.send(frames: frames) }
    }

    /// Leaves all namespaces, then closes the connection.
    func disconnectAll() {
        let sockets = self.socketsInOrder.filter { $0.beginDisconnect() }
        for socket in sockets {
            self.sendDisconnect(socket.namespace.name)
        }
        self.session.enqueue { loop in
            for socket in sockets { socket.finishDisconnect(.serverNamespaceDisconnect, on: loop) }
            self.isClosing = true
        }
        self.session.close()
    }

    /// The server is being closed: the sockets are told, then the connection ends.
    func shutDown() {
        self.session.enqueue { loop in
            self.closeSockets(.serverShuttingDown, on: loop)
            self.session.close()
        }
    }
}
