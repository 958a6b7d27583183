import SocketIOCore

extension NamespaceState {
    /// A packet has come. Events of a joined namespace do not come here; see ``accept(_:)``.
    mutating func receive(_ packet: Packet) -> [Action] {
        switch packet.type {
        case .connect: return self.answered(packet)
        case .connectError:
            guard self.isJoinPending else { return [] }
            self.isJoinPending = false
            return self.phase == .joining ? self.refuse(Self.refusal(packet)) : []
        case .disconnect:
            let wasConnected = self.phase == .connected
            guard wasConnected || self.phase == .joining else { return [] }
            self.isJoinPending = false
            guard wasConnected else {
                return self.refuse(SocketIOError(.disconnected, "the server has disconnected the client"))
            }
            self.phase = .inactive
            return self.leaveSession(Disconnection(.ioServerDisconnect, error: nil, willReconnect: false))
        case .event, .binaryEvent:
            if self.accept(packet) { return [.deliver(packet)] }
            return self.keepEarly(packet)
        case .ack, .binaryAck:
            guard self.phase == .connected, let id = packet.id else { return [] }
            return self.acknowledged(id, packet.arguments)
        }
    }

    /// Whether an event is to be delivered at once; what recovery needs of it is noted.
    mutating func accept(_ packet: Packet) -> Bool {
        guard self.phase == .connected else { return false }
        self.noteOffset(packet)
        return true
    }

    /// Servers that can recover a session append an offset to each event that asks for no acknowledgement.
    mutating func noteOffset(_ packet: Packet) {
        guard self.pid != nil, packet.id == nil, let offset = packet.arguments.lastString else { return }
        self.offset = offset
    }

    private mutating func keepEarly(_ packet: Packet) -> [Action] {
        guard self.phase == .joining else { return [] }
        let size = packet.byteCount
        guard size <= self.options.maxEarlyBytes - self.earlyBytes else {
            return [
                .violation(SocketIOError(.limitExceeded, "more than maxEarlyBytes came before the answer to CONNECT"))
            ]
        }
        self.earlyBytes += size
        self.early.append(packet)
        return []
    }

    mutating func forgetEarly() {
        self.early = []
        self.earlyBytes = 0
    }
}
