import NIOCore

/// What the server says in the `open` packet.
package struct Handshake: Sendable, Equatable {
    package var sid: String
    /// The transports that the client may upgrade to.
    package var upgrades: [String]
    /// Milliseconds.
    package var pingInterval: Int
    /// Milliseconds.
    package var pingTimeout: Int
    /// The most bytes of a POST body or a WebSocket message of the client; `Int.max` in what was read of a server that names none.
    package var maxPayload: Int

    package init(sid: String, upgrades: [String], pingInterval: Int, pingTimeout: Int, maxPayload: Int) {
        self.sid = sid
        self.upgrades = upgrades
        self.pingInterval = pingInterval
        self.pingTimeout = pingTimeout
        self.maxPayload = maxPayload
    }

    /// The `open` packet.
    package var packet: EngineIOPacket {
        var json = ByteBufferAllocator().buffer(capacity: 160)
        self.writeJSON(to: &json)
        return .open(json)
    }

    /// Writes the JSON object with its keys in the order of the protocol.
    package func writeJSON(to buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"sid\":")
        Self.writeString(self.sid, to: &buffer)
        buffer.writeStaticString(",\"upgrades\":[")
        for (index, name) in self.upgrades.enumerated() {
            if index > 0 { buffer.writeInteger(UInt8(ascii: ",")) }
            Self.writeString(name, to: &buffer)
        }
        buffer.writeStaticString("],\"pingInterval\":")
        buffer.writeString(String(self.pingInterval))
        buffer.writeStaticString(",\"pingTimeout\":")
        buffer.writeString(String(self.pingTimeout))
        buffer.writeStaticString(",\"maxPayload\":")
        buffer.writeString(String(self.maxPayload))
        buffer.writeInteger(UInt8(ascii: "}"))
    }

    /// An id may come from the user's own generator, so it is escaped like any string.
    private static func writeString(_ string: String, to buffer: inout ByteBuffer) {
        buffer.writeInteger(UInt8(ascii: "\""))
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                buffer.writeInteger(UInt8(ascii: "\\"))
                buffer.writeInteger(byte)
            case 0..<0x20:
                buffer.writeStaticString("\\u00")
                buffer.writeInteger(UInt8(ascii: "0") + byte >> 4)
                let low = byte & 0xF
                buffer.writeInteger(low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "a") + low - 10)
            default:
                buffer.writeInteger(byte)
            }
        }
        buffer.writeInteger(UInt8(ascii: "\""))
    }
}
