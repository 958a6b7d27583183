import NIOCore

/// What a WebSocket peer sent: a message, put together from its fragments, or a control frame.
package enum WSFrame: Sendable, Equatable {
    /// A text message.
    case text(String)
    /// A binary message.
    case binary([UInt8])
    /// A ping with its data.
    case ping([UInt8])
    /// A pong with its data.
    case pong([UInt8])
    /// A close frame; no code when the frame is empty.
    case close(code: UInt16?, reason: String)
}

/// One frame as the test wants it on the wire, right or wrong.
package struct RawFrame: Sendable {
    /// How the length is written.
    package enum LengthForm: Sendable {
        /// The shortest form, the only right one.
        case shortest
        /// 126 and two bytes.
        case bits16
        /// 127 and eight bytes.
        case bits64
    }

    /// The FIN bit.
    package var isFinal: Bool
    /// RSV1 to RSV3 as a number from 0 to 7; RSV1 is 4.
    package var reserved: UInt8
    /// 0 to 15: 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong.
    package var opcode: UInt8
    /// Whether the frame is masked, as a client's must be.
    package var isMasked: Bool
    /// The payload before masking.
    package var payload: [UInt8]
    /// The length in the header when it shall differ from that of the payload.
    package var declaredLength: UInt64?
    /// How the length is written.
    package var lengthForm: LengthForm

    /// Makes a frame; the defaults are those of a correct client.
    package init(
        opcode: UInt8,
        payload: [UInt8] = [],
        isFinal: Bool = true,
        reserved: UInt8 = 0,
        isMasked: Bool = true,
        declaredLength: UInt64? = nil,
        lengthForm: LengthForm = .shortest
    ) {
        self.opcode = opcode
        self.payload = payload
        self.isFinal = isFinal
        self.reserved = reserved
        self.isMasked = isMasked
        self.declaredLength = declaredLength
        self.lengthForm = lengthForm
    }

    /// The bytes of the frame, with a random mask when it is masked.
    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(payload.count + 14)
        bytes.append((isFinal ? 0x80 : 0) | (reserved & 7) << 4 | (opcode & 15))
        let maskBit: UInt8 = isMasked ? 0x80 : 0
        let length = declaredLength ?? UInt64(payload.count)
        let isShort = lengthForm == .shortest && length < 126
        if isShort {
            bytes.append(maskBit | UInt8(length))
        } else if lengthForm == .bits16 || (lengthForm == .shortest && length <= 0xFFFF) {
            bytes.append(maskBit | 126)
            bytes.append(UInt8(truncatingIfNeeded: length >> 8))
            bytes.append(UInt8(truncatingIfNeeded: length))
        } else {
            bytes.append(maskBit | 127)
            for shift in stride(from: UInt64(56), through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: length >> shift))
            }
        }
        guard isMasked else { return bytes + payload }
        let key = UInt32.random(in: 0...UInt32.max)
        let mask = (0..<4).map { UInt8(truncatingIfNeeded: key >> (8 * UInt32($0))) }
        bytes += mask
        for (index, byte) in payload.enumerated() { bytes.append(byte ^ mask[index & 3]) }
        return bytes
    }

    /// Takes one frame of a server off the buffer, nil when it is not complete.
    ///
    /// - Throws: `PeerError` for what a server that agreed on no extension must not send.
    static func parse(_ buffer: inout ByteBuffer) throws -> RawFrame? {
        var rest = buffer
        guard let first = rest.readInteger(as: UInt8.self), let second = rest.readInteger(as: UInt8.self) else {
            return nil
        }
        guard first & 0x70 == 0 else { throw PeerError("a frame with reserved bits: \(first)") }
        guard second & 0x80 == 0 else { throw PeerError("a masked frame from a server") }
        let opcode = first & 15
        guard opcode <= 2 || (8...10).contains(opcode) else { throw PeerError("a frame with opcode \(opcode)") }
        let isFinal = first & 0x80 != 0
        let isControl = opcode >= 8
        guard !isControl || (isFinal && second <= 125) else { throw PeerError("a wrong control frame") }
        var length = UInt64(second)
        if second == 126 {
            guard let value = rest.readInteger(as: UInt16.self) else { return nil }
            guard value > 125 else { throw PeerError("a frame length that is not in the shortest form") }
            length = UInt64(value)
        } else if second == 127 {
            guard let value = rest.readInteger(as: UInt64.self) else { return nil }
            guard value > 0xFFFF else { throw PeerError("a frame length that is not in the shortest form") }
            length = value
        }
        guard length <= UInt64(Int32.max) else { throw PeerError("a frame of \(length) bytes") }
        guard let payload = rest.readBytes(length: Int(length)) else { return nil }
        buffer = rest
        return RawFrame(opcode: opcode, payload: payload, isFinal: isFinal, isMasked: false)
    }
}

/// Puts messages together from frames.
struct WSAssembly: Sendable {
    private var opcode: UInt8?
    private var fragments: [UInt8] = []

    /// Takes frames off the buffer until a message or a control frame is complete.
    mutating func next(_ buffer: inout ByteBuffer) throws -> WSFrame? {
        while let frame = try RawFrame.parse(&buffer) {
            switch (frame.opcode, opcode) {
            case (8, _): return try Self.close(frame.payload)
            case (9, _): return .ping(frame.payload)
            case (10, _): return .pong(frame.payload)
            case (0, nil): throw PeerError("a continuation of nothing")
            case (1, .some), (2, .some): throw PeerError("a message inside another")
            case (_, nil) where frame.isFinal: return try Self.message(frame.opcode, frame.payload)
            default:
                opcode = opcode ?? frame.opcode
                fragments += frame.payload
                guard frame.isFinal else { continue }
                defer {
                    opcode = nil
                    fragments = []
                }
                return try Self.message(opcode ?? frame.opcode, fragments)
            }
        }
        return nil
    }

    private static func message(_ opcode: UInt8, _ payload: [UInt8]) throws -> WSFrame {
        if opcode == 2 { return .binary(payload) }
        guard let text = String(validating: payload, as: UTF8.self) else { throw PeerError("text that is not UTF-8") }
        return .text(text)
    }

    private static func close(_ payload: [UInt8]) throws -> WSFrame {
        guard payload.count >= 2 else {
            guard payload.isEmpty else { throw PeerError("a close frame of one byte") }
            return .close(code: nil, reason: "")
        }
        guard let reason = String(validating: payload.dropFirst(2), as: UTF8.self) else {
            throw PeerError("a close reason that is not UTF-8")
        }
        return .close(code: UInt16(payload[0]) << 8 | UInt16(payload[1]), reason: reason)
    }
}
