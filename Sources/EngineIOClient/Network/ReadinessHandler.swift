import EngineIOCore
import NIOCore
import NIOSSL
import NIOTLS

/// The connection may be written to: TCP is there, and if there is TLS, its handshake is over and the pins are right.
struct ConnectionReady: Sendable {}

/// Says when a connection is ready, and checks the server's public key before.
final class ReadinessHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let isSecure: Bool
    private let pins: [String]
    private let url: EngineURL

    init(isSecure: Bool, pins: [String], url: EngineURL) {
        self.isSecure = isSecure
        self.pins = pins
        self.url = url
    }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        if !self.isSecure { context.fireUserInboundEventTriggered(ConnectionReady()) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        if let error = self.checkPins(context) {
            context.fireErrorCaught(error)
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(ConnectionReady())
        }
    }

    private func checkPins(_ context: ChannelHandlerContext) -> EngineClientError? {
        guard !self.pins.isEmpty else { return nil }
        let handler = try? context.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self)
        guard let key = try? handler?.peerCertificate?.extractPublicKey().toSPKIBytes() else {
            return EngineClientError(.tlsPin, "\(self.url.origin) has shown no certificate whose key could be checked")
        }
        let pin = Self.pin(ofKey: key)
        guard !self.pins.contains(pin) else { return nil }
        return EngineClientError(
            .tlsPin,
            """
            the public key of \(self.url.origin) is none of the pinned ones but \(pin); if the server has changed its key, the \
            new one must be pinned, else somebody stands between
            """)
    }

    /// SHA-256 of the SubjectPublicKeyInfo, in base64.
    static func pin(ofKey key: [UInt8]) -> String {
        var text = ByteBuffer()
        Base64.encode(ByteBuffer(bytes: SHA256.digest(key)), to: &text)
        return String(buffer: text)
    }
}

@available(*, unavailable)
extension ReadinessHandler: Sendable {}
