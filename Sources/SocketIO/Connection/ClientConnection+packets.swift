import SocketIOCore

/// Packets of the client go to the sockets of their namespaces, in order.
extension ClientConnection {
    func receive(_ packet: Packet, on loop: LoopContext) {
        if self.countsEvents, packet.type == .event, !self.admits(packet, on: loop) { return }
        if !self.waiting.isEmpty || self.isBusy, self.waitsForHandlers(packet) { return }
        self.dispatch(packet, on: loop)
    }

    func dispatch(_ packet: Packet, on loop: LoopContext) {
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
        guard self.passing[packet.namespace] != nil else { return false }
        switch packet.type {
        case .ack, .binaryAck: return false
        default: break
        }
        if self.admitWaiting(packet) { self.passing[packet.namespace]?.append(packet.compacted) }
        return true
    }

    /// An event of this namespace begins to pass through middlewares; called inside the gate.
    func beginPassing(_ namespace: String) { self.passing[namespace] = [] }

    /// It has passed: what has come behind it follows.
    func endPassing(_ namespace: String, on loop: LoopContext) {
        var packets = (self.passing.removeValue(forKey: namespace) ?? [])[...]
        while let packet = packets.popFirst() {
            if self.isClosing { return }
            // All that waits elsewhere has come behind these.
            if self.isBusy { return self.waitAgain([packet] + packets) }
            self.waitingBytes -= packet.waitingCost
            self.dispatch(packet, on: loop)
            // The next one has begun to pass: the rest stays behind it.
            if self.passing[namespace] != nil { return self.passing[namespace, default: []] += packets }
        }
    }

    func receiveWithoutSocket(_ packet: Packet, on loop: LoopContext) {
        let namespace = packet.namespace
        if packet.type == .connect, !self.joining.contains(namespace) {
            self.left.remove(namespace)
            if let rate = self.connectRate, !self.admitsConnect(namespace, rate, on: loop) { return }
            return self.connect(packet, on: loop)
        }
        if self.left.contains(namespace), packet.type != .connectError { return }
        self.violation("\(packet.type) for a namespace that is not joined")
    }
}
