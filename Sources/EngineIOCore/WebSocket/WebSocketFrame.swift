import NIOCore

/// Writes frames, and walks over those that we wrote.
///
/// A frame of a server is not masked, so one that is written once serves every recipient of a broadcast.
package enum WebSocketFrame {
    /// The number of bytes in front of an unmasked payload of `payloadLength` bytes.
    @inlinable
    package static func headerLength(payloadLength: Int) -> Int {
        payloadLength < 126 ? 2 : (payloadLength <= 0xFFFF ? 4 : 10)
    }

    /// Writes the header of an unmasked, unfragmented frame; exactly `payloadLength` bytes must follow.
    @inlinable
    package static func writeHeader(opcode: WebSocketOpcode, payloadLength: Int, to buffer: inout ByteBuffer) {
        let first = UInt16(0x80 | opcode.rawValue) << 8
        if payloadLength < 126 {
            buffer.writeInteger(first | UInt16(truncatingIfNeeded: payloadLength))
        } else if payloadLength <= 0xFFFF {
            buffer.writeInteger(UInt32(first | 126) << 16 | UInt32(truncatingIfNeeded: payloadLength))
        } else {
            buffer.writeInteger(first | 127)
            buffer.writeInteger(UInt64(payloadLength))
        }
    }

    /// Appends an unmasked, unfragmented frame.
    package static func append(opcode: WebSocketOpcode, payload: ByteBuffer, to buffer: inout ByteBuffer) {
        let length = payload.readableBytes
        buffer.reserveCapacity(minimumWritableBytes: self.headerLength(payloadLength: length) + length)
        self.writeHeader(opcode: opcode, payloadLength: length, to: &buffer)
        buffer.writeImmutableBuffer(payload)
    }

    /// Appends a masked, unfragmented frame, as a client sends it.
    ///
    /// - Parameters:
    ///   - first: a byte in front of the payload, if any.
    ///   - key: fresh and unpredictable for each frame (RFC 6455 §5.3).
    package static func appendMasked(
        opcode: WebSocketOpcode,
        first: UInt8? = nil,
        payload: ByteBuffer,
        key: UInt32,
        to buffer: inout ByteBuffer
    ) {
        let prefix = first == nil ? 0 : 1
        let length = prefix + payload.readableBytes
        let header = self.headerLength(payloadLength: length)
        buffer.reserveCapacity(minimumWritableBytes: header + 4 + length)
        let start = buffer.writerIndex
        self.writeHeader(opcode: opcode, payloadLength: length, to: &buffer)
        if let second = buffer.getInteger(at: start + 1, as: UInt8.self) {
            buffer.setInteger(second | 0x80, at: start + 1)
        }
        buffer.writeInteger(key, endianness: .little)
        if let first { buffer.writeInteger(first ^ UInt8(truncatingIfNeeded: key)) }
        let rest = WebSocketMask.rotate(key, by: prefix)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: payload.readableBytes) { target in
            guard let base = target.baseAddress else { return 0 }
            payload.withUnsafeReadableBytes { WebSocketMask.apply(rest, from: $0, to: base) }
            return payload.readableBytes
        }
    }

    /// Takes the next frame off a buffer of whole unmasked frames that we wrote ourselves.
    ///
    /// The payload is a slice. Returns nil at the end, and for bytes that are not such a frame.
    package static func next(from buffer: inout ByteBuffer) -> (opcode: WebSocketOpcode, payload: ByteBuffer)? {
        let parsed = buffer.withUnsafeReadableBytes { WebSocketFrameHeader.parse($0, expectsMask: false) }
        guard case .header(let header) = parsed,
            header.payloadLength <= buffer.readableBytes - header.length
        else { return nil }
        buffer.moveReaderIndex(forwardBy: header.length)
        guard let payload = buffer.readSlice(length: header.payloadLength) else { return nil }
        return (header.opcode, payload)
    }

    /// A close frame; without a code its payload is empty.
    package static func close(code: UInt16?) -> ByteBuffer {
        var buffer = ByteBuffer()
        guard let code else {
            self.writeHeader(opcode: .close, payloadLength: 0, to: &buffer)
            return buffer
        }
        self.writeHeader(opcode: .close, payloadLength: 2, to: &buffer)
        buffer.writeInteger(code)
        return buffer
    }

    /// A ping frame with up to 125 bytes of `payload`; what is longer is cut off.
    package static func ping(_ payload: ByteBuffer = ByteBuffer()) -> ByteBuffer {
        self.control(.ping, payload)
    }

    /// A pong frame that echoes the payload of a ping.
    package static func pong(_ payload: ByteBuffer) -> ByteBuffer {
        self.control(.pong, payload)
    }

    private static func control(_ opcode: WebSocketOpcode, _ payload: ByteBuffer) -> ByteBuffer {
        var payload = payload
        let bounded = payload.readSlice(length: min(payload.readableBytes, 125)) ?? ByteBuffer()
        var buffer = ByteBuffer()
        self.append(opcode: opcode, payload: bounded, to: &buffer)
        return buffer
    }
}
