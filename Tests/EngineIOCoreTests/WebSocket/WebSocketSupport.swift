import NIOCore

@testable import EngineIOCore

/// What a decoder made of some bytes.
struct DecodeResult: Equatable {
    var messages: [WebSocketMessage] = []
    var error: WebSocketError?
}

/// Whether the decoder owns the storage of what it is given; NIO's pooled buffers are never its own.
enum Ownership: CaseIterable {
    case unique
    case shared
    /// Shared, and reads of one text are tried first.
    case sharedAndOnly
}

func decode(
    _ reads: [ByteBuffer],
    with decoder: WebSocketDecoder = WebSocketDecoder(maxMessageBytes: 1 << 20),
    ownership: Ownership = .unique
) -> DecodeResult {
    var decoder = decoder
    var scratch = ByteBuffer()
    var result = DecodeResult()
    for read in reads {
        let copy = ByteBuffer(bytes: read.readableBytesView)
        let held = ownership == .unique ? ByteBuffer() : copy
        do {
            if ownership == .sharedAndOnly, let text = try decoder.decodeOnly(copy, scratch: &scratch) {
                result.messages.append(.text(text))
                continue
            }
            try decoder.decode(copy, scratch: &scratch, into: &result.messages)
        } catch {
            result.error = error
            return result
        }
        withExtendedLifetime(held) {}
    }
    return result
}

func decode(_ stream: ByteBuffer, ownership: Ownership = .unique) -> DecodeResult {
    decode([stream], ownership: ownership)
}

extension ByteBuffer {
    /// The readable bytes cut at `offsets` (ascending).
    func cut(at offsets: [Int]) -> [ByteBuffer] {
        var rest = self
        var pieces: [ByteBuffer] = []
        for offset in offsets {
            let length = offset - (self.readableBytes - rest.readableBytes)
            if length > 0, let piece = rest.readSlice(length: length) { pieces.append(piece) }
        }
        pieces.append(rest)
        return pieces
    }
}

/// Builds a client's frames, fragments included, without the code under test.
struct FrameBuilder {
    var buffer = ByteBuffer()
    var key: UInt32 = 0x37FA_213D

    mutating func add(_ opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true, reserved: UInt8 = 0) {
        self.buffer.writeInteger((isFinal ? 0x80 : 0) | reserved | opcode)
        if payload.count < 126 {
            self.buffer.writeInteger(0x80 | UInt8(payload.count))
        } else if payload.count < 65536 {
            self.buffer.writeInteger(0xFE as UInt8)
            self.buffer.writeInteger(UInt16(payload.count))
        } else {
            self.buffer.writeInteger(0xFF as UInt8)
            self.buffer.writeInteger(UInt64(payload.count))
        }
        let key = (0..<4).map { UInt8(truncatingIfNeeded: self.key >> (24 - 8 * $0)) }
        self.buffer.writeBytes(key)
        self.buffer.writeBytes(payload.enumerated().map { $1 ^ key[$0 % 4] })
        self.key = self.key &* 1_664_525 &+ 1_013_904_223
    }

    mutating func add(_ opcode: UInt8, _ text: String, isFinal: Bool = true) {
        self.add(opcode, Array(text.utf8), isFinal: isFinal)
    }
}
