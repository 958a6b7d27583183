import SocketIOCore

extension NamespaceState {
    /// The application wants to be connected.
    mutating func activate(isOpen: Bool) -> [Action] {
        guard self.phase == .inactive else { return [] }
        self.wasConnected = false
        self.ended = nil
        if self.isJoinPending {
            // The server has not said yet what it thinks of the last one; a second is against the protocol.
            self.phase = .rejoining
            return []
        }
        self.phase = .waiting
        return isOpen ? self.opened() : []
    }

    /// There is a connection.
    mutating func opened() -> [Action] {
        guard self.phase == .waiting else { return [] }
        self.phase = .authenticating
        self.authNumber &+= 1
        return [.authenticate(self.authNumber)]
    }

    /// A CONNECT that is not meant any more is answered.
    mutating func rejoin() -> [Action] {
        self.phase = .waiting
        return self.opened()
    }

    /// What `auth` has given.
    mutating func authenticated(_ number: Int, _ auth: Result<SocketIOValue?, any Error>) -> [Action] {
        guard self.phase == .authenticating, number == self.authNumber else { return [] }
        do {
            let packet = try self.connectPacket(try auth.get())
            self.phase = .joining
            self.isJoinPending = true
            return [.transmit(packet, isEvent: false)]
        } catch {
            let error = SocketIOError(
                .authFailed, "auth gave nothing that can be sent, the attempt has failed", cause: error)
            if self.wasConnected {
                self.phase = .waiting
                return [.failed(error), .authenticateLater]
            }
            return self.refuse(error)
        }
    }

    /// Nothing more is tried: who waits for an acknowledgement is told so. Events that nobody waits for are kept.
    mutating func refuse(_ error: any Error) -> [Action] { self.stop(error, .refused(error)) }

    mutating func stop(_ error: any Error, _ first: Action) -> [Action] {
        self.phase = .inactive
        self.forgetEarly()
        var actions = [first]
        self.end(SocketIOError(.disconnected, "the client could not connect", cause: error), into: &actions)
        return actions
    }

    /// CONNECT. What is known of a session is forgotten if the server would not take it: without it there is a connection at least.
    private mutating func connectPacket(_ auth: SocketIOValue?) throws -> EncodedPacket {
        let namespace = self.options.namespace
        var packet = try PacketEncoder.connect(namespace: namespace, auth: try self.connectData(auth))
        if self.pid != nil, self.problem(with: packet) != nil {
            self.pid = nil
            self.offset = nil
            packet = try PacketEncoder.connect(namespace: namespace, auth: try self.connectData(auth))
        }
        if let problem = self.problem(with: packet) { throw problem }
        return packet
    }

    /// What is known of the session to be recovered, and the members of `auth`, which win.
    private func connectData(_ auth: SocketIOValue?) throws -> SocketIOValue? {
        guard let pid = self.pid else { return auth.flatMap { $0.isNull ? nil : $0 } }
        var data = SocketIOValue.Object()
        data["pid"] = .string(pid)
        if let offset = self.offset { data["offset"] = .string(offset) }
        switch auth {
        case nil, .null: break
        case .object(let members): for (key, value) in members { data[key] = value }
        default: throw SocketIOError(.invalidPayload, "auth must be an object")
        }
        return .object(data)
    }

    /// The server's answer to CONNECT.
    mutating func answered(_ packet: Packet) -> [Action] {
        guard self.isJoinPending else { return [] }
        self.isJoinPending = false
        var reader = packet.arguments
        guard !reader.isAtEnd, let answer = try? reader.next(ConnectAnswer.self) else {
            return self.isAwaitingAnswer ? self.refuse(Self.oldServer) : []
        }
        guard self.phase == .joining else {
            // It was left before the server had answered.
            let leaving = Action.transmit(
                PacketEncoder.disconnect(namespace: self.options.namespace), isEvent: false)
            return self.phase == .rejoining ? [leaving] + self.rejoin() : [leaving]
        }
        self.phase = .connected
        self.wasConnected = true
        self.session &+= 1
        self.id = answer.sid
        self.recovered = answer.pid != nil && answer.pid == self.pid
        let failure = self.recovered ? nil : answer.recovery?.stringValue
        self.recoveryFailure = failure.map { RecoveryFailure(rawValue: $0) }
        if answer.pid != self.pid { self.offset = nil }
        self.pid = answer.pid

        let early = self.early
        self.forgetEarly()
        var actions: [Action] = []
        for packet in early {
            self.noteOffset(packet)
            actions.append(.deliver(packet))
        }
        for outgoing in self.buffer.takeAll() { self.transmit(outgoing, into: &actions) }
        self.sendNext(into: &actions)
        actions.append(.connected)
        return actions
    }

    private struct ConnectAnswer: Decodable {
        var sid: String
        var pid: String?
        /// Servers of this package say why a session is not continued.
        var recovery: SocketIOValue?
    }

    static func refusal(_ packet: Packet) -> ConnectError {
        guard let data = try? packet.connectData() else { return ConnectError("") }
        // Servers of protocol 4 send the bare text.
        return ConnectError(data["message"]?.stringValue ?? data.stringValue ?? "", data: data["data"])
    }

    private static let oldServer = SocketIOError(
        .unsupportedProtocol,
        "the server speaks an older protocol: it is Socket.IO 2 or before; update it, or use a client of its version")
}
