import NIOCore

extension Packet {
    /// A packet that this package has encoded, taken apart. Its payload is not looked at, so that it has no event name, and
    /// ``arguments`` of it can't be read.
    ///
    /// - Parameter frames: Those of an ``EncodedPacket`` in the default form.
    package init(own frames: ByteBuffer) throws(SocketIOError) {
        var rest = frames
        guard let frame = ServerFrame.read(from: &rest), frame.opcode == ServerFrame.text else {
            throw SocketIOError(.invalidPacket, "the packet has no text frame")
        }
        var text = frame.payload
        text.moveReaderIndex(forwardBy: min(1, text.readableBytes))
        let header = try text.withUnsafeReadableBytes { bytes throws(SocketIOError) in
            try PacketHeader(bytes, limits: .ownPackets)
        }
        text.moveReaderIndex(forwardBy: header.end)
        var attachments: [ByteBuffer] = []
        while let frame = ServerFrame.read(from: &rest) { attachments.append(frame.payload) }
        self.init(
            type: header.type.decoded,
            isBinary: header.attachments != nil,
            namespace: header.namespace,
            id: header.id,
            payload: text.readableBytes > 0 ? text : nil,
            attachments: attachments,
            eventName: "",
            argumentsOffset: 0
        )
    }

    /// A packet that has come in another form, checked as one in the default form is.
    ///
    /// - Parameters:
    ///   - payload: JSON text, checked here too.
    ///   - attachments: what placeholders in it refer to.
    /// - Throws: ``SocketIOError``.
    package init(
        checking type: PacketType,
        namespace: String,
        id: Int?,
        payload: ByteBuffer?,
        attachments: [ByteBuffer],
        limits: PacketLimits
    ) throws(SocketIOError) {
        guard namespace.utf8.first == UInt8(ascii: "/"), !namespace.utf8.contains(Byte.comma) else {
            throw SocketIOError(.invalidPacket, "invalid namespace")
        }
        guard namespace.utf8.count <= limits.maxNamespaceLength else {
            throw SocketIOError(.limitExceeded, "the namespace is longer than \(limits.maxNamespaceLength) bytes")
        }
        if let id, id < 0 { throw SocketIOError(.invalidPacket, "invalid packet id") }
        guard attachments.count <= limits.maxAttachments else {
            throw SocketIOError(.tooManyAttachments, "too many attachments")
        }
        var bytes = 0
        for attachment in attachments {
            bytes += attachment.readableBytes
            guard bytes <= limits.maxAttachmentBytes else { throw SocketIOError.tooManyBytes(limits) }
        }
        self.init(
            type: type.decoded,
            isBinary: !attachments.isEmpty,
            namespace: namespace,
            id: id,
            payload: nil,
            attachments: attachments,
            eventName: "",
            argumentsOffset: 0
        )
        guard let payload else {
            switch self.type {
            case .connect, .disconnect: return
            default: throw SocketIOError.invalidPayload
            }
        }
        switch self.type {
        case .event, .ack: break
        default: if !attachments.isEmpty { throw SocketIOError.invalidPayload }
        }
        var checked = self
        try payload.withUnsafeReadableBytes { bytes throws(SocketIOError) in
            try PacketDecoder.readPayload(bytes, from: 0, payload, attachments.count, limits, into: &checked)
        }
        try checked.checkReferences(limits)
        self = checked
    }
}

extension SocketIOError {
    static func tooManyBytes(_ limits: PacketLimits) -> SocketIOError {
        SocketIOError(
            .limitExceeded, "the attachments of a packet have more than \(limits.maxAttachmentBytes) bytes")
    }
}
