import EngineIOCore
import NIOCore

extension EngineConnection {
    /// A packet of an open connection. What comes while it is being closed is not received.
    func receive(_ packet: EngineIOPacket) {
        guard case .open = self.state.phase, let handler = self.handler else { return }
        switch packet {
        case .message(let text):
            guard self.isAllowed(text) else { return }
            handler.engineReceived(text: text)
        case .binary(let data):
            guard self.isAllowed(data) else { return }
            handler.engineReceived(binary: data)
        case .ping(let data):
            self.outbox.appendPong(data)
            self.liveness?.pinged(now: Self.now)
            handler.enginePinged()
        case .close:
            self.end("transport close", nil)
        case .open, .pong, .upgrade, .noop:
            break
        }
    }

    /// Polling knows the size of an answer only.
    private func isAllowed(_ message: ByteBuffer) -> Bool {
        guard message.readableBytes > self.configuration.maxMessageBytes else { return true }
        self.end(
            "transport error",
            EngineClientError(
                .messageTooLarge,
                """
                \(self.configuration.url.origin) has sent a message of \(message.readableBytes) bytes; raise \
                `maxMessageBytes` if that is meant
                """))
        return false
    }

    func receivedInvalid(_ error: EngineIOPacketError) {
        guard case .open = self.state.phase else { return }
        self.end(
            "parse error",
            EngineClientError(
                .invalidPacket,
                """
                \(self.configuration.url.origin) has sent what is no packet: \(error.message); does something on the way \
                change what it sends?
                """))
    }
}
