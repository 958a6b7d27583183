import NIOCore

extension EncodedPacket {
    /// The JSON array of an event, its name first, and the binary data that placeholders in it refer to: for those who
    /// send it on in another form. Both share the bytes of the frames.
    ///
    /// - Throws: ``SocketIOError`` with code `invalid_packet` if this is no event of `namespace` without an id.
    package func event(
        namespace: String
    ) throws(SocketIOError) -> (json: ByteBuffer, attachments: [ByteBuffer]) {
        var rest = self.frames
        guard let text = ServerFrame.read(from: &rest), text.opcode == ServerFrame.text else {
            throw SocketIOError(.invalidPacket, "the packet has no text frame")
        }
        var json = text.payload
        let end = json.readerIndex + json.readableBytes
        let start = min(json.readerIndex + Self.prefixLength(self.attachmentCount, namespace), end)
        json.moveReaderIndex(to: start)
        guard json.getInteger(at: start, as: UInt8.self) == Byte.openArray else {
            throw SocketIOError(.invalidPacket, "the packet is no event of this namespace")
        }
        var attachments: [ByteBuffer] = []
        if self.attachmentCount > 0 { attachments.reserveCapacity(self.attachmentCount) }
        while let frame = ServerFrame.read(from: &rest) { attachments.append(frame.payload) }
        return (json, attachments)
    }

    /// Bytes before the payload of an event without id: Engine.IO's type, the packet's type, the number of attachments and
    /// its dash, the namespace and its comma.
    static func prefixLength(_ attachmentCount: Int, _ namespace: String) -> Int {
        var length = 2
        if attachmentCount > 0 { length += String(attachmentCount).utf8.count + 1 }
        if namespace != "/" { length += namespace.utf8.count + 1 }
        return length
    }
}

extension PacketEncoder {
    /// An event whose arguments have come in another form and are JSON now.
    ///
    /// - Parameters:
    ///   - json: The text of an array, the event's name first: well-formed, as it is not looked at.
    ///   - attachments: What placeholders in it refer to.
    package static func event(json: ByteBuffer, attachments: [ByteBuffer], namespace: String) -> EncodedPacket {
        var writer = Self.begin(namespace, nil, reserving: json.readableBytes + namespace.utf8.count + 1)
        writer.bytes.writeImmutableBuffer(json)
        writer.attachments = attachments
        return Self.finish(&writer, .event)
    }
}
