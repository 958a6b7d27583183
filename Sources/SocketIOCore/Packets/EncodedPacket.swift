import NIOCore

/// A packet as it goes over a WebSocket: the text frame, and behind it a binary frame for each attachment.
package struct EncodedPacket: Sendable {
    /// Complete, unmasked WebSocket frames of a server. The text frame holds the Engine.IO packet, type `4` included.
    package var frames: ByteBuffer
    /// The number of binary frames. Decoders of the reference refuse packets with more than 10.
    package var attachmentCount: Int

    package init(frames: ByteBuffer, attachmentCount: Int) {
        self.frames = frames
        self.attachmentCount = attachmentCount
    }
}

/// Reads the event in a packet that this package has encoded, for those who watch what goes out.
///
/// - Throws: ``SocketIOError`` if `packet` is not an event.
package func decodeOwnEvent(
    _ packet: EncodedPacket
) throws(SocketIOError) -> (name: String, arguments: [SocketIOValue]) {
    var decoder = PacketDecoder(limits: .ownPackets)
    var frames = packet.frames
    var decoded: Packet?
    while decoded == nil, let frame = ServerFrame.read(from: &frames) {
        if frame.opcode == ServerFrame.text {
            // Behind the type character of Engine.IO.
            var text = frame.payload
            text.moveReaderIndex(forwardBy: min(1, text.readableBytes))
            decoded = try decoder.decode(text: text)
        } else {
            decoded = try decoder.decode(binary: frame.payload)
        }
    }
    guard let decoded, decoded.type == .event else { throw SocketIOError(.invalidPacket, "the packet is no event") }
    var arguments = decoded.arguments
    return (decoded.eventName, try arguments.remainingValues())
}

extension PacketLimits {
    /// For packets that this process has made.
    static let ownPackets = PacketLimits(
        maxAttachments: .max,
        maxAttachmentBytes: .max,
        maxDepth: JSONReader.maxDepth,
        maxArguments: .max - 1,
        maxNamespaceLength: .max
    )
}

/// The frames of a WebSocket as a server sends them: final and not masked.
enum ServerFrame {
    static let text: UInt8 = 0x1
    static let binary: UInt8 = 0x2
    /// Bytes of the longest header.
    static let maxHeaderLength = 10

    /// Gives the bytes of a header, the last one first.
    @inline(__always)
    static func header(_ opcode: UInt8, length: Int, backwards put: (UInt8) -> Void) {
        if length < 126 {
            put(UInt8(truncatingIfNeeded: length))
        } else {
            let isShort = length <= 0xFFFF
            var rest = length
            for _ in 0..<(isShort ? 2 : 8) {
                put(UInt8(truncatingIfNeeded: rest))
                rest >>= 8
            }
            put(isShort ? 126 : 127)
        }
        put(0x80 | opcode)
    }

    /// Appends a whole frame.
    static func append(_ opcode: UInt8, _ payload: ByteBuffer, to buffer: inout ByteBuffer) {
        buffer.reserveCapacity(minimumWritableBytes: Self.maxHeaderLength + payload.readableBytes)
        var header: (UInt64, UInt64) = (0, 0)
        withUnsafeMutableBytes(of: &header) { header in
            var index = header.count
            Self.header(opcode, length: payload.readableBytes) { byte in
                index -= 1
                header[index] = byte
            }
            buffer.writeBytes(UnsafeRawBufferPointer(rebasing: header[index..<header.count]))
        }
        buffer.writeImmutableBuffer(payload)
    }

    /// Takes the next frame off the front; `nil` if there is none or it is incomplete.
    static func read(from buffer: inout ByteBuffer) -> (opcode: UInt8, payload: ByteBuffer)? {
        guard let first: UInt8 = buffer.readInteger(), let short: UInt8 = buffer.readInteger() else { return nil }
        let length: Int?
        switch short {
        case 126: length = (buffer.readInteger() as UInt16?).map { Int($0) }
        case 127: length = (buffer.readInteger() as UInt64?).flatMap { Int(exactly: $0) }
        default: length = Int(short & 0x7F)
        }
        guard let length, let payload = buffer.readSlice(length: length) else { return nil }
        return (first & 0xF, payload)
    }
}
