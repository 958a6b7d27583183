import EngineIOClient
import SocketIOCore

extension NamespaceState {
    /// An event is to be sent.
    ///
    /// - Parameter isWritable: whether it would leave soon; else a volatile event is dropped.
    mutating func send(_ outgoing: Outgoing, isWritable: Bool, into actions: inout [Action]) {
        if outgoing.isVolatile, self.phase != .connected || !isWritable {
            let error = SocketIOError(.disconnected, "a volatile event was dropped")
            if let complete = outgoing.complete { actions.append(.complete(complete, .failure(error))) }
            return
        }
        if let complete = outgoing.complete, let ended = self.ended {
            return actions.append(.complete(complete, .failure(ended)))
        }
        if self.options.retries != nil, !outgoing.isVolatile {
            if let complete = outgoing.complete, let id = outgoing.ackID { self.acks[id] = complete }
            self.drop(self.queue.append(outgoing), into: &actions)
            return self.sendNext(into: &actions)
        }
        if let complete = outgoing.complete, let id = outgoing.ackID {
            self.acks[id] = complete
            if let timeout = outgoing.timeout { actions.append(.startTimer(ackID: id, timeout)) }
        }
        if self.phase == .connected {
            self.transmit(outgoing, into: &actions)
        } else {
            self.drop(self.buffer.append(outgoing), into: &actions)
        }
    }

    /// An acknowledgement is to be sent, if the connection is still the one that has asked for it.
    func sendAck(_ packet: EncodedPacket, session: Int) -> [Action] {
        guard self.phase == .connected, session == self.session else { return [] }
        if let problem = self.problem(with: packet) { return [.report(problem)] }
        return [.transmit(packet, isEvent: false)]
    }

    /// Sends an event over the connection there is.
    mutating func transmit(_ outgoing: Outgoing, into actions: inout [Action]) {
        if let problem = self.problem(with: outgoing.packet) {
            return self.fail(outgoing, problem, into: &actions)
        }
        actions.append(.transmit(outgoing.packet, isEvent: true))
    }

    /// Why a packet can't be sent.
    func problem(with packet: EncodedPacket) -> (any Error)? {
        var packet = packet
        if let form = self.options.form {
            if form.isCompact, packet.frames.readableBytes < self.maxMessageBytes / 16 - 32 { return nil }
            do throws(SocketIOError) { packet = try form.encode(frames: packet.frames) } catch { return error }
        }
        let fits = packet.fits(maxMessageBytes: self.maxMessageBytes, asBase64: self.usesBase64)
        return fits ? nil : self.tooLarge
    }

    /// Sending such a message would make the server end the connection.
    var tooLarge: EngineClientError {
        EngineClientError(
            .payloadTooLarge,
            "the server takes messages of \(self.maxMessageBytes) bytes at most; send less, or raise its maxHttpBufferSize"
        )
    }

    // MARK: One at a time

    /// Sends the first of the queue, unless it is on its way.
    mutating func sendNext(into actions: inout [Action]) {
        while self.phase == .connected, let first = self.queue.first, !first.isPending {
            if let problem = self.problem(with: first.outgoing.packet) {
                self.queue.removeFirst()
                self.fail(first.outgoing, problem, into: &actions)
                continue
            }
            self.queue.updateFirst {
                $0.isPending = true
                $0.tries &+= 1
            }
            actions.append(.transmit(first.outgoing.packet, isEvent: true))
            if let id = first.outgoing.ackID, let timeout = first.outgoing.timeout ?? self.options.ackTimeout {
                actions.append(.startTimer(ackID: id, timeout))
            }
        }
    }

    /// The try of the first of the queue has failed; it is tried again later, or given up.
    private mutating func retryFirst(_ error: SocketIOError, into actions: inout [Action]) {
        guard let first = self.queue.first, first.isPending else { return }
        guard first.tries > self.options.retries ?? 0 else { return self.queue.updateFirst { $0.isPending = false } }
        self.queue.removeFirst()
        self.fail(
            first.outgoing,
            SocketIOError(error.code, "given up after \(first.tries) tries: \(error.message)"),
            into: &actions)
    }

    // MARK: Acknowledgements

    mutating func acknowledged(_ id: Int, _ arguments: ArgumentReader) -> [Action] {
        let isFirst = self.queue.first.map { $0.isPending && $0.outgoing.ackID == id } ?? false
        // What is still to be sent can't be acknowledged.
        if !isFirst, self.acks[id] != nil, self.queue.contains(ackID: id) { return [] }
        var actions: [Action] = []
        if let complete = self.acks.removeValue(forKey: id) { actions.append(.complete(complete, .success(arguments))) }
        if !actions.isEmpty || isFirst { actions.append(.stopTimer(ackID: id)) }
        if isFirst {
            self.queue.removeFirst()
            self.sendNext(into: &actions)
        }
        return actions
    }

    /// An acknowledgement has not come in time.
    mutating func timedOut(_ id: Int) -> [Action] {
        var actions: [Action] = []
        let error = SocketIOError(.ackTimeout, "no acknowledgement has come in time")
        if let first = self.queue.first, first.isPending, first.outgoing.ackID == id {
            self.retryFirst(error, into: &actions)
            self.sendNext(into: &actions)
            return actions
        }
        _ = self.buffer.remove(ackID: id)
        if let complete = self.acks.removeValue(forKey: id) { actions.append(.complete(complete, .failure(error))) }
        return actions
    }

    /// Nobody waits for an acknowledgement any more. What was not sent yet will not be.
    mutating func cancelled(_ id: Int, _ error: any Error) -> [Action] {
        guard let complete = self.acks.removeValue(forKey: id) else { return [] }
        _ = self.buffer.remove(ackID: id)
        _ = self.queue.remove(ackID: id)
        var actions: [Action] = [.complete(complete, .failure(error)), .stopTimer(ackID: id)]
        self.sendNext(into: &actions)
        return actions
    }

    /// The connection is gone: acknowledgements of what was sent over it will not come. What waits in the buffer or the queue
    /// is not concerned.
    mutating func loseAcks(into actions: inout [Action]) {
        if let first = self.queue.first, first.isPending {
            if let id = first.outgoing.ackID { actions.append(.stopTimer(ackID: id)) }
            self.retryFirst(Self.disconnected, into: &actions)
        }
        let waiting = self.queue.ackIDs.union(self.buffer.entries.compactMap(\.ackID))
        for id in self.acks.keys.sorted() where !waiting.contains(id) {
            guard let complete = self.acks.removeValue(forKey: id) else { continue }
            actions.append(.complete(complete, .failure(Self.disconnected)))
            actions.append(.stopTimer(ackID: id))
        }
    }

    private mutating func drop(_ dropped: [Outgoing], into actions: inout [Action]) {
        for outgoing in dropped {
            let error = SocketIOError(
                .limitExceeded,
                "too much waits to be sent, an event was dropped; see offlineBuffer in the configuration")
            self.fail(outgoing, error, into: &actions)
        }
    }

    /// An event will not be sent: who waits for its acknowledgement is told, or the error hook.
    mutating func fail(_ outgoing: Outgoing, _ error: (any Error)?, into actions: inout [Action]) {
        guard outgoing.complete != nil else {
            if let error { actions.append(.report(error)) }
            return
        }
        // `acks` has those that were not told yet.
        guard let id = outgoing.ackID, let complete = self.acks.removeValue(forKey: id) else { return }
        actions.append(.stopTimer(ackID: id))
        actions.append(.complete(complete, .failure(error ?? Self.disconnected)))
    }
}
