import NIOCore

/// The proof that a server has understood the handshake (RFC 6455 §4).
package enum WebSocketAccept {
    /// The value of `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key`.
    package static func value(forKey key: String) -> String {
        let digest = SHA1.digest(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
        return self.base64(digest)
    }

    /// 16 bytes of the system's random source, in base64.
    package static func randomKey() -> String {
        var source = SystemRandomNumberGenerator()
        return self.base64((0..<16).map { _ in UInt8.random(in: .min ... .max, using: &source) })
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        var text = ByteBuffer()
        Base64.encode(ByteBuffer(bytes: bytes), to: &text)
        return String(buffer: text)
    }
}
