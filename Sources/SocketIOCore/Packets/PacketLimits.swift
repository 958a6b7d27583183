/// What a ``PacketDecoder`` accepts at most. Anything above is refused before it is stored.
package struct PacketLimits: Sendable, Hashable {
    /// Attachments of one packet. The reference's decoders refuse more than 10.
    package var maxAttachments: Int
    /// Bytes of all attachments of one packet together.
    package var maxAttachmentBytes: Int
    /// Arrays and objects inside each other, the array of arguments included.
    package var maxDepth: Int
    /// Arguments of one event or acknowledgement, the event name not counted.
    package var maxArguments: Int
    /// Bytes of a namespace's name, its query included.
    package var maxNamespaceLength: Int

    package init(
        maxAttachments: Int = 10,
        maxAttachmentBytes: Int = 10_000_000,
        maxDepth: Int = 256,
        maxArguments: Int = 1000,
        maxNamespaceLength: Int = 1024
    ) {
        self.maxAttachments = maxAttachments
        self.maxAttachmentBytes = maxAttachmentBytes
        self.maxDepth = maxDepth
        self.maxArguments = maxArguments
        self.maxNamespaceLength = maxNamespaceLength
    }
}
