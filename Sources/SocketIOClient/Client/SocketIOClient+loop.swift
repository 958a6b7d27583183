import SocketIOCore

/// For tools of this package that measure: on the client's event loop, without a task in between.
extension SocketIOClient {
    /// Calls `body` for each event of this name as soon as it was read. It must not block.
    package func onLoop(_ event: String, _ body: @escaping @Sendable (ArgumentReader) -> Void) -> ListenerToken {
        self.core.addListener(event, once: false, answers: false) { arguments, call in
            body(arguments)
            if call.answersEmpty { call.ack?.send() }
        }
    }

    /// An event that has only to be sent.
    package struct PreparedEvent: Sendable {
        let packet: EncodedPacket
        let ackID: Int?
    }

    /// Encodes an event for one ``send(_:atOnce:acknowledged:)``.
    ///
    /// - Throws: why it can't be encoded.
    package func prepare(
        _ event: String, arguments: [SocketIOValue], wantsAnswer: Bool
    ) throws -> PreparedEvent {
        let id = wantsAnswer ? self.core.makeAckID() : nil
        return PreparedEvent(
            packet: try PacketEncoder.event(event, namespace: self.namespace, id: id, values: arguments), ackID: id)
    }

    /// Sends an event, on the client's event loop.
    ///
    /// - Parameters:
    ///   - atOnce: not with what else is sent in this turn of the loop.
    ///   - acknowledged: called on the loop if an answer is wanted, which is waited for as long as the connection lasts.
    package func send(
        _ event: PreparedEvent, atOnce: Bool,
        acknowledged: (@Sendable (Result<ArgumentReader, any Error>) -> Void)? = nil
    ) {
        self.core.send(Outgoing(packet: event.packet, ackID: event.ackID, complete: acknowledged))
        if atOnce { self.core.manager.takeInbox() }
    }
}
