import NIOCore

/// Packets as a user's parser writes them.
package final class CustomForm: PacketForm {
    private let parser: any SocketIOParser

    init(_ parser: some SocketIOParser) { self.parser = parser }

    package var isCompact: Bool { false }

    package func encode(frames: ByteBuffer) throws(SocketIOError) -> EncodedPacket {
        let packet = try SocketIOPacket(own: Packet(own: frames))
        let messages: [EngineMessage]
        do { messages = try self.parser.encode(packet) } catch {
            throw SocketIOError(.encodingFailed, "the parser can't write the packet", cause: error)
        }
        guard !messages.isEmpty else {
            throw SocketIOError(.encodingFailed, "the parser has written nothing for the packet")
        }
        return try EncodedPacket(messages: messages)
    }

    package func makeDecoder(_ limits: PacketLimits) -> any PacketFormDecoder { Self.decoder(self.parser, limits) }

    private static func decoder<P: SocketIOParser>(_ parser: P, _ limits: PacketLimits) -> any PacketFormDecoder {
        CustomDecoder(parser.makeDecoder(limits: ParserLimits(limits)), limits)
    }
}

private final class CustomDecoder<Decoder: SocketIOPacketDecoder>: PacketFormDecoder {
    private var decoder: Decoder
    private let limits: PacketLimits

    init(_ decoder: Decoder, _ limits: PacketLimits) {
        self.decoder = decoder
        self.limits = limits
    }

    func decode(_ message: ByteBuffer, isBinary: Bool) throws(SocketIOError) -> Packet? {
        let packet: SocketIOPacket?
        do { packet = try self.decoder.feed(isBinary ? .binary(message) : .text(message)) } catch {
            throw SocketIOError(.invalidPacket, "the parser can't read a message", cause: error)
        }
        guard let packet else { return nil }
        var writer = JSONWriter(reserving: packet.data == nil ? 0 : 64)
        if let data = packet.data { try writer.write(data) }
        return try Packet(
            checking: PacketType(packet.kind),
            namespace: packet.namespace,
            id: packet.id,
            payload: packet.data == nil ? nil : writer.bytes,
            attachments: writer.attachments,
            limits: self.limits
        )
    }
}

extension ParserLimits {
    fileprivate init(_ limits: PacketLimits) {
        self.init()
        self.maxDepth = limits.maxDepth
        self.maxArguments = limits.maxArguments
        self.maxAttachments = limits.maxAttachments
        self.maxAttachmentBytes = limits.maxAttachmentBytes
        self.maxNamespaceLength = limits.maxNamespaceLength
    }
}

extension PacketType {
    fileprivate init(_ kind: SocketIOPacket.Kind) {
        self =
            switch kind {
            case .connect: .connect
            case .disconnect: .disconnect
            case .event: .event
            case .ack: .ack
            case .connectError: .connectError
            }
    }
}

extension SocketIOPacket {
    fileprivate init(own packet: Packet) throws(SocketIOError) {
        let kind: Kind =
            switch packet.type {
            case .connect: .connect
            case .disconnect: .disconnect
            case .event, .binaryEvent: .event
            case .ack, .binaryAck: .ack
            case .connectError: .connectError
            }
        var data: SocketIOValue?
        if let payload = packet.payload {
            var reader = ArgumentReader(value: payload, attachments: packet.attachments)
            data = try reader.nextValue()
        }
        self.init(kind, namespace: packet.namespace, id: packet.id, data: data)
    }
}
