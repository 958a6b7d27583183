import NIOCore

extension PacketEncoder {
    /// An event that was encoded without an id, with one: it then asks for an acknowledgement.
    ///
    /// - Throws: ``SocketIOError`` with code `invalid_packet` if `packet` is no packet of `namespace`.
    package static func withAckID(
        _ packet: EncodedPacket,
        namespace: String,
        id: Int
    ) throws(SocketIOError) -> EncodedPacket {
        var rest = packet.frames
        guard let text = ServerFrame.read(from: &rest), text.opcode == ServerFrame.text else {
            throw SocketIOError(.invalidPacket, "the packet has no text frame")
        }
        let prefix = EncodedPacket.prefixLength(packet.attachmentCount, namespace)
        var payload = text.payload
        guard var body = payload.readSlice(length: prefix), payload.readableBytes > 0 else {
            throw SocketIOError(.invalidPacket, "the packet is not of this namespace")
        }
        body.writeString(String(id))
        body.writeBuffer(&payload)
        var frames = ByteBuffer()
        ServerFrame.append(ServerFrame.text, body, to: &frames)
        frames.writeBuffer(&rest)
        return EncodedPacket(frames: frames, attachmentCount: packet.attachmentCount)
    }
}

extension ArgumentReader {
    /// A reader of values.
    ///
    /// - Throws: ``SocketIOError`` if a value can't be encoded.
    package init(values: [SocketIOValue]) throws(SocketIOError) {
        var writer = JSONWriter(reserving: 64)
        writer.writeByte(Byte.openArray)
        var isFirst = true
        for value in values {
            if !isFirst { writer.writeByte(Byte.comma) }
            isFirst = false
            try writer.write(value)
        }
        writer.writeByte(Byte.closeArray)
        try self.init(checking: writer.bytes, attachments: writer.attachments, maxDepth: JSONWriter.maxDepth + 8)
    }
}

extension Packet {
    /// What CONNECT carries; null if nothing.
    package func connectData() throws(SocketIOError) -> SocketIOValue {
        var reader = self.arguments
        return reader.isAtEnd ? .null : try reader.nextValue()
    }
}
