import NIOCore

/// Turns packets that lie framed in an outbox into what clients of protocol 3 read.
package enum Version3Encoder {
    /// The body of a polling response.
    ///
    /// - Parameters:
    ///   - packets: unmasked frames that we wrote. Control frames have no form here and are left out.
    ///   - usesBase64: whether the client can't read binary payloads.
    package static func payload(
        _ packets: [ByteBuffer], usesBase64: Bool
    ) -> (body: ByteBuffer, isBinary: Bool) {
        let isBinary = !usesBase64 && packets.contains { Self.holdsBinary($0) }
        let size = packets.reduce(0) { $0 + $1.readableBytes }
        var body = ByteBufferAllocator().buffer(capacity: size + 8 * packets.count)
        for var frames in packets {
            while let (opcode, payload) = WebSocketFrame.next(from: &frames) {
                switch (opcode, isBinary) {
                case (.text, false): Self.append(text: payload, to: &body)
                case (.binary, false): Self.append(base64: payload, to: &body)
                case (.text, true): Self.append(payload, isText: true, to: &body)
                case (.binary, true): Self.append(payload, isText: false, to: &body)
                default: break
                }
            }
        }
        if body.readableBytes == 0, !isBinary { body.writeStaticString("0:") }
        return (body, isBinary)
    }

    private static func append(text: ByteBuffer, to body: inout ByteBuffer) {
        body.writeString(String(UTF16Length.of(text)))
        body.writeInteger(UInt8(ascii: ":"))
        body.writeImmutableBuffer(text)
    }

    private static func append(base64 data: ByteBuffer, to body: inout ByteBuffer) {
        body.writeString(String(2 + Base64.encodedLength(data.readableBytes)))
        body.writeStaticString(":b4")
        Base64.encode(data, to: &body)
    }

    private static func append(_ content: ByteBuffer, isText: Bool, to body: inout ByteBuffer) {
        body.writeInteger(UInt8(isText ? 0 : 1))
        for digit in String(content.readableBytes + (isText ? 0 : 1)).utf8 {
            body.writeInteger(digit &- UInt8(ascii: "0"))
        }
        body.writeInteger(UInt8(255))
        if !isText { body.writeInteger(UInt8(4)) }
        body.writeImmutableBuffer(content)
    }

    /// The frames for a WebSocket of protocol 3; nil if they are the same, as they are without binary data.
    package static func frames(_ frames: ByteBuffer, usesBase64: Bool) -> ByteBuffer? {
        guard Self.holdsBinary(frames) else { return nil }
        var rest = frames
        let size = frames.readableBytes
        var converted = ByteBufferAllocator().buffer(capacity: usesBase64 ? Base64.encodedLength(size) : size + 16)
        while let (opcode, payload) = WebSocketFrame.next(from: &rest) {
            switch (opcode, usesBase64) {
            case (.binary, true):
                let length = 2 + Base64.encodedLength(payload.readableBytes)
                WebSocketFrame.writeHeader(opcode: .text, payloadLength: length, to: &converted)
                converted.writeStaticString("b4")
                Base64.encode(payload, to: &converted)
            case (.binary, false):
                WebSocketFrame.writeHeader(
                    opcode: .binary, payloadLength: 1 + payload.readableBytes, to: &converted)
                converted.writeInteger(UInt8(4))
                converted.writeImmutableBuffer(payload)
            default: WebSocketFrame.append(opcode: opcode, payload: payload, to: &converted)
            }
        }
        return converted
    }

    private static func holdsBinary(_ frames: ByteBuffer) -> Bool {
        var rest = frames
        while let (opcode, _) = WebSocketFrame.next(from: &rest) {
            if opcode == .binary { return true }
        }
        return false
    }
}
