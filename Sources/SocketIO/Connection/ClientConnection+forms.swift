import EngineIO
import NIOCore
import SocketIOCore

/// Packets in another form than the default one.
extension ClientConnection {
    /// A packet for the client that no socket sends, in the form of this server. Nil: its parser can't write it. Then the client can't
    /// be spoken to, and the connection is closed.
    func frames(of packet: EncodedPacket) -> ByteBuffer? {
        guard let form = self.server.form else { return packet.frames }
        do { return try form.encode(frames: packet.frames).frames } catch {
            self.server.main.report(error, socket: nil)
            self.session.enqueue { _ in self.closeByServer() }
            return nil
        }
    }

    /// A message has come.
    func receive(_ message: ByteBuffer, isBinary: Bool, _ decoder: any PacketFormDecoder, on loop: LoopContext) {
        do {
            if let packet = try decoder.decode(message, isBinary: isBinary) {
                self.attachmentsSince = nil
                self.receive(packet, on: loop)
            } else if self.attachmentsSince == nil {
                self.startAttachmentsTimer()
            }
        } catch {
            self.protocolError(error)
        }
    }
}
