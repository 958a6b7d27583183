import NIOCore

/// An event with one more argument behind its own: the offset by which a client says later what it has got last.
package struct OffsetPacket: Sendable {
    package private(set) var frames: ByteBuffer
    /// Where the offset begins in the frames.
    private let index: Int

    fileprivate init(frames: ByteBuffer, index: Int) {
        self.frames = frames
        self.index = index
    }

    /// Writes another offset of the same length in the place of the one it was made with. Nothing is copied as long as the
    /// frames are held by nobody else.
    package mutating func set(_ offset: some Sequence<UInt8>) {
        self.frames.setBytes(offset, at: self.index)
    }
}

extension EncodedPacket {
    /// Whether an event's last element is a text, which may be that of its name.
    package var endsInText: Bool {
        var rest = self.frames
        guard let text = ServerFrame.read(from: &rest), text.opcode == ServerFrame.text else { return false }
        return text.payload.readableBytesView.suffix(2).elementsEqual([Byte.quote, Byte.closeArray])
    }
}

extension PacketEncoder {
    /// An event that was encoded without an id, with `offset` as its last argument.
    ///
    /// - Parameter offset: Characters that JSON takes as they are.
    /// - Throws: ``SocketIOError`` with code `invalid_packet` if `packet` is no event.
    package static func withOffset(
        _ packet: EncodedPacket,
        _ offset: String
    ) throws(SocketIOError) -> OffsetPacket {
        var rest = packet.frames
        guard let text = ServerFrame.read(from: &rest), text.opcode == ServerFrame.text else {
            throw SocketIOError(.invalidPacket, "the packet has no text frame")
        }
        var body = text.payload
        let length = body.readableBytes - 1
        guard length > 0, body.getInteger(at: body.readerIndex + length, as: UInt8.self) == Byte.closeArray,
            let head = body.readSlice(length: length)
        else { throw SocketIOError(.invalidPacket, "the packet is no event") }
        // A comma, two quotes and the bracket.
        let size = length + offset.utf8.count + 4
        var frames = ByteBuffer()
        frames.reserveCapacity(ServerFrame.maxHeaderLength + size + rest.readableBytes)
        ServerFrame.appendHeader(ServerFrame.text, length: size, to: &frames)
        frames.writeImmutableBuffer(head)
        frames.writeInteger(Byte.comma)
        frames.writeInteger(Byte.quote)
        let index = frames.writerIndex
        frames.writeString(offset)
        frames.writeInteger(Byte.quote)
        frames.writeInteger(Byte.closeArray)
        frames.writeBuffer(&rest)
        return OffsetPacket(frames: frames, index: index)
    }
}

extension ServerFrame {
    fileprivate static func appendHeader(_ opcode: UInt8, length: Int, to buffer: inout ByteBuffer) {
        var header: (UInt64, UInt64) = (0, 0)
        withUnsafeMutableBytes(of: &header) { header in
            var index = header.count
            Self.header(opcode, length: length) { byte in
                index -= 1
                header[index] = byte
            }
            buffer.writeBytes(UnsafeRawBufferPointer(rebasing: header[index..<header.count]))
        }
    }
}
