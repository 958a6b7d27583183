import SocketIOCore

extension NamespaceState {
    /// A packet has come. Events of a joined namespace do not come here; see ``accept(_:)``.
    mutating func receive(_ packet: Packet) -> [Action] {
        switch packet.type {
        case .connect: return self.answered(packet)
        case .connectError:
            guard self.isJoinPending else { return [] }
            self.isJoinPending = false
            switch self.phase {
            case .joining: return self.refuse(Self.refusal(packet))
            case .rejoining: return self.rejoin()
            case .inactive, .waiting, .authenticating, .connected: return []
            }
        case .disconnect: return self.disconnected()
        case .event, .binaryEvent:
            if self.accept(packet) { return [.deliver(packet)] }
            return self.keepEarly(packet)
        case .ack, .binaryAck:
            guard self.phase == .connected, let id = packet.id else { return [] }
            return self.acknowledged(id, packet.arguments)
        }
    }

    /// The server does not want the client there any more.
    private mutating func disconnected() -> [Action] {
        self.isJoinPending = false
        let error = SocketIOError(.disconnected, "the server has disconnected the client")
        switch self.phase {
        case .inactive, .waiting, .authenticating: return []
        case .joining: return self.refuse(error)
        case .rejoining: return self.rejoin()
        case .connected:
            self.phase = .inactive
            var actions = self.leaveSession(Disconnection(.ioServerDisconnect, error: nil, willReconnect: false))
            self.end(error, into: &actions)
            return actions
        }
    }

    /// Whether an event is to be delivered at once; what recovery needs of it is noted.
    mutating func accept(_ packet: Packet) -> Bool {
        guard self.phase == .connected else { return false }
        self.noteOffset(packet)
        return true
    }

    /// Servers that can recover a session append an offset to each event that asks for no acknowledgement, except volatile ones: the
    /// last string may be anything. None has long offsets.
    mutating func noteOffset(_ packet: Packet) {
        guard self.pid != nil, packet.id == nil, let offset = packet.arguments.lastString,
            offset.utf8.count <= Self.maxOffsetBytes
        else { return }
        self.offset = offset
    }

    private static let maxOffsetBytes = 256

    private mutating func keepEarly(_ packet: Packet) -> [Action] {
        guard self.phase == .joining else { return [] }
        let size = packet.waitingCost
        guard size <= self.options.maxEarlyBytes - self.earlyBytes else {
            return [
                .violation(SocketIOError(.limitExceeded, "more than maxEarlyBytes came before the answer to CONNECT"))
            ]
        }
        self.earlyBytes += size
        self.early.append(packet.compacted)
        return []
    }

    mutating func forgetEarly() {
        self.early = []
        self.earlyBytes = 0
    }
}
