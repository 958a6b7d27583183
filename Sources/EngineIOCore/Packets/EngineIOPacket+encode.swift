import NIOCore

extension EngineIOPacket {
    /// Appends the packet as a server's WebSocket frame: binary messages as binary frames without a type, all else as
    /// text frames.
    package func appendFrame(to buffer: inout ByteBuffer) {
        guard let (type, data) = self.textForm else {
            if case .binary(let data) = self { WebSocketFrame.append(opcode: .binary, payload: data, to: &buffer) }
            return
        }
        let length = 1 + data.readableBytes
        buffer.reserveCapacity(minimumWritableBytes: WebSocketFrame.headerLength(payloadLength: length) + length)
        WebSocketFrame.writeHeader(opcode: .text, payloadLength: length, to: &buffer)
        buffer.writeInteger(type)
        buffer.writeImmutableBuffer(data)
    }

    /// Appends the packet as text: binary messages as `b` and base64. The form inside a polling payload.
    package func appendText(to buffer: inout ByteBuffer) {
        if let (type, data) = self.textForm {
            buffer.writeInteger(type)
            buffer.writeImmutableBuffer(data)
        } else if case .binary(let data) = self {
            buffer.writeInteger(UInt8(ascii: "b"))
            Base64.encode(data, to: &buffer)
        }
    }

    /// Appends the packet as a client's WebSocket frame.
    ///
    /// - Parameter key: fresh and unpredictable for each frame.
    package func appendMaskedFrame(key: UInt32, to buffer: inout ByteBuffer) {
        if let (type, data) = self.textForm {
            WebSocketFrame.appendMasked(opcode: .text, first: type, payload: data, key: key, to: &buffer)
        } else if case .binary(let data) = self {
            WebSocketFrame.appendMasked(opcode: .binary, payload: data, key: key, to: &buffer)
        }
    }

    /// The bytes that ``appendText(to:)`` appends.
    package var textLength: Int {
        if let (_, data) = self.textForm { return 1 + data.readableBytes }
        guard case .binary(let data) = self else { return 0 }
        return 1 + Base64.encodedLength(data.readableBytes)
    }

    /// The bytes of the data.
    package var dataLength: Int {
        if case .binary(let data) = self { return data.readableBytes }
        return self.textForm?.data.readableBytes ?? 0
    }

    /// The frame of the packet in a buffer of its own.
    package func makeFrame() -> ByteBuffer {
        var buffer = ByteBuffer()
        self.appendFrame(to: &buffer)
        return buffer
    }

    /// Nil for a binary message.
    private var textForm: (type: UInt8, data: ByteBuffer)? {
        switch self {
        case .open(let data): (UInt8(ascii: "0"), data)
        case .close: (UInt8(ascii: "1"), ByteBuffer())
        case .ping(let data): (UInt8(ascii: "2"), data)
        case .pong(let data): (UInt8(ascii: "3"), data)
        case .message(let data): (UInt8(ascii: "4"), data)
        case .upgrade: (UInt8(ascii: "5"), ByteBuffer())
        case .noop: (UInt8(ascii: "6"), ByteBuffer())
        case .binary: nil
        }
    }
}
