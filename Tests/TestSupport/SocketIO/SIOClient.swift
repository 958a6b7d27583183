/// A client of Socket.IO 5 with any number of namespaces over one session.
///
/// It is strict: whatever a correct server does not send makes all further waits throw a `PeerError`.
package final class SIOClient: Sendable {
    /// The session below, for upgrades, raw packets, counts and its end.
    package let session: EIOClient
    private let inbox: SIOInbox

    private init(session: EIOClient, inbox: SIOInbox) {
        self.session = session
        self.inbox = inbox
    }

    /// Opens a session; no namespace is joined yet.
    package static func open(_ options: EIOOptions) async throws -> SIOClient {
        let inbox = SIOInbox()
        let session = try await EIOClient.open(options) { inbox.receive($0) }
        return SIOClient(session: session, inbox: inbox)
    }

    // MARK: Namespaces

    /// Joins a namespace.
    ///
    /// - Parameter auth: JSON of the data of CONNECT.
    /// - Returns: the id of the socket.
    /// - Throws: `SIORefused`, `EIOClosed`, `TimeoutError`.
    @discardableResult
    package func connect(
        _ namespace: String = "/", auth: String? = nil, timeout: Duration = defaultTimeout
    ) async throws -> String {
        try await join(namespace, auth, timeout).sid
    }

    /// Joins a namespace and returns the JSON of the answer, which holds `sid` and perhaps `pid`.
    package func connectForReply(
        _ namespace: String = "/", auth: String? = nil, timeout: Duration = defaultTimeout
    ) async throws -> String {
        try await join(namespace, auth, timeout).json
    }

    private func join(_ namespace: String, _ auth: String?, _ timeout: Duration) async throws -> SIOInbox.Welcome {
        try sendRaw(SIOPacket.text(0, namespace: namespace, json: auth))
        return try await inbox.state.wait("the answer to CONNECT \(namespace)", timeout: timeout) { state in
            if let answer = state.namespaces[namespace]?.answers.popFirst() { return try answer.get() }
            try state.checkOpen()
            return nil
        }
    }

    /// The id of the socket in a namespace, nil when it is not joined.
    package func sid(_ namespace: String = "/") -> String? {
        inbox.state.update { $0.namespaces[namespace]?.sid }
    }

    /// Leaves a namespace; there is no answer.
    package func disconnect(_ namespace: String = "/") throws {
        inbox.state.update { $0.namespaces[namespace]?.sid = nil }
        try sendRaw(SIOPacket.text(1, namespace: namespace))
    }

    /// Waits until the server's DISCONNECT for a namespace or the end of the session.
    ///
    /// - Returns: `io server disconnect`, or the reason why the session ended.
    @discardableResult
    package func waitForDisconnect(
        _ namespace: String = "/", timeout: Duration = defaultTimeout
    ) async throws -> String {
        try await inbox.state.wait("DISCONNECT \(namespace)", timeout: timeout) { state in
            if (state.namespaces[namespace]?.disconnects ?? 0) > 0 {
                state.namespaces[namespace]?.disconnects -= 1
                return "io server disconnect"
            }
            if let failure = state.failure { throw failure }
            return state.closed?.reason
        }
    }

    /// Closes the session in order.
    package func close() async {
        await session.close()
    }

    // MARK: Sending

    /// Sends an event.
    ///
    /// - Parameters:
    ///   - arguments: JSON of each argument, with `placeholder(_:)` where an attachment belongs.
    ///   - binary: the attachments.
    package func emit(
        _ event: String, _ arguments: String..., binary: [[UInt8]] = [], namespace: String = "/"
    ) throws {
        try send(event, arguments, binary, namespace, id: nil)
    }

    /// Sends an event and waits for its acknowledgement.
    package func emitWithAck(
        _ event: String, _ arguments: String..., binary: [[UInt8]] = [], namespace: String = "/",
        timeout: Duration = defaultTimeout
    ) async throws -> SIOArguments {
        let id = inbox.state.update { state in
            let id = state.namespaces[namespace, default: SIOInbox.Namespace()].nextID
            state.namespaces[namespace, default: SIOInbox.Namespace()].nextID += 1
            state.namespaces[namespace, default: SIOInbox.Namespace()].awaitedAcks.insert(id)
            return id
        }
        try send(event, arguments, binary, namespace, id: id)
        let packet = try await inbox.state.wait("ack \(id) of \(namespace)", timeout: timeout) { state -> SIOPacket? in
            if let packet = state.namespaces[namespace]?.acks.removeValue(forKey: id) { return packet }
            try state.checkOpen()
            return nil
        }
        return try SIOArguments(packet, skipped: 0)
    }

    /// Answers an event of the server.
    package func acknowledge(_ event: SIOEvent, _ arguments: String..., binary: [[UInt8]] = []) throws {
        guard let id = event.id else { throw PeerError("no acknowledgement is wanted: \(event)") }
        let json = "[" + arguments.joined(separator: ",") + "]"
        let text = SIOPacket.text(
            binary.isEmpty ? 3 : 6, attachments: binary.count, namespace: event.namespace, id: id, json: json)
        try sendRaw(text, binary: binary)
    }

    /// Sends the text of a Socket.IO packet as it is, and attachments behind it.
    package func sendRaw(_ packet: String, binary: [[UInt8]] = []) throws {
        try session.send([.text(packet)] + binary.map(EIOMessage.binary))
    }

    /// JSON that stands for an attachment.
    package static func placeholder(_ number: Int) -> String {
        "{\"_placeholder\":true,\"num\":\(number)}"
    }

    private func send(
        _ event: String, _ arguments: [String], _ binary: [[UInt8]], _ namespace: String, id: Int?
    ) throws {
        let json = "[" + ([jsonString(event)] + arguments).joined(separator: ",") + "]"
        let text = SIOPacket.text(
            binary.isEmpty ? 2 : 5, attachments: binary.count, namespace: namespace, id: id, json: json)
        try sendRaw(text, binary: binary)
    }

    // MARK: Receiving

    /// Waits for the next event of a namespace. Events that came before the end of the session can be taken after it.
    package func nextEvent(_ namespace: String = "/", timeout: Duration = defaultTimeout) async throws -> SIOEvent {
        let packet = try await inbox.state.wait("an event in \(namespace)", timeout: timeout) { state -> SIOPacket? in
            if let packet = state.namespaces[namespace]?.events.popFirst() { return packet }
            try state.checkOpen()
            return nil
        }
        return try SIOEvent(packet)
    }

    /// Waits for the next event of a namespace, which must have this name.
    package func expectEvent(
        _ name: String, namespace: String = "/", timeout: Duration = defaultTimeout
    ) async throws -> SIOArguments {
        let event = try await nextEvent(namespace, timeout: timeout)
        guard event.name == name else { throw PeerError("expected the event \"\(name)\", got \(event)") }
        return event.arguments
    }

    /// Number of events that have arrived in a namespace, taken or not.
    package func eventCount(_ namespace: String = "/") -> Int {
        inbox.state.update { $0.namespaces[namespace]?.eventCount ?? 0 }
    }

    /// Number of events of a namespace that were not taken yet.
    package func pendingEvents(_ namespace: String = "/") -> Int {
        inbox.state.update { $0.namespaces[namespace]?.events.count ?? 0 }
    }

    /// What the server did wrong first, nil when all was right.
    package var protocolError: PeerError? { inbox.state.update { $0.failure } }
}
