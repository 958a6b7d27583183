import NIOCore

extension Packet {
    /// The same, for who keeps it: what is a small part of the memory that it shares, with all else that was read at once, becomes a
    /// copy.
    package var compacted: Packet {
        Packet(
            type: self.type,
            isBinary: self.isBinary,
            namespace: self.namespace,
            id: self.id,
            payload: self.payload?.compacted,
            attachments: self.attachments.map(\.compacted),
            eventName: self.eventName,
            argumentsOffset: self.argumentsOffset
        )
    }
}

extension ByteBuffer {
    /// The same bytes, copied if they are less than half of the memory that they keep.
    package var compacted: ByteBuffer {
        self.readableBytes < self.storageCapacity / 2 ? ByteBuffer(bytes: self.readableBytesView) : self
    }
}
