import NIOCore

/// Iterates over the packets of a polling payload (protocol 4): packets joined by U+001E.
///
/// One pass over the bytes. The packets before a bad one count: they were returned before ``next()`` throws. After an
/// error there are no more.
package struct PayloadDecoder: Sendable {
    package static let separator: UInt8 = 0x1E

    private var rest: ByteBuffer
    private var packetsLeft: Int
    private var isFinished = false

    /// - Parameters:
    ///   - body: the whole body; an empty one is a bad packet.
    ///   - maxPackets: the most packets accepted.
    package init(_ body: consuming ByteBuffer, maxPackets: Int = 10_000) {
        self.rest = body
        self.packetsLeft = max(0, maxPackets)
    }

    /// The next packet, nil behind the last one.
    package mutating func next() throws(EngineIOPacketError) -> EngineIOPacket? {
        guard !self.isFinished else { return nil }
        guard self.packetsLeft > 0 else { throw self.fail(.tooManyPackets) }
        self.packetsLeft -= 1
        let end = self.rest.withUnsafeReadableBytes { ByteSearch.firstIndex(of: Self.separator, in: $0) }
        let piece = self.rest.readSlice(length: end ?? self.rest.readableBytes) ?? ByteBuffer()
        if end == nil {
            self.isFinished = true
        } else {
            self.rest.moveReaderIndex(forwardBy: 1)
        }
        guard UTF8Validation.isValid(piece) else { throw self.fail(.invalidUTF8) }
        do throws(EngineIOPacketError) {
            return try EngineIOPacket.decode(text: piece)
        } catch {
            throw self.fail(error)
        }
    }

    private mutating func fail(_ error: EngineIOPacketError) -> EngineIOPacketError {
        self.isFinished = true
        self.rest = ByteBuffer()
        return error
    }
}
