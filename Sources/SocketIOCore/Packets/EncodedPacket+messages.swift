import NIOCore

extension EncodedPacket {
    /// The messages of the packet, for those who frame them in another way: the text without the type character of
    /// Engine.IO, then the attachments. They share the bytes of the packet.
    package func forEachMessage(_ body: (_ isBinary: Bool, _ message: ByteBuffer) -> Void) {
        var rest = self.frames
        while let frame = ServerFrame.read(from: &rest) {
            var message = frame.payload
            let isText = frame.opcode == ServerFrame.text
            if isText { message.moveReaderIndex(forwardBy: min(1, message.readableBytes)) }
            body(!isText, message)
        }
    }

    /// Whether no message of the packet has more than `limit` bytes, the type character of Engine.IO included.
    ///
    /// - Parameter asBase64: whether binary messages travel in that form, as they do in polling.
    package func fits(maxMessageBytes limit: Int, asBase64: Bool = false) -> Bool {
        // What fits as a whole fits in parts.
        if self.frames.readableBytes <= limit, !asBase64 || self.attachmentCount == 0 { return true }
        var rest = self.frames
        while let frame = ServerFrame.read(from: &rest) {
            var size = frame.payload.readableBytes
            if asBase64, frame.opcode == ServerFrame.binary { size = 1 + (size + 2) / 3 * 4 }
            if size > limit { return false }
        }
        return true
    }
}

extension ArgumentReader {
    /// The last argument, if there is one and it is a string. Nothing is read by it.
    package var lastString: String? {
        var reader = self
        while !reader.isAtEnd {
            var rest = reader
            rest.skip()
            if rest.isAtEnd { return try? reader.next(String.self) }
            reader = rest
        }
        return nil
    }
}
