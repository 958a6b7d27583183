import SocketIOCore

/// Called once, with the acknowledgement or with the reason why there is none.
typealias AckCompletion = @Sendable (Result<ArgumentReader, any Error>) -> Void

/// An event on its way out.
struct Outgoing: Sendable {
    var packet: EncodedPacket
    /// If an acknowledgement is asked for.
    var ackID: Int?
    /// If somebody waits for it.
    var complete: AckCompletion?
    /// How long the acknowledgement may take.
    var timeout: Duration?
    var isVolatile = false

    var byteCount: Int { self.packet.frames.readableBytes }
}
