import SocketIOCore

/// For tools of this package that measure: called on the client's event loop, without a task in between.
extension SocketIOClient {
    /// Calls `body` for each event of this name as soon as it was read. It must not block.
    package func onLoop(_ event: String, _ body: @escaping @Sendable (ArgumentReader) -> Void) -> ListenerToken {
        self.core.addListener(event, once: false, answers: false) { arguments, call in
            body(arguments)
            if call.answersEmpty { call.ack?.send() }
        }
    }

    /// Sends an event that asks for an acknowledgement, for which it is waited as long as the connection lasts.
    ///
    /// - Throws: why the event can't be encoded; then nothing is called.
    package func emit(
        _ event: String,
        arguments: [SocketIOValue],
        acknowledged: @escaping @Sendable (Result<ArgumentReader, any Error>) -> Void
    ) throws {
        let id = self.core.makeAckID()
        let packet = try PacketEncoder.event(event, namespace: self.namespace, id: id, values: arguments)
        self.core.send(Outgoing(packet: packet, ackID: id, complete: acknowledged))
    }
}
