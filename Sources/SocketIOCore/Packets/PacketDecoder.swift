import NIOCore

/// Makes packets of the messages of one connection.
///
/// It accepts what the reference's decoder accepts, with these exceptions, all of them on the side of caution:
/// - An event without a payload, which has no name and reaches nobody, is refused.
/// - A message without text is refused. (The reference's decoder takes it for CONNECT, its server refuses it.)
/// - A number in a placeholder must be an integer, and is checked before the attachments have come.
/// - An id that does not fit into `Int` is refused, and so is what exceeds the limits.
/// - Placeholders that refer to an attachment again and again are refused when the data would be more than the attachments of a packet
///   may have: whoever copies the values, in an answer for example, would write it as often.
/// - After a packet announced with 0 attachments the reference waits for ever; this goes on.
///
/// After an error nothing is kept; the caller closes the connection.
package struct PacketDecoder: Sendable {
    /// What is accepted at most.
    package let limits: PacketLimits

    /// Whether the text of a packet whose attachments have not come yet is copied rather than kept with what was read with it.
    private let copiesPendingText: Bool

    /// The packet whose attachments have not all come yet.
    private var pending: Pending?

    private struct Pending: Sendable {
        var text: Packet
        var missing: Int
        var attachments: [ByteBuffer] = []
        var bytes = 0
    }

    package init(limits: PacketLimits = PacketLimits(), copiesPendingText: Bool = false) {
        self.limits = limits
        self.copiesPendingText = copiesPendingText
    }

    /// True while attachments of the last packet are due; text is an error now.
    package var isAwaitingAttachments: Bool { self.pending != nil }

    /// Forgets a packet whose attachments have not come.
    package mutating func reset() { self.pending = nil }

    /// Takes a text message, without the type character of Engine.IO.
    ///
    /// - Returns: the packet, or `nil` if attachments have to come first. It shares the bytes of `text`.
    /// - Throws: ``SocketIOError``, with the reference's message where it has one.
    package mutating func decode(text: ByteBuffer) throws(SocketIOError) -> Packet? {
        guard self.pending == nil else {
            self.pending = nil
            throw SocketIOError(.unexpectedMessage, "got plaintext data when reconstructing a packet")
        }
        let limits = self.limits
        var missing = 0
        var packet = try text.withUnsafeReadableBytes { bytes throws(SocketIOError) in
            try Self.read(bytes, text, limits, &missing)
        }
        guard missing > 0 else { return packet }
        if self.copiesPendingText { packet.payload = packet.payload?.compacted }
        self.pending = Pending(text: packet, missing: missing)
        return nil
    }

    /// Takes a binary message: an attachment.
    ///
    /// - Returns: the packet if this was the last attachment of it.
    /// - Throws: ``SocketIOError``, with the reference's message where it has one.
    package mutating func decode(binary: ByteBuffer) throws(SocketIOError) -> Packet? {
        guard var pending = self.pending.take() else {
            throw SocketIOError(.unexpectedMessage, "got binary data when not reconstructing a packet")
        }
        let (bytes, overflow) = pending.bytes.addingReportingOverflow(binary.readableBytes)
        guard !overflow, bytes <= self.limits.maxAttachmentBytes else {
            throw SocketIOError.tooManyBytes(self.limits)
        }
        pending.bytes = bytes
        pending.attachments.append(binary)
        guard pending.attachments.count >= pending.missing else {
            self.pending = pending
            return nil
        }
        pending.text.attachments = pending.attachments
        try pending.text.checkReferences(self.limits)
        return pending.text
    }

    /// Reads header and payload; `missing` becomes the number of attachments that have to come.
    private static func read(
        _ bytes: UnsafeRawBufferPointer,
        _ text: ByteBuffer,
        _ limits: PacketLimits,
        _ missing: inout Int
    ) throws(SocketIOError) -> Packet {
        let header = try PacketHeader(bytes, limits: limits)
        missing = header.attachments ?? 0
        let isEvent = header.type == .event || header.type == .binaryEvent
        var decoded = Packet(
            type: header.type.decoded,
            isBinary: header.attachments != nil,
            namespace: header.namespace,
            id: header.id,
            payload: nil,
            attachments: [],
            eventName: "",
            argumentsOffset: 0
        )
        guard header.end < bytes.count else {
            if isEvent { throw SocketIOError.invalidPayload }
            return decoded
        }
        try Self.readPayload(bytes, from: header.end, text, header.attachments ?? 0, limits, into: &decoded)
        return decoded
    }

    /// Checks the payload, JSON text from `offset` to the end of `bytes`, which are those of `text`.
    @inline(__always)
    static func readPayload(
        _ bytes: UnsafeRawBufferPointer,
        from offset: Int,
        _ text: ByteBuffer,
        _ attachments: Int,
        _ limits: PacketLimits,
        into decoded: inout Packet
    ) throws(SocketIOError) {
        let isEvent = decoded.type == .event
        let result = JSONScan.scan(
            bytes,
            from: offset,
            maxDepth: limits.maxDepth,
            maxElements: isEvent ? limits.maxArguments &+ 1 : limits.maxArguments,
            attachments: attachments
        )
        let summary: JSONScan.Summary
        switch result {
        case .success(let value): summary = value
        case .failure(let failure): throw SocketIOError(failure)
        }
        // Offsets in the payload count from where the value begins.
        let start = summary.range.lowerBound

        switch decoded.type {
        case .connect:
            guard summary.kind == .object else { throw SocketIOError.invalidPayload }
        case .disconnect:
            throw SocketIOError.invalidPayload
        case .connectError:
            guard summary.kind == .object || summary.kind == .string else { throw SocketIOError.invalidPayload }
        case .ack, .binaryAck:
            guard summary.kind == .array else { throw SocketIOError.invalidPayload }
        case .event, .binaryEvent:
            guard summary.kind == .array, let name = summary.first else { throw SocketIOError.invalidPayload }
            switch name.kind {
            case .string:
                decoded.eventName = JSONString.decode(bytes, name.range, isEscaped: name.isEscaped)
                if ReservedEvents.contains(decoded.eventName) { throw SocketIOError.invalidPayload }
                decoded.argumentsOffset = name.range.upperBound &+ 1 &- start
            case .number:
                decoded.eventName = String(decoding: bytes[name.range], as: UTF8.self)
                decoded.argumentsOffset = name.range.upperBound &- start
            default: throw SocketIOError.invalidPayload
            }
        }
        decoded.references = summary.placeholders
        decoded.payload = text.getSlice(at: text.readerIndex &+ start, length: summary.range.count)
    }
}
