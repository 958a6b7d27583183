import NIOCore

/// Packets in another form than the default one.
///
/// Within the package packets have the default form: what handlers decode, what adapters carry and recovery keeps. Another form is
/// made of it on the way to the transport, once for a broadcast, and made into it on the way in. Nil stands for the default one
/// wherever a form is optional, so that its way is what it would be without this.
package protocol PacketForm: Sendable {
    /// A packet in this form.
    ///
    /// - Parameter frames: Those of an ``EncodedPacket`` of this package.
    func encode(frames: ByteBuffer) throws(SocketIOError) -> EncodedPacket

    /// Whether what ``encode(frames:)`` makes has less than eight times the bytes that it is made of, and 256.
    var isCompact: Bool { get }

    func makeDecoder(_ limits: PacketLimits) -> any PacketFormDecoder
}

/// Reads the messages of one connection.
package protocol PacketFormDecoder: AnyObject {
    /// - Returns: The packet in the default form; nil if more messages belong to it.
    func decode(_ message: ByteBuffer, isBinary: Bool) throws(SocketIOError) -> Packet?
}

extension EncodedPacket {
    /// A packet of these messages.
    ///
    /// - Throws: `encodingFailed` for a text that would be something else to the other side: one that is no UTF-8, or that has the
    ///   character with which polling separates packets.
    package init(messages: [EngineMessage]) throws(SocketIOError) {
        var frames = ByteBuffer()
        var binaryCount = 0
        for message in messages {
            switch message {
            case .text(let text):
                guard text.isSeparable else {
                    throw SocketIOError(
                        .encodingFailed, "the parser has written a text with U+001E, or that is no UTF-8")
                }
                var packet = ByteBuffer()
                packet.reserveCapacity(1 + text.readableBytes)
                // The type character of Engine.IO.
                packet.writeInteger(UInt8(ascii: "4"))
                packet.writeImmutableBuffer(text)
                ServerFrame.append(ServerFrame.text, packet, to: &frames)
            case .binary(let bytes):
                ServerFrame.append(ServerFrame.binary, bytes, to: &frames)
                binaryCount += 1
            }
        }
        self.init(frames: frames, attachmentCount: binaryCount)
    }
}

extension ByteBuffer {
    /// Whether it is UTF-8 without U+001E.
    fileprivate var isSeparable: Bool {
        !self.readableBytesView.contains(0x1E)
            && String(validating: self.readableBytesView, as: UTF8.self) != nil
    }
}
