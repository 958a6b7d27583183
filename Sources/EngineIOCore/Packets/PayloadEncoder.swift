import NIOCore

/// Turns packets that lie framed in an outbox into the body of a polling response (protocol 4).
package enum PayloadEncoder {
    /// Appends each packet of `frames`, with a separator before it unless `body` is empty.
    ///
    /// - Parameters:
    ///   - frames: unmasked frames that we wrote. A text frame's payload is the packet as it is, a binary frame
    ///     becomes `b` and base64; control frames have no form here and are left out.
    ///   - body: only packets of this payload.
    package static func append(frames: ByteBuffer, to body: inout ByteBuffer) {
        var isFirst = body.readableBytes == 0
        self.append(frames: frames, to: &body, isFirst: &isFirst)
    }

    /// As ``append(frames:to:)``, to a buffer that holds something else in front of the payload.
    ///
    /// - Parameter isFirst: whether the payload has no packet yet.
    package static func append(frames: ByteBuffer, to body: inout ByteBuffer, isFirst: inout Bool) {
        var frames = frames
        while let (opcode, payload) = WebSocketFrame.next(from: &frames) {
            switch opcode {
            case .text, .binary:
                if !isFirst { body.writeInteger(PayloadDecoder.separator) }
                isFirst = false
            default: continue
            }
            if opcode == .text {
                body.writeImmutableBuffer(payload)
            } else {
                body.writeInteger(UInt8(ascii: "b"))
                Base64.encode(payload, to: &body)
            }
        }
    }

    /// The size of a payload of these packets.
    package static func encodedSize(of packets: [ByteBuffer]) -> Int {
        var size = 0
        for frames in packets {
            let more = self.encodedSize(ofFrames: frames)
            if more > 0 { size += more + (size > 0 ? 1 : 0) }
        }
        return size
    }

    /// The bytes that ``append(frames:to:)`` adds to an empty body; one more to a body that is not empty.
    package static func encodedSize(ofFrames frames: ByteBuffer) -> Int {
        var frames = frames
        var size = 0
        var packets = 0
        while let (opcode, payload) = WebSocketFrame.next(from: &frames) {
            switch opcode {
            case .text: size += payload.readableBytes
            case .binary: size += 1 + Base64.encodedLength(payload.readableBytes)
            default: continue
            }
            packets += 1
        }
        return size + max(0, packets - 1)
    }
}
