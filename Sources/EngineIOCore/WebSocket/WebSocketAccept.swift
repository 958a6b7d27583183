import NIOCore

/// The proof that a server has understood the handshake (RFC 6455 §4).
package enum WebSocketAccept {
    /// The value of `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key`.
    package static func value(forKey key: String) -> String {
        var message: [UInt8] = []
        message.reserveCapacity(key.utf8.count + 36)
        message.append(contentsOf: key.utf8)
        message.append(contentsOf: "258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8)
        return self.base64(SHA1.digest(message))
    }

    /// Whether the text is the base64 of 16 bytes.
    package static func isKey(_ key: String) -> Bool {
        key.utf8.count == 24 && key.utf8.suffix(2).elementsEqual("==".utf8)
            && key.utf8.dropLast(2).allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                    true
                default: false
                }
            }
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
