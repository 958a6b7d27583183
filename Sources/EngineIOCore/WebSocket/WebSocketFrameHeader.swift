/// The first 2 to 14 bytes of a frame.
struct WebSocketFrameHeader {
    enum Parsed {
        /// More bytes are needed: `needed` in all (a lower bound).
        case incomplete(needed: Int)
        case header(WebSocketFrameHeader)
        case invalid(WebSocketError)
    }

    /// The longest header: 2 bytes, 8 of length, 4 of mask.
    static let maxLength = 14

    let opcode: WebSocketOpcode
    let isFinal: Bool
    /// In the order of the wire from the low byte up; 0 if the frame is not masked.
    let maskingKey: UInt32
    /// Bytes of this header.
    let length: Int
    let payloadLength: Int

    /// Reads and checks the header that `bytes` begins with. Violations are found as early as the bytes allow.
    @inline(__always)
    static func parse(_ bytes: UnsafeRawBufferPointer, expectsMask: Bool) -> Parsed {
        guard bytes.count >= 2 else { return .incomplete(needed: 2) }
        let first = bytes[0]
        let second = bytes[1]
        guard first & 0x70 == 0 else { return .invalid(.reservedBits) }
        guard let opcode = WebSocketOpcode(rawValue: first & 0x0F) else { return .invalid(.unknownOpcode) }
        let isMasked = second & 0x80 != 0
        guard isMasked == expectsMask else { return .invalid(expectsMask ? .maskMissing : .maskForbidden) }
        let shortLength = Int(second & 0x7F)
        let isFinal = first & 0x80 != 0
        if opcode.isControl {
            guard isFinal else { return .invalid(.fragmentedControlFrame) }
            guard shortLength <= 125 else { return .invalid(.controlFrameTooLong) }
        }
        let lengthBytes = shortLength < 126 ? 0 : (shortLength == 126 ? 2 : 8)
        let length = 2 + lengthBytes + (isMasked ? 4 : 0)
        guard bytes.count >= length else { return .incomplete(needed: length) }
        let payloadLength: Int
        switch lengthBytes {
        case 0:
            payloadLength = shortLength
        case 2:
            payloadLength = Int(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
            guard payloadLength >= 126 else { return .invalid(.lengthNotMinimal) }
        default:
            let long = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt64.self))
            guard long >> 63 == 0 else { return .invalid(.lengthHighBit) }
            guard long > 0xFFFF else { return .invalid(.lengthNotMinimal) }
            // On a 32-bit machine a length that Int can't hold is over any limit.
            payloadLength = Int(clamping: long)
        }
        let key =
            isMasked
            ? UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: length - 4, as: UInt32.self)) : 0
        return .header(
            WebSocketFrameHeader(
                opcode: opcode,
                isFinal: isFinal,
                maskingKey: key,
                length: length,
                payloadLength: payloadLength
            )
        )
    }
}
