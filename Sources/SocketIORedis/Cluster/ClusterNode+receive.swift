import NIOCore
import SocketIO
import SocketIOCore

extension ClusterNode {
    /// Takes a message of a channel.
    func receive(_ payload: ByteBuffer, from channel: String) {
        // Redis sends everybody's messages to everybody, also to who has published them.
        if self.encoder.isOwn(payload) { return }
        do {
            guard let message = try ClusterMessage(payload), message.uid != self.uid,
                message.namespace == self.namespace
            else { return }
            try self.receive(message.type, message.data, of: message.uid)
        } catch {
            self.complaints.log(error.message, channel: channel)
        }
    }

    /// Does what another server says.
    ///
    /// - Throws: ``SocketIOError`` if it is malformed.
    func receive(
        _ type: ClusterMessageType,
        _ data: MessageField?,
        of uid: String
    ) throws(SocketIOError) {
        let local = self.context.local
        switch try ClusterBody(type, data) {
        case nil: return
        case .broadcast(let event, nil, let target):
            // Nobody here: it need not be read.
            guard target.rooms.isEmpty || target.rooms.contains(where: local.hasMembers) else { return }
            local.broadcast(try event.packet(namespace: self.namespace), to: target)
        case .broadcast(let event, let requestID?, let target):
            try self.ask(event, requestID, target, for: uid)
        case .socketsJoin(let rooms, let target): local.socketsJoin(rooms, target)
        case .socketsLeave(let rooms, let target): local.socketsLeave(rooms, target)
        case .disconnectSockets(let target, let close): local.disconnectSockets(target, close: close)
        case .fetchSockets(let target, let requestID):
            self.answer(.fetchSocketsResponse(local.describeSockets(target), requestID: requestID), to: uid)
        case .serverSideEmit(let event, let requestID): try self.hear(event, requestID, of: uid)
        case .fetchSocketsResponse(let sockets, let requestID): self.sockets[requestID]?.receive(sockets, from: uid)
        case .serverSideEmitResponse(let value, let requestID):
            self.answers[requestID]?.receive([value ?? .null], from: uid)
        case .broadcastClientCount(let count, let requestID):
            self.collector(requestID)?.expectAnswers(count: count, server: uid)
        case .broadcastAck(let value, let requestID): self.collector(requestID)?.receive(value)
        }
    }

    /// Asks this server's sockets for acknowledgements on behalf of another server. That one is told how many were asked,
    /// none too, and each answer.
    private func ask(
        _ event: ClusterEvent,
        _ requestID: String,
        _ target: BroadcastTarget,
        for uid: String
    ) throws(SocketIOError) {
        guard target.rooms.isEmpty || target.rooms.contains(where: self.context.local.hasMembers) else {
            return self.answer(.broadcastClientCount(0, requestID: requestID), to: uid)
        }
        let packet = try event.packet(namespace: self.namespace)
        let timeout = target.flags.timeout ?? self.options.requestsTimeout
        let count = self.context.local.broadcastWithAck(packet, to: target, timeout: timeout) { [weak self] value in
            self?.answer(.broadcastAck(value, requestID: requestID), to: uid)
        }
        self.answer(.broadcastClientCount(count, requestID: requestID), to: uid)
    }

    /// Gives an event of another server to the listeners. Who has none does not answer.
    private func hear(_ event: ClusterEvent, _ requestID: String?, of uid: String) throws(SocketIOError) {
        var values = try event.values()
        guard let name = values.first?.stringValue else { throw .malformed("an event without a name") }
        values.removeFirst()
        let answer = requestID.map { requestID -> @Sendable (SocketIOValue?) -> Void in
            { [weak self] value in self?.answer(.serverSideEmitResponse(value, requestID: requestID), to: uid) }
        }
        self.context.receiveServerSideEvent(name, values, answer)
    }

    private func collector(_ requestID: String) -> AckCollector? { self.collectors.withLock { $0[requestID] } }
}
