import SocketIOCore

/// Packets of the client go to the sockets of their namespaces, in order.
extension ClientConnection {
    func receive(_ packet: Packet, on loop: LoopContext) {
        if !self.passing.isEmpty, self.waits(packet) { return }
        let socket = packet.namespace == "/" ? self.mainSocket : self.joined.withLock { $0[packet.namespace] }
        guard let socket else { return self.receiveWithoutSocket(packet, on: loop) }
        switch packet.type {
        case .event, .binaryEvent:
            socket.receive(packet.eventName, packet.arguments, ackID: packet.id, on: loop)
        case .ack, .binaryAck:
            if let id = packet.id { socket.receiveAck(id, packet.arguments) }
        case .disconnect:
            if socket.beginDisconnect() { socket.finishDisconnect(.clientNamespaceDisconnect, on: loop) }
            self.left.remove(packet.namespace)
        case .connect where socket.disconnected:
            // Left by both sides at the same time, and the server's handlers are still to be called: it is joined after them.
            self.session.enqueue { loop in
                if !self.isClosing { self.receive(packet, on: loop) }
            }
        case .connect, .connectError:
            self.violation("\(packet.type) for a namespace that is joined")
        }
    }

    /// Keeps a packet back that must not overtake an event which is passing through middlewares. Acknowledgements go on: a
    /// middleware may be waiting for one.
    private func waits(_ packet: Packet) -> Bool {
        guard let count = self.passing[packet.namespace]?.count else { return false }
        switch packet.type {
        case .ack, .binaryAck: return false
        default: break
        }
        if count >= self.server.configuration.maxRunningHandlers {
            self.overload()
        } else {
            self.passing[packet.namespace]?.append(packet)
        }
        return true
    }

    /// An event of this namespace begins to pass through middlewares; called inside the gate.
    func beginPassing(_ namespace: String) { self.passing[namespace] = [] }

    /// It has passed: what has come behind it follows.
    func endPassing(_ namespace: String, on loop: LoopContext) {
        var packets = (self.passing.removeValue(forKey: namespace) ?? [])[...]
        while let packet = packets.popFirst() {
            if self.isClosing { return }
            self.receive(packet, on: loop)
            // The next one has begun to pass: the rest stays behind it.
            if self.passing[namespace] != nil { return self.passing[namespace, default: []] += packets }
        }
    }

    /// Counts an async handler; returns false, and the connection is closed, when too many are running.
    func beginHandler() -> Bool {
        let count = self.runningHandlers.wrappingAdd(1, ordering: .relaxed).newValue
        guard count > self.server.configuration.maxRunningHandlers else { return true }
        self.endHandler()
        self.session.enqueue { _ in self.overload() }
        return false
    }

    func endHandler() { self.runningHandlers.wrappingSubtract(1, ordering: .relaxed) }

    func overload() {
        guard !self.isClosing else { return }
        self.server.observation?.metrics?.exceeded(.maxRunningHandlers)
        self.server.logger.info(
            "connection closed: its events come faster than they are handled",
            metadata: self.metadata(["socketio.limit": "maxRunningHandlers"])
        )
        self.closeByServer()
    }

    func receiveWithoutSocket(_ packet: Packet, on loop: LoopContext) {
        let namespace = packet.namespace
        if packet.type == .connect, !self.joining.contains(namespace) {
            self.left.remove(namespace)
            return self.connect(packet, on: loop)
        }
        if self.left.contains(namespace), packet.type != .connectError { return }
        self.violation("\(packet.type) for a namespace that is not joined")
    }
}
